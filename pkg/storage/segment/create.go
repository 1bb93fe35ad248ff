package segment

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/thanos-io/objstore"
)

// spillFrom is the size from which a segment under construction lies in a file.
const spillFrom = 4 << 20

// FileUploader is what a bucket offers that can take over a local file faster than by copying it.
type FileUploader interface {
	// UploadFile makes the file at path, which is synced, the object name. It may move the file away.
	UploadFile(ctx context.Context, name, path string) error
}

// Create builds a segment and puts it into the bucket. Fill appends the chunks. While it is built the segment lies in memory as long as it is small,
// then in a temporary file in dir, which is gone afterwards. When fill appends nothing the error is ErrEmpty.
// After an error of the upload the object may exist, whole or, with providers that do not upload all or nothing, in part; Info names it then. Its name is
// never used again.
func Create(ctx context.Context, bucket objstore.Bucket, dir string, opts WriterOptions, fill func(*Writer) error) (Info, error) {
	s := &spool{dir: dir}
	defer s.discard()
	w, err := NewWriter(s, opts)
	if err != nil {
		return Info{}, err
	}
	if err := fill(w); err != nil {
		return Info{}, err
	}
	info, err := w.Close()
	if err != nil {
		return Info{}, err
	}
	if err := s.upload(ctx, bucket, info.Name.Path()); err != nil {
		return info, fmt.Errorf("upload segment %s: %w", info.Name, err)
	}
	return info, nil
}

// spool keeps what is written in memory, and in a file from spillFrom on.
type spool struct {
	dir  string
	buf  bytes.Buffer
	file *os.File
}

func (s *spool) Write(b []byte) (int, error) {
	if s.file == nil && s.buf.Len()+len(b) > spillFrom {
		f, err := os.CreateTemp(s.dir, "segment-*.tmp")
		if err != nil {
			return 0, err
		}
		s.file = f
		if _, err := s.buf.WriteTo(f); err != nil {
			return 0, err
		}
		s.buf = bytes.Buffer{}
	}
	if s.file != nil {
		return s.file.Write(b)
	}
	return s.buf.Write(b)
}

func (s *spool) upload(ctx context.Context, bucket objstore.Bucket, name string) error {
	if s.file == nil {
		return bucket.Upload(ctx, name, bytes.NewReader(s.buf.Bytes()))
	}
	if up, ok := bucket.(FileUploader); ok {
		if err := s.file.Sync(); err != nil {
			return err
		}
		return up.UploadFile(ctx, name, s.file.Name())
	}
	if _, err := s.file.Seek(0, io.SeekStart); err != nil {
		return err
	}
	return bucket.Upload(ctx, name, s.file)
}

func (s *spool) discard() error {
	if s.file == nil {
		return nil
	}
	err := s.file.Close()
	if rerr := os.Remove(s.file.Name()); !errors.Is(rerr, os.ErrNotExist) {
		err = errors.Join(err, rerr)
	}
	return err
}
