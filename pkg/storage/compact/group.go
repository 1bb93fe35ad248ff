package compact

import (
	"cmp"
	"context"
	"math"
	"slices"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/cambium-logs/cambium/pkg/storage/chunk"
)

// grouper decodes chunks of a stream into one list of entries. Its buffers are used again for every group.
type grouper struct {
	entries []chunk.Entry
	lines   []byte
	encoded []byte // of the chunk that is being written
}

// load gives the entries of all items, sorted, each once, without those that are to be erased, and the order of the chunks to be made of them.
// They are valid until the next call.
func (g *grouper) load(ctx context.Context, items []item, n *counts) ([]chunk.Entry, uint64, error) {
	// Equal timestamps stay in the order of arrival.
	items = slices.Clone(items)
	slices.SortStableFunc(items, func(a, b item) int { return cmp.Compare(a.Meta().Order, b.Meta().Order) })
	var rows int
	var lineBytes int64
	order := uint64(math.MaxUint64)
	for _, it := range items {
		m := it.Meta()
		rows, lineBytes, order = rows+m.Rows, lineBytes+m.LineBytes, min(order, m.Order)
	}
	g.entries = slices.Grow(g.entries[:0], rows)
	// Lines of earlier chunks must not move when later ones are added.
	g.lines = slices.Grow(g.lines[:0], int(lineBytes))
	for _, it := range items {
		r, err := it.Open(ctx)
		if err != nil {
			return nil, 0, &sourceError{it.source.name, err}
		}
		n.erased += int64(g.add(r, it.keep))
		err = chunk.Fault(r)
		r.Close()
		if err != nil {
			return nil, 0, &sourceError{it.source.name, err}
		}
	}
	before := len(g.entries)
	g.entries = chunk.Normalize(g.entries)
	n.duplicate += int64(before - len(g.entries))
	return g.entries, order, nil
}

// add appends the rows of a chunk and gives the number of those that were erased.
func (g *grouper) add(r chunk.Reader, keep KeepRow) (erased int) {
	var buf []byte
	var metadata []labels.Label
	for row := range r.Len() {
		if keep != nil && !keep(r, row) {
			erased++
			continue
		}
		buf = r.Line(row, buf)
		from := len(g.lines)
		g.lines = append(g.lines, buf...)
		e := chunk.Entry{Timestamp: r.Timestamp(row), Line: g.lines[from:len(g.lines):len(g.lines)]}
		if metadata = r.Metadata(row, metadata); len(metadata) > 0 {
			e.Metadata = slices.Clone(metadata)
		}
		g.entries = append(g.entries, e)
	}
	return erased
}

// cut gives how many of the entries, from the first on, make the next chunk: all chunks of a group are about equally large, and none is
// much larger than targetChunk.
func cut(entries []chunk.Entry) int {
	var raw int64
	for i := range entries {
		raw += size(&entries[i])
	}
	chunks := max(1, (raw+targetChunk-1)/targetChunk)
	each := (raw + chunks - 1) / chunks
	var sum int64
	for i := range entries {
		sum += size(&entries[i])
		if (sum >= each && chunks > 1) || i+1 == maxChunkRows {
			return i + 1
		}
	}
	return len(entries)
}

// maxChunkRows bounds chunks of very short lines.
const maxChunkRows = 1 << 18

func size(e *chunk.Entry) int64 {
	n := len(e.Line)
	for _, l := range e.Metadata {
		n += len(l.Name) + len(l.Value)
	}
	return int64(n)
}
