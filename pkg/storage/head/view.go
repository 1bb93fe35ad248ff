package head

import (
	"bytes"
	"cmp"
	"context"
	"slices"

	"github.com/cespare/xxhash/v2"
	"github.com/prometheus/prometheus/model/labels"

	"github.com/cambium-logs/cambium/pkg/storage/chunk"
)

// view is the first n entries of a buffer as a chunk: sorted, each entry once. It implements storage.Chunk and chunk.Reader and never changes.
type view struct {
	entries []entry
	blocks  [][]byte
	rows    []uint32 // positions in entries; nil = all of them, as they are
	meta    chunk.Meta
}

// makeView shows the first n entries, at least one. The tenant's lock is held, for reading at least, while the buffer is open.
func (b *buffer) makeView(n int) *view {
	if c := b.cached.Load(); c != nil && len(c.entries) == n {
		return c
	}
	v := &view{entries: b.entries[:n:n], blocks: slices.Clone(b.blocks)}
	whole := n == len(b.entries)
	v.meta = chunk.Meta{MinT: b.minT, MaxT: b.maxT, Rows: n, RawBytes: b.rawBytes, LineBytes: b.lineBytes, Encoding: chunk.EncodingHead, Order: b.order}
	if b.unsorted || b.untested {
		v.rows = v.sortedRows()
		whole = whole && len(v.rows) == n
		v.meta.Rows = len(v.rows)
	}
	if !whole {
		v.measure()
	}
	if v.rows != nil {
		b.cached.Store(v)
	}
	return v
}

func (v *view) measure() {
	m := &v.meta
	m.RawBytes, m.LineBytes = 0, 0
	m.MinT, m.MaxT = v.Timestamp(0), v.Timestamp(m.Rows-1)
	for row := range m.Rows {
		e := v.at(row)
		m.LineBytes += int64(e.lineLen)
		m.RawBytes += int64(e.lineLen) + int64(e.metaBytes)
	}
}

// sortedRows gives the positions of the distinct entries by time, equal times by arrival.
func (v *view) sortedRows() []uint32 {
	rows := make([]uint32, len(v.entries))
	for i := range rows {
		rows[i] = uint32(i)
	}
	slices.SortFunc(rows, func(a, b uint32) int {
		if c := cmp.Compare(v.entries[a].ts, v.entries[b].ts); c != 0 {
			return c
		}
		return cmp.Compare(a, b)
	})
	out := rows[:0]
	for start := 0; start < len(rows); {
		end := start + 1
		for end < len(rows) && v.entries[rows[end]].ts == v.entries[rows[start]].ts {
			end++
		}
		out = v.distinct(out, rows[start:end])
		start = end
	}
	return out
}

// distinct appends those of run, which share a timestamp, that do not equal one before them. run may lie in out's array, behind out.
func (v *view) distinct(out, run []uint32) []uint32 {
	first := len(out)
	if len(run) <= tieRun {
		for _, r := range run {
			if !slices.ContainsFunc(out[first:], func(o uint32) bool { return v.equal(o, r) }) {
				out = append(out, r)
			}
		}
		return out
	}
	seen := make(map[uint64][]uint32, len(run))
	for _, r := range run {
		h := xxhash.Sum64(v.bytesOf(&v.entries[r]))
		if slices.ContainsFunc(seen[h], func(o uint32) bool { return v.equal(o, r) }) {
			continue
		}
		seen[h] = append(seen[h], r)
		out = append(out, r)
	}
	return out
}

// bytesOf gives line and encoded metadata together.
func (v *view) bytesOf(e *entry) []byte {
	end := e.offset + e.lineLen + e.metaLen
	return v.blocks[e.block][e.offset:end:end]
}

func (v *view) equal(a, b uint32) bool {
	x, y := &v.entries[a], &v.entries[b]
	return x.lineLen == y.lineLen && bytes.Equal(v.bytesOf(x), v.bytesOf(y))
}

func (v *view) at(row int) *entry {
	if v.rows != nil {
		row = int(v.rows[row])
	}
	return &v.entries[row]
}

// Meta implements storage.Chunk.
func (v *view) Meta() chunk.Meta { return v.meta }

// Open implements storage.Chunk.
func (v *view) Open(context.Context) (chunk.Reader, error) { return v, nil }

// Len implements chunk.Reader.
func (v *view) Len() int { return v.meta.Rows }

// Timestamp implements chunk.Reader.
func (v *view) Timestamp(row int) int64 { return v.at(row).ts }

// Line implements chunk.Reader.
func (v *view) Line(row int, _ []byte) []byte {
	e := v.at(row)
	end := e.offset + e.lineLen
	return v.blocks[e.block][e.offset:end:end]
}

// Metadata implements chunk.Reader.
func (v *view) Metadata(row int, buf []labels.Label) []labels.Label {
	e := v.at(row)
	buf = buf[:0]
	if e.metaLen == 0 {
		return buf
	}
	return readMetadata(v.bytesOf(e)[e.lineLen:], buf)
}

// Close implements chunk.Reader.
func (v *view) Close() {}

// appendRows appends the rows from lo to hi as entries that share the buffer's bytes.
func (v *view) appendRows(dst []chunk.Entry, lo, hi int) []chunk.Entry {
	for row := lo; row < hi; row++ {
		e := chunk.Entry{Timestamp: v.Timestamp(row), Line: v.Line(row, nil)}
		if v.at(row).metaLen > 0 {
			e.Metadata = v.Metadata(row, nil)
		}
		dst = append(dst, e)
	}
	return dst
}
