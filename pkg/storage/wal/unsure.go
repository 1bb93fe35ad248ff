package wal

import (
	"errors"
	"os"
	"slices"
)

// unsureFile is a file of which the end may hold what no append was acknowledged for: a write or a sync failed, and closing the file may write the
// rest of it.
type unsureFile struct {
	name string
	info os.FileInfo // nil = it is not known which file that is
	size int64       // of what was acknowledged
}

func newUnsureFile(name string) unsureFile {
	f := unsureFile{name: name}
	f.info, _ = os.Stat(name)
	f.grown()
	return f
}

// grown takes what is in the file for acknowledged.
func (f *unsureFile) grown() {
	if f.info == nil {
		return
	}
	now, err := os.Stat(f.name)
	if err != nil || !os.SameFile(f.info, now) {
		f.info = nil
		return
	}
	f.size = now.Size()
}

// cut removes the end of the file. It is false when that cannot be done.
func (f *unsureFile) cut() bool {
	now, err := os.Stat(f.name)
	if errors.Is(err, os.ErrNotExist) {
		return true
	}
	if err != nil || f.info == nil || !os.SameFile(f.info, now) || now.Size() < f.size {
		return false
	}
	file, err := os.OpenFile(f.name, os.O_WRONLY, 0)
	if err != nil {
		return false
	}
	if err = file.Truncate(f.size); err == nil {
		err = file.Sync()
	}
	return errors.Join(err, file.Close()) == nil
}

// Unsure reports whether the files may hold entries that no append was acknowledged for. A replay would give them.
func (l *Log) Unsure() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.unsure) > 0
}

// cutUnsure removes from files that are written no more what no append was acknowledged for. Those with which that fails are tried again when the
// log fails the next time, or go with the next truncation.
func (l *Log) cutUnsure() {
	if len(l.abandoned) > 0 {
		return // closing them writes
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.unsure = slices.DeleteFunc(l.unsure, func(f unsureFile) bool { return f.cut() })
}

// forgetRemoved forgets the files that are not there any more.
func (l *Log) forgetRemoved() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.unsure = slices.DeleteFunc(l.unsure, func(f unsureFile) bool {
		_, err := os.Stat(f.name)
		return errors.Is(err, os.ErrNotExist)
	})
}
