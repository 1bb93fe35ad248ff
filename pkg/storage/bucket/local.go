package bucket

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/thanos-io/objstore"
	"github.com/thanos-io/objstore/providers/filesystem"
)

const (
	// tempDir holds objects that are being written. It lies inside the root, so that renaming never crosses a filesystem.
	tempDir = ".tmp"
	// staleTemp is the age from which a temporary file belongs to a process that is gone.
	staleTemp = 24 * time.Hour

	dirMode  = 0o750
	fileMode = 0o640
)

// Local is a directory as a bucket. When Upload returns nil the object survives power loss; before that nobody sees any of it.
// Several processes may use one directory.
type Local struct {
	*filesystem.Bucket
	root string
}

// OpenLocal opens a directory, which is created when it is missing, and removes what crashed uploads left long ago.
func OpenLocal(dir string) (*Local, error) {
	root, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("open bucket directory %s: %w", dir, err)
	}
	if err := mkdirAll(filepath.Join(root, tempDir)); err != nil {
		return nil, fmt.Errorf("open bucket directory: %w", err)
	}
	b, err := filesystem.NewBucket(root)
	if err != nil {
		return nil, fmt.Errorf("open bucket directory: %w", err)
	}
	l := &Local{Bucket: b, root: root}
	l.RemoveLeftovers()
	return l, nil
}

// openExisting opens a directory for reading. It changes nothing in it.
func openExisting(dir string) (*Local, error) {
	root, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("open bucket directory %s: %w", dir, err)
	}
	info, err := os.Stat(root)
	if err != nil {
		return nil, fmt.Errorf("open bucket directory: %w", err)
	}
	if !info.IsDir() {
		return nil, fmt.Errorf("open bucket directory: %s is not a directory", root)
	}
	b, err := filesystem.NewBucket(root)
	if err != nil {
		return nil, fmt.Errorf("open bucket directory: %w", err)
	}
	return &Local{Bucket: b, root: root}, nil
}

// RemoveLeftovers removes what crashed uploads left long ago.
func (l *Local) RemoveLeftovers() { l.removeStale(time.Now().Add(-staleTemp)) }

// removeStale removes temporary files that were last written before a time. What cannot be removed now is tried again at the next start.
func (l *Local) removeStale(before time.Time) {
	dir := filepath.Join(l.root, tempDir)
	files, err := os.ReadDir(dir)
	if err != nil {
		return
	}
	for _, f := range files {
		if info, err := f.Info(); err == nil && info.ModTime().Before(before) {
			_ = os.Remove(filepath.Join(dir, f.Name()))
		}
	}
}

// TempDir is a directory on the bucket's filesystem for files that UploadFile is to take over.
func (l *Local) TempDir() string { return filepath.Join(l.root, tempDir) }

// file gives the path of an object, which lies inside the root whatever its name is.
func (l *Local) file(name string) (string, error) {
	local := filepath.FromSlash(name)
	if !filepath.IsLocal(local) || filepath.ToSlash(filepath.Clean(local)) != name || name == tempDir || strings.HasPrefix(name, tempDir+"/") {
		return "", fmt.Errorf("object name %q is not allowed", name)
	}
	return filepath.Join(l.root, local), nil
}

// Upload writes an object: to a temporary file, which is synced and renamed.
func (l *Local) Upload(ctx context.Context, name string, r io.Reader, _ ...objstore.ObjectUploadOption) error {
	target, err := l.file(name)
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(l.TempDir(), "upload-*.tmp")
	if err != nil {
		return fmt.Errorf("upload %s: %w", name, err)
	}
	if _, err = io.Copy(f, contextReader{ctx, r}); err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = publish(f.Name(), target)
	}
	if err != nil {
		_ = os.Remove(f.Name())
		return fmt.Errorf("upload %s: %w", name, err)
	}
	return nil
}

// UploadFile makes the file at path, which the caller has synced, an object. A file on the bucket's filesystem is moved, others are copied.
func (l *Local) UploadFile(ctx context.Context, name, path string) error {
	target, err := l.file(name)
	if err != nil {
		return err
	}
	err = publish(path, target)
	if err == nil {
		return nil
	}
	var linkErr *os.LinkError
	if !errors.As(err, &linkErr) {
		return fmt.Errorf("upload %s: %w", name, err)
	}
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("upload %s: %w", name, err)
	}
	defer f.Close()
	return l.Upload(ctx, name, f)
}

// publish renames a complete file to its object's place and makes that durable.
func publish(from, to string) error {
	if err := os.Chmod(from, fileMode); err != nil {
		return err
	}
	dir := filepath.Dir(to)
	// A delete in another goroutine or process may remove the directory between making and using it.
	for try := 0; ; try++ {
		err := mkdirAll(dir)
		if err == nil {
			err = os.Rename(from, to)
		}
		if err == nil {
			return syncDir(dir)
		}
		if !errors.Is(err, fs.ErrNotExist) || try == maxPublishTries {
			return err
		}
		if _, serr := os.Stat(from); serr != nil {
			return err
		}
	}
}

// maxPublishTries bounds how often a directory that others remove is made again.
const maxPublishTries = 100

// Delete removes an object for good, and directories that it leaves empty. A missing object is an error for which IsObjNotFoundErr holds.
func (l *Local) Delete(ctx context.Context, name string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	file, err := l.file(name)
	if err != nil {
		return err
	}
	if info, err := os.Lstat(file); err == nil && info.IsDir() {
		return fmt.Errorf("delete %s: this is a directory", name)
	}
	if err := os.Remove(file); err != nil {
		return fmt.Errorf("delete %s: %w", name, err)
	}
	dir := filepath.Dir(file)
	if err := syncDir(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("delete %s: %w", name, err)
	}
	for dir != l.root && os.Remove(dir) == nil {
		dir = filepath.Dir(dir)
	}
	return nil
}

// Iter lists a directory.
func (l *Local) Iter(ctx context.Context, dir string, f func(string) error, opts ...objstore.IterOption) error {
	return l.Bucket.Iter(ctx, dir, func(name string) error {
		if strings.HasPrefix(name, tempDir+"/") {
			return nil
		}
		return f(name)
	}, opts...)
}

// IterWithAttributes lists a directory.
func (l *Local) IterWithAttributes(ctx context.Context, dir string, f func(objstore.IterObjectAttributes) error, opts ...objstore.IterOption) error {
	return l.Bucket.IterWithAttributes(ctx, dir, func(a objstore.IterObjectAttributes) error {
		if strings.HasPrefix(a.Name, tempDir+"/") {
			return nil
		}
		return f(a)
	}, opts...)
}

// IsObjNotFoundErr reports whether err says that an object does not exist.
func (l *Local) IsObjNotFoundErr(err error) bool { return errors.Is(err, fs.ErrNotExist) }

// IsAccessDeniedErr reports whether err says that the process may not do this.
func (l *Local) IsAccessDeniedErr(err error) bool { return errors.Is(err, fs.ErrPermission) }

// mkdirAll makes a directory and its parents durable. When others remove empty directories meanwhile, fs.ErrNotExist may result.
func mkdirAll(dir string) error {
	if info, err := os.Stat(dir); err == nil {
		if !info.IsDir() {
			return fmt.Errorf("%s is not a directory", dir)
		}
		return nil
	}
	parent := filepath.Dir(dir)
	if parent != dir {
		if err := mkdirAll(parent); err != nil {
			return err
		}
	}
	if err := os.Mkdir(dir, dirMode); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return syncDir(parent)
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	err = d.Sync()
	return errors.Join(err, d.Close())
}

// contextReader stops a copy when the context ends.
type contextReader struct {
	ctx context.Context
	r   io.Reader
}

func (c contextReader) Read(b []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(b)
}
