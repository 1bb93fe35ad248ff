package engine

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/gofrs/flock"
)

const (
	buildPrefix, buildLock = "cambium-segments-", "lock"
	// unlockedBuildDir is the age from which a directory that nobody has locked yet is nobody's.
	unlockedBuildDir = 24 * time.Hour
)

// makeBuildDir makes a directory for segments under construction, which release removes again. Processes may share its parent, "" = the system's;
// in one that is named, what died processes left is removed: a directory is alive as long as its process holds the lock in it.
func makeBuildDir(parent string) (dir string, release func() error, err error) {
	if parent != "" {
		if err := os.MkdirAll(parent, 0o700); err != nil {
			return "", nil, err
		}
		removeDeadBuildDirs(parent)
	}
	if dir, err = os.MkdirTemp(parent, buildPrefix+"*"); err != nil {
		return "", nil, err
	}
	lock := flock.New(filepath.Join(dir, buildLock), flock.SetPermissions(0o600))
	_, _ = lock.TryLock() // where locks are not possible nobody else can take it, and removes nothing
	return dir, func() error { return errors.Join(lock.Unlock(), os.RemoveAll(dir)) }, nil
}

func removeDeadBuildDirs(parent string) {
	entries, err := os.ReadDir(parent)
	if err != nil {
		return
	}
	for _, entry := range entries {
		if entry.IsDir() && strings.HasPrefix(entry.Name(), buildPrefix) {
			removeDeadBuildDir(filepath.Join(parent, entry.Name()))
		}
	}
}

func removeDeadBuildDir(dir string) {
	if _, err := os.Lstat(filepath.Join(dir, buildLock)); err != nil {
		if info, err := os.Lstat(dir); err != nil || time.Since(info.ModTime()) < unlockedBuildDir {
			return
		}
	}
	lock := flock.New(filepath.Join(dir, buildLock), flock.SetPermissions(0o600))
	if ok, err := lock.TryLock(); err != nil || !ok {
		return
	}
	_ = lock.Unlock()
	_ = os.RemoveAll(dir)
}
