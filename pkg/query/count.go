package query

import (
	"context"
	"slices"
	"sort"
	"strings"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/cambium-logs/cambium/pkg/storage"
	"github.com/cambium-logs/cambium/pkg/storage/chunk"
)

// countable reports whether a leaf counts entries or bytes without looking into them.
func (l *leaf) countable() bool {
	if len(l.agg.Range.Log.Stages) > 0 || l.agg.Range.Unwrap != nil {
		return false
	}
	switch l.agg.Op {
	case "count_over_time", "rate", "bytes_over_time", "bytes_rate", "absent_over_time":
		return true
	}
	return false
}

func (l *leaf) countsBytes() bool { return l.countable() && strings.HasPrefix(l.agg.Op, "bytes_") }

// streamGroup gives the series that all entries of a run belong to, when that follows from the stream's labels alone.
func (f *fold) streamGroup(r *run) (labels.Labels, bool) {
	g := f.leaf.group
	if f.presence {
		return labels.EmptyLabels(), true
	}
	if g == nil || g.Without {
		for _, c := range r.chunks {
			if m := c.Meta(); m.RawBytes != m.LineBytes {
				return labels.EmptyLabels(), false
			}
		}
		if g == nil {
			return r.labels, true
		}
		return labels.NewBuilder(r.labels).Del(g.Labels...).Labels(), true
	}
	for _, name := range g.Labels {
		if r.labels.Has(name) {
			continue
		}
		for _, c := range r.chunks {
			if m := c.Meta(); m.RawBytes != m.LineBytes {
				return labels.EmptyLabels(), false
			}
		}
	}
	return labels.NewBuilder(r.labels).Keep(g.Labels...).Labels(), true
}

// countedWhole adds a run of one chunk that lies in one cell, from what the chunk's description says; false when that does not suffice.
func (f *fold) countedWhole(r *run, p part, ls labels.Labels) bool {
	if len(r.chunks) != 1 || r.minT < f.mint || r.maxT > f.maxt {
		return false
	}
	m := r.chunks[0].Meta()
	c := f.grid.locate(r.minT)
	if m.Inexact || !c.holds(r.maxT) {
		return false
	}
	f.counters.chunksCounted.Add(1)
	if c.inside {
		n := float64(m.Rows)
		if f.ofBytes {
			n = float64(m.LineBytes)
		}
		if s := p.series(ls); s >= 0 {
			p.add(s, c.index, r.maxT, n)
		}
		f.counters.matched.Add(int64(m.Rows))
	}
	return true
}

// count adds a run's entries or bytes to one series: by timestamps and lengths where they can be had without lines and no entry can be there
// twice, else row by row.
func (f *fold) count(ctx context.Context, r *run, p part, ls labels.Labels) error {
	if done, err := f.countOutlines(ctx, r, p, ls); done || err != nil {
		return err
	}
	cur := newCursor(ctx, r, f.mint, f.maxt, false, nil, f.counters, f.memory)
	var c cell
	series := -1
	matched := int64(0)
	for cur.next() {
		if !c.holds(cur.ts) {
			c = f.grid.locate(cur.ts)
		}
		if !c.inside {
			continue
		}
		if series < 0 {
			if series = p.series(ls); series < 0 {
				break
			}
		}
		n := 1.0
		if f.ofBytes {
			n = float64(len(cur.line()))
		}
		p.add(series, c.index, cur.ts, n)
		matched++
	}
	f.counters.matched.Add(matched)
	if err := cur.close(); err != nil {
		return err
	}
	return p.failure()
}

// outlineRowBytes is what an outline holds per row.
const outlineRowBytes = 8 + 4

// countOutlines is count by outlines. It does nothing and gives false when chunks share a timestamp, so that they may hold equal entries, or
// when an outline is not to be had.
func (f *fold) countOutlines(ctx context.Context, r *run, p part, ls labels.Labels) (done bool, err error) {
	outlines := make([]*chunk.Outline, 0, len(r.chunks))
	var held int64
	defer func() { _ = f.memory.take(-held) }()
	for _, ch := range r.chunks {
		m := ch.Meta()
		if m.MinT > f.maxt || m.MaxT < f.mint {
			continue
		}
		if f.ofBytes && m.Encoding == chunk.EncodingColumnar {
			return false, nil
		}
		held += outlineRowBytes * int64(m.Rows)
		if err := f.memory.take(outlineRowBytes * int64(m.Rows)); err != nil {
			return false, err
		}
		o, err := f.outline(ctx, ch, m)
		if o == nil || err != nil {
			return false, err
		}
		outlines = append(outlines, o)
	}
	if len(outlines) > 1 && shareTimes(outlines) {
		return false, nil
	}
	for _, o := range outlines {
		f.countOutline(o, p, ls)
	}
	return true, p.failure()
}

// outline gives a chunk's outline, or nil.
func (f *fold) outline(ctx context.Context, ch storage.Chunk, m chunk.Meta) (*chunk.Outline, error) {
	if named, ok := ch.(storage.Outlined); ok {
		o, err := named.Outline(ctx, f.ofBytes)
		if err == nil && f.ofBytes && o.Ends == nil {
			return nil, nil
		}
		if err == nil {
			f.counters.chunksTimed.Add(1)
			f.counters.storedBytes.Add(o.Read)
		}
		return o, err
	}
	if f.ofBytes {
		return nil, nil
	}
	reader, err := ch.Open(ctx)
	if err != nil {
		return nil, err
	}
	defer reader.Close()
	f.counters.opened(m)
	o := &chunk.Outline{Times: make([]int64, reader.Len())}
	for i := range o.Times {
		o.Times[i] = reader.Timestamp(i)
	}
	if err := chunk.Fault(reader); err != nil {
		return nil, err
	}
	if m.Encoding == chunk.EncodingHead {
		f.counters.headLines.Add(int64(len(o.Times)))
	}
	return o, nil
}

// shareTimes reports whether a timestamp is in more than one outline.
func shareTimes(outlines []*chunk.Outline) bool {
	var all []int64
	for _, o := range outlines {
		all = append(all, slices.Compact(slices.Clone(o.Times))...)
	}
	slices.Sort(all)
	return len(slices.Compact(all)) != len(all)
}

func (f *fold) countOutline(o *chunk.Outline, p part, ls labels.Labels) {
	times := o.Times
	n := len(times)
	row := sort.Search(n, func(i int) bool { return times[i] >= f.mint })
	for row < n && times[row] <= f.maxt {
		c := f.grid.locate(times[row])
		end := min(c.hi, f.maxt)
		next := row + sort.Search(n-row, func(i int) bool { return times[row+i] > end })
		if c.inside {
			count := float64(next - row)
			if f.ofBytes {
				count = float64(o.Ends[next-1])
				if row > 0 {
					count -= float64(o.Ends[row-1])
				}
			}
			if s := p.series(ls); s >= 0 {
				p.add(s, c.index, times[row], count)
			}
			f.counters.matched.Add(int64(next - row))
		}
		f.counters.lines.Add(int64(next - row))
		row = next
	}
}
