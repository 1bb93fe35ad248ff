package segment

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync/atomic"

	"github.com/prometheus/prometheus/tsdb/index"
	"github.com/thanos-io/objstore"
)

// tailLen is what the first read of a segment takes from its end. Most segments have footer, directory and index in it, small ones everything.
const tailLen = 64 << 10

// Reader reads one segment. It keeps index and directory in memory and reads chunks from the bucket when they are opened.
// It is safe for concurrent use and needs no Close: what it holds is memory.
type Reader struct {
	bucket  objstore.BucketReader
	name    Name
	path    string
	size    int64
	footer  Footer
	index   *index.Reader
	entries []entry
	filters filters
	// whole is the object when all of it came with the first read, else nil. It is let go when something in it turns out to be damaged.
	whole atomic.Pointer[[]byte]
	// memory is what the Reader holds, in bytes.
	memory int64
}

// byteSlice lets the index read from memory.
type byteSlice []byte

func (b byteSlice) Len() int                    { return len(b) }
func (b byteSlice) Range(start, end int) []byte { return b[start:end] }

// Open reads and checks footer, directory and index of a segment. Size is the object's size in bytes; when it is not known it is 0 and asked from the bucket.
func Open(ctx context.Context, bucket objstore.BucketReader, name Name, size int64) (*Reader, error) {
	r := &Reader{bucket: bucket, name: name, path: name.Path(), size: size}
	err := r.open(ctx)
	if IsCorrupt(err) {
		// Perhaps on the way only.
		r.forget()
		r = &Reader{bucket: bucket, name: name, path: r.path}
		err = r.open(ctx)
	}
	if err != nil {
		return nil, fmt.Errorf("open segment %s: %w", r.path, err)
	}
	return r, nil
}

func (r *Reader) open(ctx context.Context) error {
	if r.size <= 0 {
		attrs, err := r.bucket.Attributes(ctx, r.path)
		if err != nil {
			return fmt.Errorf("size: %w", err)
		}
		r.size = attrs.Size
	}
	if r.size < headerLen+trailerLen {
		return fmt.Errorf("%w: %d bytes are too few for a segment", ErrCorrupt, r.size)
	}
	tail, footerAt, err := r.readFooter(ctx)
	if err != nil {
		return err
	}
	f := &r.footer
	tailAt := r.size - int64(len(tail))
	if tailAt > f.Index.Offset {
		missing, err := r.read(ctx, f.Index.Offset, tailAt-f.Index.Offset)
		if err != nil {
			return fmt.Errorf("read index and directory: %w", err)
		}
		tail = append(missing, tail[:footerAt-tailAt]...)
		tailAt = f.Index.Offset
	}
	section := func(s Section, name string) ([]byte, error) {
		b := tail[s.Offset-tailAt : s.end()-tailAt : s.end()-tailAt]
		if checksum(b) != s.CRC {
			return nil, fmt.Errorf("%w: %s: checksum does not match", ErrCorrupt, name)
		}
		return b, nil
	}
	indexBytes, err := section(f.Index, "index")
	if err != nil {
		return err
	}
	directory, err := section(f.Directory, "directory")
	if err != nil {
		return err
	}
	if r.index, err = openIndex(indexBytes); err != nil {
		return err
	}
	if r.entries, err = parseDirectory(directory, f); err != nil {
		return err
	}
	if tailAt == 0 {
		r.whole.Store(&tail)
	}
	r.memory = int64(cap(tail)) + int64(len(r.entries))*entrySize + int64(len(f.Sources))*16 + 4096
	return nil
}

// openIndex opens an index whose checksum is right.
func openIndex(b []byte) (r *index.Reader, err error) {
	// The library trusts the offsets in an index. Only bytes that were wrong before they were checksummed can get here and make it fail.
	defer recoverCorrupt("index", &err)
	r, err = index.NewReader(byteSlice(b), index.DecodePostingsRaw)
	if err != nil {
		return nil, fmt.Errorf("%w: index: %w", ErrCorrupt, err)
	}
	return r, nil
}

// recoverCorrupt turns a panic over impossible bytes into an error.
func recoverCorrupt(what string, err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("%w: %s: %v", ErrCorrupt, what, p)
	}
}

// readFooter reads the end of the object and gives it with the footer's offset.
func (r *Reader) readFooter(ctx context.Context) ([]byte, int64, error) {
	n := min(r.size, tailLen)
	tail, err := r.read(ctx, r.size-n, n)
	if err != nil {
		return nil, 0, fmt.Errorf("read footer: %w", err)
	}
	trailer := tail[len(tail)-trailerLen:]
	bodyLen, err := footerLength(trailer)
	if err != nil {
		return nil, 0, err
	}
	need := bodyLen + trailerLen
	if need > r.size-headerLen {
		return nil, 0, fmt.Errorf("%w: trailer: footer of %d bytes in an object of %d", ErrCorrupt, bodyLen, r.size)
	}
	if need > n {
		more, err := r.read(ctx, r.size-need, need-n)
		if err != nil {
			return nil, 0, fmt.Errorf("read footer: %w", err)
		}
		tail = append(more, tail...)
	}
	footerAt := r.size - need
	body := tail[int64(len(tail))-need : len(tail)-trailerLen]
	r.footer, err = parseFooter(body, tail[len(tail)-trailerLen:], r.name, r.size)
	return tail, footerAt, err
}

// Discarder is what a bucket offers that keeps copies of what was read.
type Discarder interface {
	// Discard drops the copies of an object, because they or the object are damaged.
	Discard(name string)
}

// forget drops all copies of the object's bytes but those that were checked.
func (r *Reader) forget() {
	r.whole.Store(nil)
	if d, ok := r.bucket.(Discarder); ok {
		d.Discard(r.path)
	}
}

// checked gives what read gives when check accepts it. What is damaged is read once more from the bucket: it may have been damaged on its way.
func (r *Reader) checked(ctx context.Context, offset, length int64, check func([]byte) error) ([]byte, error) {
	return r.checkedInto(ctx, nil, offset, length, check)
}

// checkedInto is checked, which may use the room of buf.
func (r *Reader) checkedInto(ctx context.Context, buf []byte, offset, length int64, check func([]byte) error) ([]byte, error) {
	for again := true; ; again = false {
		b, err := r.readInto(ctx, buf, offset, length)
		if err == nil {
			err = check(b)
		}
		if err == nil {
			return b, nil
		}
		if !IsCorrupt(err) || !again {
			return nil, err
		}
		r.forget()
	}
}

// read gives exactly length bytes from offset.
func (r *Reader) read(ctx context.Context, offset, length int64) ([]byte, error) {
	return r.readInto(ctx, nil, offset, length)
}

// readInto is read, which may use the room of buf.
func (r *Reader) readInto(ctx context.Context, buf []byte, offset, length int64) ([]byte, error) {
	if whole := r.whole.Load(); whole != nil {
		return (*whole)[offset : offset+length : offset+length], nil
	}
	if length == 0 {
		return nil, nil
	}
	body, err := r.bucket.GetRange(ctx, r.path, offset, length)
	if err != nil {
		return nil, err
	}
	b := buf[:0]
	if int64(cap(b)) < length {
		b = make([]byte, 0, length)
	}
	b = b[:length]
	_, err = io.ReadFull(body, b)
	if cerr := body.Close(); err == nil {
		err = cerr
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, fmt.Errorf("%w: object is cut short: bytes %d to %d of %d are not all there", ErrCorrupt, offset, offset+length, r.size)
	}
	if err != nil {
		return nil, err
	}
	return b, nil
}

// Name says where the segment lies.
func (r *Reader) Name() Name { return r.name }

// Footer describes the segment. Its slices must not be changed.
func (r *Reader) Footer() Footer { return r.footer }

// Size is the object's size in bytes.
func (r *Reader) Size() int64 { return r.size }

// MemoryBytes is what the Reader holds in memory, for cache budgets.
func (r *Reader) MemoryBytes() int64 { return r.memory }
