package bucket

import (
	"bytes"
	lru "container/list"
	"context"
	"encoding/binary"
	"io"
	"sync"
	"time"

	"github.com/thanos-io/objstore"
)

// cached reads ranges of segments from the disk when they were read before, lets reads of the same range share one request, and reads ahead for
// who goes through an object from front to back, or back to front.
type cached struct {
	objstore.Bucket
	disk *diskCache

	mu     sync.Mutex // guards what follows, and what is in a reading
	byName map[string]*lru.Element
	recent *lru.List // of *reading, most recently used first
	ahead  int64     // bytes that the readings hold
}

// reading is how an object is being read.
type reading struct {
	name     string
	last     span // the last range that was asked for
	run      int  // ranges in a row that followed each other
	backward bool
	window   int64 // what was read at a time last
	flights  []*flight
	ahead    *flight // the last one that read more than was asked for
}

// flight is a request. When done is closed it has ended, and its other fields do not change any more.
type flight struct {
	span span
	done chan struct{}
	data []byte
	err  error
}

const (
	// maxReadings bounds the objects whose readings are known, maxAhead the bytes that are kept of what was read ahead.
	maxReadings = 1024
	maxAhead    = 32 << 20
	minWindow   = 512 << 10
	maxWindow   = 4 << 20
	// maxGap is how far a range may be from the one before it to follow it.
	maxGap = 256 << 10
	// patience is the number of ranges in a row that have to follow each other before more is read than was asked for.
	patience = 2
)

func newCached(b objstore.Bucket, disk *diskCache) *cached {
	return &cached{Bucket: b, disk: disk, byName: map[string]*lru.Element{}, recent: lru.New()}
}

type uncachedKey struct{}

// Uncached makes reads with the context leave no trace in the cache: for what is read once, by compaction, say.
func Uncached(ctx context.Context) context.Context {
	return context.WithValue(ctx, uncachedKey{}, true)
}

func keeps(ctx context.Context) bool { return ctx.Value(uncachedKey{}) == nil }

// GetRange implements objstore.Bucket.
func (c *cached) GetRange(ctx context.Context, name string, off, length int64) (io.ReadCloser, error) {
	if length <= 0 || length > maxBufferedRange || !cacheable(name) {
		return c.Bucket.GetRange(ctx, name, off, length)
	}
	data, err := c.read(ctx, name, span{off, length})
	if err != nil {
		return nil, err
	}
	return objstore.NopCloserWithSize(bytes.NewReader(data)), nil
}

func (c *cached) read(ctx context.Context, name string, s span) ([]byte, error) {
	if data, ok := c.disk.get(name, s); ok {
		c.disk.metrics.hits.Inc()
		return data, nil
	}
	for {
		f, mine := c.join(name, s)
		if mine {
			c.disk.metrics.misses.Inc()
			f.data, f.err = c.fetch(ctx, name, f.span)
			c.land(name, f, f.span != s)
		} else {
			select {
			case <-f.done:
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		}
		switch {
		case f.err == nil:
			data := f.part(s)
			if int64(len(data)) == s.length && keeps(ctx) {
				c.disk.put(name, s, data)
			}
			return data, nil
		case mine:
			return nil, f.err
		case ctx.Err() != nil:
			return nil, ctx.Err()
		}
		// The one whose request it was may have been cancelled: this caller tries by itself.
	}
}

// part gives a range of what was read: less of it where the object ends before.
func (f *flight) part(s span) []byte {
	from := min(s.offset-f.span.offset, int64(len(f.data)))
	return f.data[from:min(from+s.length, int64(len(f.data)))]
}

func (f *flight) covers(s span) bool {
	return f.span.offset <= s.offset && s.offset+s.length <= f.span.offset+f.span.length
}

// join gives the request that a range is read by: another's, or a new one for the caller to make.
func (c *cached) join(name string, s span) (f *flight, mine bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	r := c.reading(name)
	wanted := r.plan(s)
	if r.ahead != nil && r.ahead.covers(s) && int64(len(r.ahead.part(s))) == s.length {
		c.disk.metrics.ahead.Inc()
		f = r.ahead
		if last := f.span.offset + int64(len(f.data)); s.offset+s.length == last && !r.backward || s.offset == f.span.offset && r.backward {
			c.hold(r, nil) // it is used up
		}
		return f, false
	}
	for _, f := range r.flights {
		if f.covers(s) {
			c.disk.metrics.shared.Inc()
			return f, false
		}
	}
	f = &flight{span: wanted, done: make(chan struct{})}
	r.flights = append(r.flights, f)
	return f, true
}

// reading gives how an object is being read. The lock is held.
func (c *cached) reading(name string) *reading {
	if e := c.byName[name]; e != nil {
		c.recent.MoveToFront(e)
		return e.Value.(*reading)
	}
	r := &reading{name: name}
	c.byName[name] = c.recent.PushFront(r)
	if c.recent.Len() > maxReadings {
		c.end(c.recent.Back())
	}
	return r
}

// end forgets a reading. The lock is held.
func (c *cached) end(e *lru.Element) {
	r := c.recent.Remove(e).(*reading)
	delete(c.byName, r.name)
	c.hold(r, nil)
}

// hold makes a reading keep what a request read ahead, and lets others go of theirs when it is too much. The lock is held.
func (c *cached) hold(r *reading, f *flight) {
	if r.ahead != nil {
		c.ahead -= int64(len(r.ahead.data))
	}
	if r.ahead = f; f == nil {
		return
	}
	c.ahead += int64(len(f.data))
	for e := c.recent.Back(); e != nil && c.ahead > maxAhead; e = e.Prev() {
		if other := e.Value.(*reading); other != r {
			c.hold(other, nil)
		}
	}
}

// plan notes a range that is asked for, and gives what is to be read for it. The lock is held.
func (r *reading) plan(s span) span {
	after := s.offset - (r.last.offset + r.last.length)
	before := r.last.offset - (s.offset + s.length)
	switch {
	case r.last.length == 0:
	case after >= 0 && after <= maxGap && !(r.backward && r.run > 0):
		r.run, r.backward = r.run+1, false
	case before >= 0 && before <= maxGap && (r.backward || r.run == 0):
		r.run, r.backward = r.run+1, true
	default:
		r.run, r.window, r.backward = 0, 0, false
	}
	r.last = s
	if r.run < patience || s.length > minWindow {
		return s
	}
	if r.ahead == nil || !r.ahead.covers(s) {
		r.window = min(max(2*r.window, minWindow), maxWindow)
	}
	if !r.backward {
		return span{s.offset, max(r.window, s.length)}
	}
	from := max(0, s.offset+s.length-max(r.window, s.length))
	return span{from, s.offset + s.length - from}
}

func (c *cached) fetch(ctx context.Context, name string, s span) ([]byte, error) {
	body, err := c.Bucket.GetRange(ctx, name, s.offset, s.length)
	if err != nil {
		return nil, err
	}
	data := make([]byte, s.length)
	n, err := io.ReadFull(body, data)
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		err = nil
	}
	if cerr := body.Close(); err == nil {
		err = cerr
	}
	return data[:n], err
}

// land ends a request.
func (c *cached) land(name string, f *flight, ahead bool) {
	c.mu.Lock()
	if e := c.byName[name]; e != nil {
		r := e.Value.(*reading)
		for i := range r.flights {
			if r.flights[i] == f {
				r.flights = append(r.flights[:i:i], r.flights[i+1:]...)
				break
			}
		}
		if ahead && f.err == nil {
			c.hold(r, f)
		}
	}
	c.mu.Unlock()
	close(f.done)
}

// Attributes implements objstore.Bucket. Sizes are kept; a kept one comes without the time of the last change.
func (c *cached) Attributes(ctx context.Context, name string) (objstore.ObjectAttributes, error) {
	if !cacheable(name) {
		return c.Bucket.Attributes(ctx, name)
	}
	if data, ok := c.disk.get(name, sizeSpan); ok && len(data) == 8 {
		c.disk.metrics.hits.Inc()
		return objstore.ObjectAttributes{Size: int64(binary.LittleEndian.Uint64(data)), LastModified: time.Time{}}, nil
	}
	c.disk.metrics.misses.Inc()
	attrs, err := c.Bucket.Attributes(ctx, name)
	if err == nil && keeps(ctx) {
		c.disk.put(name, sizeSpan, binary.LittleEndian.AppendUint64(nil, uint64(attrs.Size)))
	}
	return attrs, err
}

// Iter implements objstore.Bucket.
func (c *cached) Iter(ctx context.Context, dir string, f func(string) error, opts ...objstore.IterOption) error {
	if !c.disk.holds(dir) || objstore.ApplyIterOptions(opts...).Recursive {
		return c.Bucket.Iter(ctx, dir, f, opts...)
	}
	exist := map[string]struct{}{}
	err := c.Bucket.Iter(ctx, dir, func(name string) error {
		exist[name] = struct{}{}
		return f(name)
	}, opts...)
	if err == nil {
		c.disk.retain(dir, exist)
	}
	return err
}

// Upload implements objstore.Bucket.
func (c *cached) Upload(ctx context.Context, name string, r io.Reader, opts ...objstore.ObjectUploadOption) error {
	c.Discard(name)
	return c.Bucket.Upload(ctx, name, r, opts...)
}

// Delete implements objstore.Bucket.
func (c *cached) Delete(ctx context.Context, name string) error {
	err := c.Bucket.Delete(ctx, name)
	c.Discard(name)
	return err
}

// Discard drops everything that is kept of an object.
func (c *cached) Discard(name string) {
	c.mu.Lock()
	if e := c.byName[name]; e != nil {
		c.end(e)
	}
	c.mu.Unlock()
	c.disk.discard(name)
}
