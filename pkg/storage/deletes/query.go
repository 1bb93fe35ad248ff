package deletes

import (
	"context"
	"slices"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/cambium-logs/cambium/pkg/storage"
	"github.com/cambium-logs/cambium/pkg/storage/chunk"
	"github.com/cambium-logs/cambium/pkg/storage/segment"
)

// Query is what a request selects. It is safe for concurrent use.
type Query interface {
	// Matchers select the streams.
	Matchers() []*labels.Matcher
	// Texts are what every selected line contains: one text of each set. None when that is not known.
	Texts() [][][]byte
	// Everything reports that all entries of the selected streams are selected.
	Everything() bool
	// Rows gives what decides about the entries of a selected stream. It is not asked when everything is selected.
	Rows(stream labels.Labels) Rows
}

// Rows decides about the entries of one stream. It belongs to one goroutine.
type Rows interface {
	Selects(ts int64, line []byte, metadata []labels.Label) bool
}

// Active is a request that hides what it selects.
type Active struct {
	Request
	query  Query
	labels []*labels.Matcher
	texts  [][][]byte
}

func newActive(r Request, q Query) *Active {
	return &Active{Request: r, query: q, labels: q.Matchers(), texts: q.Texts()}
}

// Overlaps reports whether the request's range and another, both inclusive, have an instant in common.
func (a *Active) Overlaps(mint, maxt int64) bool { return a.Start <= maxt && a.End >= mint }

// Matches reports whether entries of a stream may be selected.
func (a *Active) Matches(stream labels.Labels) bool {
	for _, m := range a.labels {
		if !m.Matches(stream.Get(m.Name)) {
			return false
		}
	}
	return true
}

// Verdict is what a request means for a chunk.
type Verdict uint8

// Verdicts.
const (
	Nothing Verdict = iota // none of its entries is selected
	Some                   // some may be
	All                    // all are
)

// Judge tells what the request means for a chunk of a stream that it matches. It may read skip filters.
func (a *Active) Judge(ctx context.Context, stream labels.Labels, c storage.Chunk) (Verdict, error) {
	m := c.Meta()
	if !a.Overlaps(m.MinT, m.MaxT) {
		return Nothing, nil
	}
	if d, ok := c.(interface{ Deletes() []string }); ok && slices.Contains(d.Deletes(), a.ID) {
		return Nothing, nil
	}
	if a.Start <= m.MinT && m.MaxT <= a.End && a.query.Everything() {
		return All, nil
	}
	f, ok := c.(storage.Filtered)
	if !ok {
		return Some, nil
	}
	for _, set := range a.texts {
		possible := false
		for _, text := range set {
			may, err := f.MayContain(ctx, text)
			if err != nil {
				return Nothing, err
			}
			if may {
				possible = true
				break
			}
		}
		if !possible {
			return Nothing, nil
		}
	}
	return Some, nil
}

// Touches reports whether a segment may hold entries that the request selects.
func (a *Active) Touches(ctx context.Context, r *segment.Reader) (bool, error) {
	f := r.Footer()
	if !a.Overlaps(f.MinT, f.MaxT) || slices.Contains(f.Deletes, a.ID) {
		return false, nil
	}
	streams, err := r.Select(ctx, a.Start, a.End, a.labels...)
	if err != nil {
		return false, err
	}
	for _, s := range streams {
		for _, c := range s.Chunks {
			if v, err := a.Judge(ctx, s.Labels, c); err != nil || v != Nothing {
				return err == nil, err
			}
		}
	}
	return false, nil
}

// Holds reports whether a snapshot holds an entry that the request selects. It reads what may hold one.
func (a *Active) Holds(ctx context.Context, s storage.Snapshot) (bool, error) {
	streams, err := s.Select(ctx, a.Start, a.End, a.labels...)
	if err != nil {
		return false, err
	}
	for _, st := range streams {
		for _, c := range st.Chunks {
			if held, err := a.heldIn(ctx, st.Labels, c); err != nil || held {
				return held, err
			}
		}
	}
	return false, nil
}

func (a *Active) heldIn(ctx context.Context, stream labels.Labels, c storage.Chunk) (bool, error) {
	v, err := a.Judge(ctx, stream, c)
	if err != nil || v != Some {
		return v == All, err
	}
	r, err := c.Open(ctx)
	if err != nil {
		return false, err
	}
	defer r.Close()
	rows := chunk.NewRows(r.Len())
	a.mark(r, stream, rows)
	return !rows.Empty(), chunk.Fault(r)
}

// Keep gives what decides about the rows of one stream's chunks when requests are carried out. It belongs to one goroutine.
func Keep(stream labels.Labels, requests []*Active) func(r chunk.Reader, row int) bool {
	deciders := make([]Rows, len(requests)) // nil = everything
	for i, a := range requests {
		if !a.query.Everything() {
			deciders[i] = a.query.Rows(stream)
		}
	}
	var b buffers
	return func(r chunk.Reader, row int) bool {
		ts := r.Timestamp(row)
		var line []byte
		var metadata []labels.Label
		read := false
		for i, a := range requests {
			switch {
			case ts < a.Start || ts > a.End:
				continue
			case deciders[i] == nil:
				return false
			}
			if !read {
				line, metadata = b.read(r, row)
				read = true
			}
			if deciders[i].Selects(ts, line, metadata) {
				return false
			}
		}
		return true
	}
}

// buffers take lines that have to be rebuilt. What a Reader gives may also be its own memory, which must not become a buffer.
type buffers struct {
	line     []byte
	metadata []labels.Label
}

func (b *buffers) read(r chunk.Reader, row int) ([]byte, []labels.Label) {
	line, metadata := r.Line(row, b.line[:0]), r.Metadata(row, b.metadata[:0])
	if len(line) > cap(b.line) {
		b.line = make([]byte, 0, 2*len(line))
	}
	if len(metadata) > cap(b.metadata) {
		b.metadata = make([]labels.Label, 0, 2*len(metadata))
	}
	return line, metadata
}
