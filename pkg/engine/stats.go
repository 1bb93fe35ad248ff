package engine

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/oklog/ulid/v2"
	"golang.org/x/sync/errgroup"

	"github.com/cambium-logs/cambium/pkg/internal/idle"
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

// statsCache remembers segments' statistics, so that each segment is asked for them once at most, as a rule.
type statsCache struct {
	mu      sync.Mutex                            // guards what follows
	found   map[string]map[ulid.ULID]segmentStats // by tenant: of the segments that were there when Stats was asked last
	written map[ulid.ULID]segmentStats            // of the segments that this process wrote last
	latest  *idle.Set[ulid.ULID]                  // of written
}

// maxWritten bounds what is remembered of segments that nobody may ever ask for.
const maxWritten = 4096

func (c *statsCache) init() {
	c.found, c.written, c.latest = map[string]map[ulid.ULID]segmentStats{}, map[ulid.ULID]segmentStats{}, idle.NewSet[ulid.ULID](maxWritten)
}

// wrote remembers a segment that this process wrote.
func (c *statsCache) wrote(id ulid.ULID, s segmentStats) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.written[id] = s
	if first, over := c.latest.Put(id); over {
		delete(c.written, first)
	}
}

// known gives what is remembered of a tenant's segments.
func (c *statsCache) known(tenant string, names []segment.Name) map[ulid.ULID]segmentStats {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := make(map[ulid.ULID]segmentStats, len(names))
	for _, n := range names {
		s, ok := c.found[tenant][n.ID]
		if !ok {
			s, ok = c.written[n.ID]
		}
		if ok {
			out[n.ID] = s
		}
	}
	return out
}

// remember replaces what is remembered of a tenant's segments.
func (c *statsCache) remember(tenant string, segments map[ulid.ULID]segmentStats) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.found, tenant)
	if len(segments) > 0 {
		c.found[tenant] = segments
	}
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
	segments := e.loadStats(ctx, tenant, names)
	for _, n := range names {
		s := segments[n.ID]
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

// loadStats gives the statistics of a tenant's segments, and reads the footers of those that are not known yet.
func (e *Engine) loadStats(ctx context.Context, tenant string, names []segment.Name) map[ulid.ULID]segmentStats {
	segments := e.segmentStats.known(tenant, names)
	var mu sync.Mutex // guards segments
	var g errgroup.Group
	g.SetLimit(statsReaders)
	missing := slices.DeleteFunc(slices.Clone(names), func(n segment.Name) bool { _, ok := segments[n.ID]; return ok })
	for _, n := range missing {
		if ctx.Err() != nil {
			break
		}
		g.Go(func() error {
			if f, size, err := segment.ReadFooter(ctx, e.bucket, n, 0); err == nil {
				mu.Lock()
				defer mu.Unlock()
				segments[n.ID] = segmentStats{size, f.RawBytes, f.Rows}
			}
			return nil
		})
	}
	_ = g.Wait() // nothing fails
	e.segmentStats.remember(tenant, segments)
	return segments
}
