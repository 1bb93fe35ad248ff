package engine

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/oklog/ulid/v2"
	"golang.org/x/sync/errgroup"

	"github.com/cambium-logs/cambium/pkg/storage/segment"
)

// Stats describes what is kept of a tenant.
type Stats struct {
	Segments     int
	StoredBytes  int64 // of the segments' objects
	RawBytes     int64 // lines and structured metadata, in segments and head; entries stored twice count twice
	Entries      int64 // likewise
	HeadRawBytes int64 // the part of RawBytes that is not in segments yet
	Streams      int   // active
	Oldest       time.Time
	Newest       time.Time // both zero without entries
	LastReceived time.Time // zero: nothing since the start
}

// segmentStats is what Stats needs of a segment. It never changes.
type segmentStats struct{ size, raw, rows int64 }

// statsCache remembers segments' statistics, so that each segment is asked for them once at most.
type statsCache struct {
	mu   sync.Mutex
	byID map[ulid.ULID]segmentStats
}

func (c *statsCache) put(id ulid.ULID, s segmentStats) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.byID == nil {
		c.byID = map[ulid.ULID]segmentStats{}
	}
	c.byID[id] = s
}

func (c *statsCache) get(id ulid.ULID) (segmentStats, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s, ok := c.byID[id]
	return s, ok
}

// statsReaders is how many segments Stats asks at a time.
const statsReaders = 8

// Stats describes a tenant. It may read every segment's footer the first time. A segment that cannot be read counts with its name alone.
func (e *Engine) Stats(ctx context.Context, tenant string) (Stats, error) {
	hs, received := e.head.Stats(tenant)
	out := Stats{Entries: hs.Entries, RawBytes: hs.RawBytes, HeadRawBytes: hs.RawBytes, Streams: e.ActiveStreams(tenant), LastReceived: received}
	if hs.Entries > 0 {
		out.Oldest, out.Newest = time.Unix(0, hs.MinT), time.Unix(0, hs.MaxT)
	}
	days, err := e.catalog.Days(ctx, tenant)
	if err != nil {
		return out, err
	}
	var names []segment.Name
	for _, d := range days {
		list, err := e.catalog.Segments(ctx, tenant, d)
		if err != nil {
			return out, err
		}
		names = append(names, list...)
	}
	e.loadStats(ctx, names)
	for _, n := range names {
		s, _ := e.segmentStats.get(n.ID)
		out.Segments++
		out.StoredBytes += s.size
		out.RawBytes += s.raw
		out.Entries += s.rows
		if lo := time.Unix(0, n.MinT); out.Oldest.IsZero() || lo.Before(out.Oldest) {
			out.Oldest = lo
		}
		if hi := time.Unix(0, n.MaxT); hi.After(out.Newest) {
			out.Newest = hi
		}
	}
	return out, ctx.Err()
}

// loadStats reads the footers of the segments that are not in the cache yet.
func (e *Engine) loadStats(ctx context.Context, names []segment.Name) {
	missing := slices.DeleteFunc(slices.Clone(names), func(n segment.Name) bool { _, ok := e.segmentStats.get(n.ID); return ok })
	var g errgroup.Group
	g.SetLimit(statsReaders)
	for _, n := range missing {
		if ctx.Err() != nil {
			break
		}
		g.Go(func() error {
			if f, size, err := segment.ReadFooter(ctx, e.bucket, n, 0); err == nil {
				e.segmentStats.put(n.ID, segmentStats{size, f.RawBytes, f.Rows})
			}
			return nil
		})
	}
	_ = g.Wait() // nothing fails
}
