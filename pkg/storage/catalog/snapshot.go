package catalog

import (
	"context"
	"fmt"
	"sync"

	"github.com/prometheus/prometheus/model/labels"
	"golang.org/x/sync/errgroup"

	"github.com/cambium-logs/cambium/pkg/storage"
	"github.com/cambium-logs/cambium/pkg/storage/segment"
)

// Snapshot pins the segments of one tenant that overlap a time range. It implements storage.Snapshot.
type Snapshot struct {
	catalog    *Catalog
	tenant     string
	mint, maxt int64

	mu       sync.Mutex
	segments []segment.Name
}

// Snapshot gives the segments of a tenant between mint and maxt (nanoseconds, both inclusive) as they are now, or were less than the
// allowed staleness ago. Selections may not reach outside of the range.
func (c *Catalog) Snapshot(ctx context.Context, tenant string, mint, maxt int64) (*Snapshot, error) {
	if err := segment.CheckTenant(tenant); err != nil {
		return nil, err
	}
	names, err := c.segmentsBetween(ctx, tenant, mint, maxt)
	if err != nil {
		return nil, err
	}
	return &Snapshot{catalog: c, tenant: tenant, mint: mint, maxt: maxt, segments: names}, nil
}

// Segments are the pinned segments, ascending by id. The slice must not be changed.
func (s *Snapshot) Segments() []segment.Name {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.segments
}

// Close releases the snapshot.
func (s *Snapshot) Close() {}

// Select implements storage.Snapshot.
func (s *Snapshot) Select(ctx context.Context, mint, maxt int64, matchers ...*labels.Matcher) ([]storage.Stream, error) {
	lists, err := eachReader(ctx, s, mint, maxt, func(ctx context.Context, r *segment.Reader) ([]storage.Stream, error) {
		return r.Select(ctx, mint, maxt, matchers...)
	})
	return storage.MergeStreams(lists...), err
}

// LabelNames implements storage.Snapshot.
func (s *Snapshot) LabelNames(ctx context.Context, mint, maxt int64, matchers ...*labels.Matcher) ([]string, error) {
	lists, err := eachReader(ctx, s, mint, maxt, func(ctx context.Context, r *segment.Reader) ([]string, error) {
		return r.LabelNames(ctx, mint, maxt, matchers...)
	})
	return storage.MergeStrings(lists...), err
}

// LabelValues implements storage.Snapshot.
func (s *Snapshot) LabelValues(ctx context.Context, name string, mint, maxt int64, matchers ...*labels.Matcher) ([]string, error) {
	lists, err := eachReader(ctx, s, mint, maxt, func(ctx context.Context, r *segment.Reader) ([]string, error) {
		return r.LabelValues(ctx, name, mint, maxt, matchers...)
	})
	return storage.MergeStrings(lists...), err
}

// maxReplacements bounds how often a selection starts again because segments were replaced by compacted ones and deleted.
const maxReplacements = 3

// eachReader calls f for every pinned segment that overlaps the range and gives the results by ascending segment id.
// When a segment is not there any more the snapshot takes the segments that replaced it, and all of it is done again.
func eachReader[T any](ctx context.Context, s *Snapshot, mint, maxt int64, f func(context.Context, *segment.Reader) (T, error)) ([]T, error) {
	for try := 0; ; try++ {
		out, err := eachPinned(ctx, s, mint, maxt, f)
		if err == nil || !s.catalog.notFound(err) {
			return out, err
		}
		if try == maxReplacements {
			return nil, fmt.Errorf("segments are deleted faster than they can be read: %w", err)
		}
		if err := s.repin(ctx); err != nil {
			return nil, err
		}
	}
}

func eachPinned[T any](ctx context.Context, s *Snapshot, mint, maxt int64, f func(context.Context, *segment.Reader) (T, error)) ([]T, error) {
	var names []segment.Name
	for _, n := range s.Segments() {
		if n.Overlaps(mint, maxt) {
			names = append(names, n)
		}
	}
	out := make([]T, len(names))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(s.catalog.opts.Concurrency)
	for i, n := range names {
		g.Go(func() error {
			r, err := s.catalog.Reader(ctx, n)
			if s.catalog.notFound(err) {
				s.catalog.Forget(n)
			}
			if err != nil {
				return err
			}
			out[i], err = f(ctx, r)
			return err
		})
	}
	return out, g.Wait()
}

// repin lists the days of the pinned segments again and pins what is there now.
func (s *Snapshot) repin(ctx context.Context) error {
	days := map[segment.Day]struct{}{}
	for _, n := range s.Segments() {
		days[n.Day] = struct{}{}
	}
	for d := range days {
		if err := s.catalog.Refresh(ctx, s.tenant, d); err != nil {
			return err
		}
	}
	names, err := s.catalog.segmentsBetween(ctx, s.tenant, s.mint, s.maxt)
	if err != nil {
		return err
	}
	s.mu.Lock()
	s.segments = names
	s.mu.Unlock()
	return nil
}
