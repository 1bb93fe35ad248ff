package catalog

import (
	"container/list"
	"context"
	"sync"

	"github.com/oklog/ulid/v2"
	"github.com/thanos-io/objstore"

	"github.com/cambium-logs/cambium/pkg/storage/segment"
)

// readerCache shares open segment readers. Readers are memory only, so one that is evicted while a query uses it stays valid.
type readerCache struct {
	bucket  objstore.BucketReader
	budget  int64
	metrics *metrics

	mu      sync.Mutex
	byID    map[ulid.ULID]*list.Element // of *cachedReader
	recent  *list.List                  // most recently used first
	memory  int64
	opening map[ulid.ULID]*openingReader
}

type cachedReader struct {
	id     ulid.ULID
	reader *segment.Reader
}

// openingReader is an open that runs; done is closed when the other fields are set.
type openingReader struct {
	done   chan struct{}
	reader *segment.Reader
	err    error
}

func newReaderCache(b objstore.BucketReader, budget int64, m *metrics) *readerCache {
	return &readerCache{bucket: b, budget: budget, metrics: m, byID: map[ulid.ULID]*list.Element{}, recent: list.New(), opening: map[ulid.ULID]*openingReader{}}
}

// get gives the reader of a segment; several callers that need the same share one open. Failures are not kept.
func (c *readerCache) get(ctx context.Context, name segment.Name, size int64) (*segment.Reader, error) {
	for {
		c.mu.Lock()
		if e, ok := c.byID[name.ID]; ok {
			c.recent.MoveToFront(e)
			c.mu.Unlock()
			c.metrics.readerHits.Inc()
			return e.Value.(*cachedReader).reader, nil
		}
		o, ok := c.opening[name.ID]
		if !ok {
			o = &openingReader{done: make(chan struct{})}
			c.opening[name.ID] = o
			c.mu.Unlock()
			c.open(ctx, name, size, o)
			return o.reader, o.err
		}
		c.mu.Unlock()
		select {
		case <-o.done:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		if o.err == nil {
			return o.reader, nil
		}
		// The one who opened may have been cancelled: this caller tries by itself.
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
	}
}

func (c *readerCache) open(ctx context.Context, name segment.Name, size int64, o *openingReader) {
	c.metrics.readerMisses.Inc()
	o.reader, o.err = segment.Open(ctx, c.bucket, name, size)
	c.mu.Lock()
	delete(c.opening, name.ID)
	if o.err == nil {
		c.byID[name.ID] = c.recent.PushFront(&cachedReader{name.ID, o.reader})
		c.memory += o.reader.MemoryBytes()
		for c.memory > c.budget && c.recent.Len() > 1 {
			last := c.recent.Remove(c.recent.Back()).(*cachedReader)
			delete(c.byID, last.id)
			c.memory -= last.reader.MemoryBytes()
		}
		c.metrics.readerMemory.Set(float64(c.memory))
	}
	c.mu.Unlock()
	close(o.done)
}
