package store

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"
)

// ErrInUse is wrapped by what Lock answers when a process has the data directory.
var ErrInUse = errors.New("data directory is in use")

// Lock keeps other processes from opening the data directory until release is called. A directory that no process ever opened, or that
// there is none of, needs none. Nothing is written.
func (s *Store) Lock() (release func(), err error) {
	name := filepath.Join(s.DataDir, "lock")
	if _, err := os.Stat(name); s.DataDir == "" || errors.Is(err, os.ErrNotExist) {
		return func() {}, nil
	}
	file := flock.New(name, flock.SetFlag(os.O_RDONLY))
	ok, err := file.TryLock()
	if err != nil {
		return nil, fmt.Errorf("lock %s: %w", name, err)
	}
	if !ok {
		return nil, fmt.Errorf("%w: %s has %s", ErrInUse, s.holder(), s.DataDir)
	}
	return func() { _ = file.Close() }, nil
}

// holder names the process that has the data directory.
func (s *Store) holder() string {
	var h struct {
		PID   int       `json:"pid"`
		Since time.Time `json:"since"`
	}
	text, err := os.ReadFile(filepath.Join(s.DataDir, "lock.json"))
	if err != nil || json.Unmarshal(text, &h) != nil || h.PID == 0 {
		return "another process"
	}
	return fmt.Sprintf("process %d, since %s,", h.PID, h.Since.UTC().Format(time.RFC3339))
}
