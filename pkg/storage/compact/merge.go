package compact

import (
	"cmp"
	"container/heap"
	"context"
	"fmt"
	"iter"
	"slices"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/cambium-logs/cambium/pkg/storage/filter"
	"github.com/cambium-logs/cambium/pkg/storage/segment"
)

// sourceError says which source failed.
type sourceError struct {
	name segment.Name
	err  error
}

func (e *sourceError) Error() string { return fmt.Sprintf("segment %s: %v", e.name, e.err) }
func (e *sourceError) Unwrap() error { return e.err }

// merge writes the streams of several segments into one.
type merge struct {
	c       *Compactor
	plan    Plan
	writer  *segment.Writer
	sources []*source
	group   grouper
	encoder segment.Encoder
	counts  counts
}

// counts are what a merge did.
type counts struct {
	copied, merged    int   // chunks
	duplicate, erased int64 // rows
	read              int64 // bytes
}

// source is a segment that is being merged: a cursor over its streams.
type source struct {
	number  int
	name    segment.Name
	filters []filter.Packed // by ordinal; nil = none
	stream  segment.Stream
	next    func() (segment.Stream, error, bool)
	stop    func()
}

// advance moves to the next stream; it is false at the end.
func (s *source) advance() (bool, error) {
	st, err, ok := s.next()
	if err != nil {
		return false, &sourceError{s.name, err}
	}
	s.stream = st
	return ok, nil
}

// item is a chunk of a stream in one of the sources.
type item struct {
	segment.ChunkRef
	source *source
	decide Decision
	keep   KeepRow
}

func (c *Compactor) openSources(ctx context.Context, names []segment.Name) ([]*source, error) {
	var out []*source
	for i, n := range names {
		r, err := c.opts.Catalog.Reader(ctx, n)
		if err != nil {
			return out, &sourceError{n, err}
		}
		s := &source{number: i, name: n}
		if s.filters, err = r.Filters(ctx); err != nil {
			return out, &sourceError{n, err}
		}
		s.next, s.stop = iter.Pull2(r.All(ctx))
		out = append(out, s)
	}
	return out, nil
}

// run writes all streams in the order of labels.
func (m *merge) run(ctx context.Context) error {
	h := sourceHeap{}
	for _, s := range m.sources {
		ok, err := s.advance()
		if err != nil {
			return err
		}
		if ok {
			h = append(h, s)
		}
	}
	heap.Init(&h)
	var items []item
	for len(h) > 0 {
		ls := h[0].stream.Labels
		items = items[:0]
		for len(h) > 0 && labels.Equal(h[0].stream.Labels, ls) {
			s := h[0]
			for _, ref := range s.stream.Chunks {
				items = append(items, item{ChunkRef: ref, source: s})
			}
			ok, err := s.advance()
			if err != nil {
				return err
			}
			if ok {
				heap.Fix(&h, 0)
			} else {
				heap.Pop(&h)
			}
		}
		if err := m.stream(ctx, ls, items); err != nil {
			return err
		}
	}
	return nil
}

type sourceHeap []*source

func (h sourceHeap) Len() int { return len(h) }
func (h sourceHeap) Less(i, j int) bool {
	if c := labels.Compare(h[i].stream.Labels, h[j].stream.Labels); c != 0 {
		return c < 0
	}
	return h[i].number < h[j].number
}
func (h sourceHeap) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *sourceHeap) Push(x any)   { *h = append(*h, x.(*source)) }
func (h *sourceHeap) Pop() any {
	old := *h
	x := old[len(old)-1]
	*h = old[:len(old)-1]
	return x
}

const (
	// smallChunk is the raw size under which a chunk is merged with its neighbours; targetChunk is what they are merged to.
	smallChunk  = 2 << 20
	targetChunk = 4 << 20
	// maxGroup bounds what is decoded at a time, in bytes of memory; rowMemory is what a row takes besides its bytes.
	maxGroup  = 40 << 20
	rowMemory = 64
)

// stream writes one stream: it cuts its chunks into groups, each of which is written before the next is read.
func (m *merge) stream(ctx context.Context, ls labels.Labels, items []item) error {
	kept := items[:0]
	for _, it := range items {
		var err error
		if it.decide, it.keep, err = m.plan.Chunk(ctx, ls, it.ChunkRef); err != nil {
			return &sourceError{it.source.name, err}
		}
		if it.decide == EraseAll {
			m.counts.erased += int64(it.Meta().Rows)
			continue
		}
		kept = append(kept, it)
	}
	slices.SortStableFunc(kept, func(a, b item) int {
		am, bm := a.Meta(), b.Meta()
		return cmp.Or(cmp.Compare(am.MinT, bm.MinT), cmp.Compare(am.Order, bm.Order))
	})
	var g group
	for _, it := range kept {
		if len(g.items) > 0 && !g.joins(it) {
			if err := m.write(ctx, ls, g.items); err != nil {
				return err
			}
			g = group{items: g.items[:0]}
		}
		g.add(it)
	}
	if len(g.items) == 0 {
		return nil
	}
	return m.write(ctx, ls, g.items)
}

// group is a run of a stream's chunks, by MinT, that are written together.
type group struct {
	items      []item
	raw        int64 // bytes
	memory     int64 // that decoding takes
	minT, maxT int64
}

func memoryOf(it item) int64 { return it.Meta().RawBytes + rowMemory*int64(it.Meta().Rows) }

func (g *group) add(it item) {
	m := it.Meta()
	if len(g.items) == 0 {
		g.minT, g.maxT = m.MinT, m.MaxT
	}
	g.items = append(g.items, it)
	g.raw += m.RawBytes
	g.memory += memoryOf(it)
	g.maxT = max(g.maxT, m.MaxT)
}

// joins reports whether the next chunk is to be merged with the group: small ones until there is enough for one chunk, and those that
// lie in the same time, because they may hold equal entries. Large chunks that touch at their ends only are left as they are.
func (g *group) joins(it item) bool {
	m := it.Meta()
	if g.memory+memoryOf(it) > maxGroup {
		return false
	}
	large := m.RawBytes >= smallChunk
	if m.MinT <= g.maxT {
		if !large && !g.stays() {
			return true
		}
		overlap := uint64(min(g.maxT, m.MaxT)) - uint64(m.MinT)
		return overlap >= min(uint64(g.maxT)-uint64(g.minT), uint64(m.MaxT)-uint64(m.MinT))/2
	}
	return !large && !g.stays() && g.raw < targetChunk
}

// stays reports that the group is one chunk which is better copied than merged with a neighbour.
func (g *group) stays() bool {
	return len(g.items) == 1 && g.items[0].decide == KeepAll && g.items[0].Meta().RawBytes >= smallChunk
}

// write writes a group: one chunk that stays as it is, or what several give together.
func (m *merge) write(ctx context.Context, ls labels.Labels, group []item) error {
	for _, it := range group {
		if err := m.c.throttle(ctx, it.Meta().StoredBytes); err != nil {
			return err
		}
		m.counts.read += it.Meta().StoredBytes
	}
	if len(group) == 1 && group[0].decide == KeepAll {
		return m.copy(ctx, ls, group[0])
	}
	entries, order, err := m.group.load(ctx, group, &m.counts)
	if err != nil {
		return err
	}
	m.counts.merged += len(group)
	for len(entries) > 0 {
		n := cut(entries)
		encoded, err := m.encoder.Encode(m.group.encoded, entries[:n], order)
		if err != nil {
			return err
		}
		m.group.encoded = encoded.Data
		if err := m.append(ctx, ls, encoded); err != nil {
			return err
		}
		entries = entries[n:]
	}
	return nil
}

// copy writes a chunk as it is, with its filter, which is made when its segment had none.
func (m *merge) copy(ctx context.Context, ls labels.Labels, it item) error {
	data, err := it.Read(ctx)
	if err != nil {
		return &sourceError{it.source.name, err}
	}
	out := segment.EncodedChunk{Meta: it.Meta(), Data: data}
	if it.source.filters != nil {
		out.Packed = &it.source.filters[it.Ordinal()]
	} else {
		entries, _, err := m.group.load(ctx, []item{it}, &counts{})
		if err != nil {
			return err
		}
		f := m.encoder.Filter(entries)
		out.Filter = &f
	}
	m.counts.copied++
	return m.append(ctx, ls, out)
}

func (m *merge) append(ctx context.Context, ls labels.Labels, c segment.EncodedChunk) error {
	if err := m.c.throttle(ctx, int64(len(c.Data))); err != nil {
		return err
	}
	return m.writer.Append(ls, c)
}
