package engine

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"
)

// holder is what lock.json says about the process that has the data directory.
type holder struct {
	PID        int       `json:"pid"`
	Executable string    `json:"executable"`
	Since      time.Time `json:"since"`
}

func (h holder) String() string {
	if h.PID == 0 {
		return "another process"
	}
	return fmt.Sprintf("process %d (%s, since %s)", h.PID, filepath.Base(h.Executable), h.Since.UTC().Format(time.RFC3339))
}

// dirLock is the lock of a data directory. The operating system releases it when the process ends, however it ends.
type dirLock struct{ file *flock.Flock }

const lockPoll = 50 * time.Millisecond

// lockDir makes the directory if need be and takes its lock, waiting at most wait.
func lockDir(ctx context.Context, dir string, wait time.Duration) (*dirLock, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("data directory %s cannot be made: %w", dir, err)
	}
	file := flock.New(filepath.Join(dir, "lock"), flock.SetPermissions(0o600))
	deadline := time.Now().Add(wait)
	for {
		ok, err := file.TryLock()
		if err != nil {
			return nil, fmt.Errorf("data directory %s is not writable: %w", dir, err)
		}
		if ok {
			break
		}
		if !time.Now().Before(deadline) {
			return nil, fmt.Errorf("%w: %s has %s; waited %s. Stop it, or use another data directory", ErrLocked, readHolder(dir), dir, max(wait, 0))
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("%w: %s has %s: %w", ErrLocked, readHolder(dir), dir, ctx.Err())
		case <-time.After(lockPoll):
		}
	}
	writeHolder(dir)
	return &dirLock{file}, nil
}

// writeHolder tells who has the lock. That it fails, on a full disk, say, does no harm.
func writeHolder(dir string) {
	exe, err := os.Executable()
	if err != nil {
		exe = os.Args[0]
	}
	b, err := json.Marshal(holder{os.Getpid(), exe, time.Now()})
	if err == nil {
		_ = os.WriteFile(filepath.Join(dir, "lock.json"), b, 0o600)
	}
}

func readHolder(dir string) holder {
	var h holder
	b, err := os.ReadFile(filepath.Join(dir, "lock.json"))
	if err != nil || json.Unmarshal(b, &h) != nil {
		return holder{}
	}
	return h
}

func (l *dirLock) release() error { return l.file.Unlock() }
