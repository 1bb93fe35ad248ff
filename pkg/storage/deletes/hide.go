package deletes

import (
	"context"
	"maps"
	"slices"
	"sort"

	"github.com/prometheus/prometheus/model/labels"
	"golang.org/x/sync/errgroup"

	"github.com/cambium-logs/cambium/pkg/storage"
	"github.com/cambium-logs/cambium/pkg/storage/chunk"
)

// Hide shows a snapshot without what the requests select. Chunks that none of them touches are shown as they are.
func Hide(s storage.Snapshot, requests []*Active) storage.Snapshot {
	if len(requests) == 0 {
		return s
	}
	return &hiding{s, requests}
}

// hiding is a snapshot without what is to be deleted.
type hiding struct {
	storage.Snapshot
	requests []*Active
}

// judges is how many goroutines of one selection ask skip filters.
const judges = 8

// Select implements storage.Snapshot.
func (h *hiding) Select(ctx context.Context, mint, maxt int64, matchers ...*labels.Matcher) ([]storage.Stream, error) {
	streams, err := h.Snapshot.Select(ctx, mint, maxt, matchers...)
	requests := slices.DeleteFunc(slices.Clone(h.requests), func(a *Active) bool { return !a.Overlaps(mint, maxt) })
	if err != nil || len(requests) == 0 {
		return streams, err
	}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(judges)
	for part := range slices.Chunk(streams, max(1, (len(streams)+judges-1)/judges)) {
		g.Go(func() error {
			for i := range part {
				if err := hideIn(ctx, &part[i], requests); err != nil {
					return err
				}
			}
			return ctx.Err()
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	return slices.DeleteFunc(streams, func(s storage.Stream) bool { return len(s.Chunks) == 0 }), nil
}

// hideIn leaves out of a stream's chunks what the requests select.
func hideIn(ctx context.Context, s *storage.Stream, requests []*Active) error {
	var matching []*Active
	for _, a := range requests {
		if a.Matches(s.Labels) {
			matching = append(matching, a)
		}
	}
	if len(matching) == 0 {
		return nil
	}
	kept := make([]storage.Chunk, 0, len(s.Chunks))
	for _, c := range s.Chunks {
		shown, err := hideChunk(ctx, s.Labels, c, matching)
		if err != nil {
			return err
		}
		if shown != nil {
			kept = append(kept, shown)
		}
	}
	s.Chunks = kept
	return nil
}

// hideChunk gives a chunk without what the requests select; nil when nothing of it is left.
func hideChunk(ctx context.Context, stream labels.Labels, c storage.Chunk, requests []*Active) (storage.Chunk, error) {
	var touching []*Active
	for _, a := range requests {
		v, err := a.Judge(ctx, stream, c)
		switch {
		case err != nil:
			return nil, err
		case v == All:
			return nil, nil
		case v == Some:
			touching = append(touching, a)
		}
	}
	if len(touching) == 0 {
		return c, nil
	}
	return &hiddenChunk{c, stream, touching}, nil
}

// LabelNames implements storage.Snapshot.
func (h *hiding) LabelNames(ctx context.Context, mint, maxt int64, matchers ...*labels.Matcher) ([]string, error) {
	if !h.hidesStreams(mint, maxt) {
		return h.Snapshot.LabelNames(ctx, mint, maxt, matchers...)
	}
	streams, err := h.Select(ctx, mint, maxt, matchers...)
	set := map[string]struct{}{}
	for _, s := range streams {
		s.Labels.Range(func(l labels.Label) { set[l.Name] = struct{}{} })
	}
	return slices.Sorted(maps.Keys(set)), err
}

// LabelValues implements storage.Snapshot.
func (h *hiding) LabelValues(ctx context.Context, name string, mint, maxt int64, matchers ...*labels.Matcher) ([]string, error) {
	if !h.hidesStreams(mint, maxt) {
		return h.Snapshot.LabelValues(ctx, name, mint, maxt, matchers...)
	}
	streams, err := h.Select(ctx, mint, maxt, matchers...)
	set := map[string]struct{}{}
	for _, s := range streams {
		if v := s.Labels.Get(name); v != "" {
			set[v] = struct{}{}
		}
	}
	return slices.Sorted(maps.Keys(set)), err
}

// hidesStreams reports whether whole chunks, and so streams, may be hidden in a range.
func (h *hiding) hidesStreams(mint, maxt int64) bool {
	return slices.ContainsFunc(h.requests, func(a *Active) bool { return a.query.Everything() && a.Overlaps(mint, maxt) })
}

// hiddenChunk is a chunk of which some entries may be left out. It implements storage.Filtered.
type hiddenChunk struct {
	storage.Chunk
	stream   labels.Labels
	requests []*Active
}

// Meta implements storage.Chunk.
func (c *hiddenChunk) Meta() chunk.Meta {
	m := c.Chunk.Meta()
	m.Inexact = true
	return m
}

// MayContain implements storage.Filtered.
func (c *hiddenChunk) MayContain(ctx context.Context, text []byte) (bool, error) {
	if f, ok := c.Chunk.(storage.Filtered); ok {
		return f.MayContain(ctx, text)
	}
	return true, nil
}

// Verbatim implements storage.Filtered.
func (c *hiddenChunk) Verbatim(ctx context.Context) (bool, error) {
	if f, ok := c.Chunk.(storage.Filtered); ok {
		return f.Verbatim(ctx)
	}
	return false, nil
}

// Open implements storage.Chunk.
func (c *hiddenChunk) Open(ctx context.Context) (chunk.Reader, error) {
	r, err := c.Chunk.Open(ctx)
	if err != nil {
		return nil, err
	}
	hidden := chunk.NewRows(r.Len())
	for _, a := range c.requests {
		a.mark(r, c.stream, hidden)
	}
	if err := chunk.Fault(r); err != nil {
		r.Close()
		return nil, err
	}
	if hidden.Empty() {
		return r, nil
	}
	return newKeptRows(r, hidden), nil
}

// mark adds to hidden the rows that the request selects.
func (a *Active) mark(r chunk.Reader, stream labels.Labels, hidden chunk.Rows) {
	n := r.Len()
	from := sort.Search(n, func(i int) bool { return r.Timestamp(i) >= a.Start })
	to := sort.Search(n, func(i int) bool { return r.Timestamp(i) > a.End })
	if from >= to {
		return
	}
	if a.query.Everything() {
		for row := from; row < to; row++ {
			hidden.Add(row)
		}
		return
	}
	candidates := a.candidates(r)
	decide := a.query.Rows(stream)
	var b buffers
	for row := from; row < to; row++ {
		if hidden.Has(row) || candidates != nil && !candidates.Has(row) {
			continue
		}
		line, metadata := b.read(r, row)
		if decide.Selects(r.Timestamp(row), line, metadata) {
			hidden.Add(row)
		}
	}
}

// candidates gives the rows that may hold what every selected line contains; nil = any may.
func (a *Active) candidates(r chunk.Reader) chunk.Rows {
	s, ok := r.(chunk.Searcher)
	if !ok || len(a.texts) == 0 {
		return nil
	}
	var all chunk.Rows
	for _, set := range a.texts {
		rows := chunk.NewRows(r.Len())
		for _, text := range set {
			s.Search(text, rows)
		}
		if all == nil {
			all = rows
			continue
		}
		for i := range all {
			all[i] &= rows[i]
		}
	}
	return all
}
