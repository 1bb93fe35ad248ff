package query

import (
	"bytes"
	"context"
	"slices"
	"sort"

	"github.com/cespare/xxhash/v2"
	"github.com/prometheus/prometheus/model/labels"

	"github.com/cambium-logs/cambium/pkg/storage"
	"github.com/cambium-logs/cambium/pkg/storage/chunk"
)

// A walk looks at its context whenever it has read bytesPerCheck, where a row counts for rowBytes besides its line.
const (
	rowBytes      = 256
	bytesPerCheck = 256 << 10
)

// cursor walks over the rows of one run between two times, forward or backward, each distinct entry once. A chunk is opened when the walk
// reaches its time range and closed when it has left it, so that only overlapping chunks are open together.
//
//	for c.next() { use c.ts, c.line(), c.metadata() }
//	err := c.close()
type cursor struct {
	ctx        context.Context
	mint, maxt int64 // inclusive
	backward   bool
	counters   *counters
	memory     *memory // nil = not accounted
	stream     labels.Labels
	texts      *texts // what wanted entries contain; chunks and rows that cannot are passed over where they can tell

	// choose gives the rows to read of a chunk that is opened, from one on and before another, or nil for all. It may be nil.
	choose func(s *source, from, end int) chunk.Rows

	waiting []storage.Chunk // not opened yet, nearest to the walk last
	open    []*source       // the one to read next first
	pending []rowRef        // rest of a group of rows with one timestamp that lie in several chunks
	done    []*source       // exhausted, but the current row or a pending one may still lie in them

	src *source
	row int
	ts  int64
	err error

	sinceCheck int // bytes and rows read since the context was looked at

	lineBuf []byte
	metaBuf []labels.Label
}

// source is an opened chunk with the row to be read next.
type source struct {
	chunk  storage.Chunk
	reader chunk.Reader
	shaper chunk.Shaper // the reader, when it knows skeletons; else nil
	order  uint64
	rows   chunk.Rows // the rows to read; nil = all
	row    int        // next row
	end    int        // first row that is not read any more, in the direction of the walk
	ts     int64
	read   int // rows left behind
	closed bool
}

type rowRef struct {
	src *source
	row int
}

func newCursor(ctx context.Context, r *run, mint, maxt int64, backward bool, t *texts, c *counters, m *memory) *cursor {
	cur := &cursor{ctx: ctx, mint: mint, maxt: maxt, backward: backward, stream: r.labels, texts: t, counters: c, memory: m, sinceCheck: bytesPerCheck}
	for _, ch := range r.chunks {
		if m := ch.Meta(); m.MinT <= maxt && m.MaxT >= mint {
			cur.waiting = append(cur.waiting, ch)
		}
	}
	slices.SortStableFunc(cur.waiting, func(a, b storage.Chunk) int {
		x, y := a.Meta(), b.Meta()
		if backward {
			return compare(x.MaxT, y.MaxT)
		}
		return compare(y.MinT, x.MinT)
	})
	return cur
}

func compare(a, b int64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// next moves to the next row and reports whether there is one. After false, close gives the error, if any.
func (c *cursor) next() bool {
	if c.err != nil {
		return false
	}
	if c.sinceCheck += rowBytes; c.sinceCheck >= bytesPerCheck {
		c.sinceCheck = 0
		if c.err = c.ctx.Err(); c.err != nil {
			return false
		}
	}
	if len(c.pending) > 0 {
		c.take(c.pending[0], c.ts)
		c.pending = c.pending[1:]
		return true
	}
	if c.release(); c.err != nil {
		return false
	}
	if !c.openDue() {
		return false
	}
	if len(c.open) == 0 {
		return false
	}
	first := c.open[0]
	if len(c.open) > 1 && c.open[1].ts == first.ts {
		ts := first.ts
		c.group(ts)
		if c.err != nil {
			return false
		}
		c.take(c.pending[0], ts)
		c.pending = c.pending[1:]
		return true
	}
	c.take(rowRef{first, first.row}, first.ts)
	c.advance(first)
	c.settle()
	return true
}

func (c *cursor) take(r rowRef, ts int64) { c.src, c.row, c.ts = r.src, r.row, ts }

// openDue opens the waiting chunks that may hold the next row.
func (c *cursor) openDue() bool {
	for len(c.waiting) > 0 {
		ch := c.waiting[len(c.waiting)-1]
		m := ch.Meta()
		if len(c.open) > 0 {
			if c.backward && m.MaxT < c.open[0].ts || !c.backward && m.MinT > c.open[0].ts {
				return true
			}
		}
		c.waiting = c.waiting[:len(c.waiting)-1]
		if c.err = c.openChunk(ch, m); c.err != nil {
			return false
		}
	}
	return true
}

func (c *cursor) openChunk(ch storage.Chunk, m chunk.Meta) error {
	if out, err := c.texts.rulesOut(c.ctx, c.stream, ch); out || err != nil {
		if out {
			c.counters.chunksSkipped.Add(1)
			c.counters.chunksPruned.Add(1)
		}
		return err
	}
	reader, err := ch.Open(c.ctx)
	if err != nil {
		return err
	}
	c.counters.opened(m)
	if err := c.hold(m.RawBytes); err != nil {
		reader.Close()
		return err
	}
	n := reader.Len()
	rows := candidateRows(reader, n, c.texts)
	lo := 0
	if m.MinT < c.mint {
		lo = sort.Search(n, func(i int) bool { return reader.Timestamp(i) >= c.mint })
	}
	hi := n
	if m.MaxT > c.maxt {
		hi = sort.Search(n, func(i int) bool { return reader.Timestamp(i) > c.maxt })
	}
	s := &source{chunk: ch, reader: reader, order: m.Order, row: lo - 1, end: hi, rows: rows}
	s.shaper, _ = reader.(chunk.Shaper)
	if rows == nil && c.choose != nil {
		s.rows = c.choose(s, lo, hi)
	}
	if c.backward {
		s.row, s.end = hi, lo-1
	}
	if lo < hi {
		c.advance(s)
	}
	if lo >= hi || s.row == s.end {
		c.closeSource(s)
		return c.err
	}
	c.insert(s)
	return nil
}

// before is the order in which sources are read: by time, equal times by arrival; both reversed backward.
func (c *cursor) before(a, b *source) bool {
	if a.ts != b.ts {
		return (a.ts < b.ts) != c.backward
	}
	return (a.order < b.order) != c.backward
}

func (c *cursor) insert(s *source) {
	c.open = append(c.open, s)
	for i := len(c.open) - 1; i > 0 && c.before(c.open[i], c.open[i-1]); i-- {
		c.open[i], c.open[i-1] = c.open[i-1], c.open[i]
	}
}

// advance moves a source to its next row; row == end then means that it is exhausted.
func (c *cursor) advance(s *source) {
	before := s.row
	switch {
	case c.backward && s.rows == nil:
		s.row--
	case c.backward:
		s.row = max(previousRow(s.rows, s.row), s.end)
	case s.rows == nil:
		s.row++
	default:
		s.row = min(nextRow(s.rows, s.row, s.end), s.end)
	}
	if s.row != s.end {
		s.ts = s.reader.Timestamp(s.row)
	}
	if c.backward {
		s.read += before - s.row
	} else {
		s.read += s.row - before
	}
}

// settle restores the order after the first source was advanced. An exhausted source stays open until the row taken from it is left.
func (c *cursor) settle() {
	first := c.open[0]
	if first.row == first.end {
		c.open = append(c.open[:0], c.open[1:]...)
		c.done = append(c.done, first)
		return
	}
	for i := 0; i+1 < len(c.open) && c.before(c.open[i+1], c.open[i]); i++ {
		c.open[i], c.open[i+1] = c.open[i+1], c.open[i]
	}
}

// group collects the rows with timestamp ts of all open sources (every chunk that may hold one is open by now), drops repeated entries, and queues what is left in the order of the walk.
func (c *cursor) group(ts int64) {
	var members []*source
	for len(c.open) > 0 && c.open[0].ts == ts {
		members = append(members, c.open[0])
		c.open = append(c.open[:0], c.open[1:]...)
	}
	var refs []rowRef
	for _, s := range members {
		for s.row != s.end && s.ts == ts {
			refs = append(refs, rowRef{s, s.row})
			c.advance(s)
		}
	}
	if c.backward {
		slices.Reverse(refs)
	}
	refs = c.distinct(refs)
	if c.backward {
		slices.Reverse(refs)
	}
	c.pending = refs
	for _, s := range members {
		if s.row == s.end {
			c.done = append(c.done, s)
		} else {
			c.insert(s)
		}
	}
}

// distinct keeps the first of equal entries; refs are in order of arrival.
func (c *cursor) distinct(refs []rowRef) []rowRef {
	seen := make(map[uint64][]rowRef, len(refs))
	kept := refs[:0:0]
	for _, r := range refs {
		line := r.src.reader.Line(r.row, nil)
		meta := r.src.reader.Metadata(r.row, nil)
		h := entryHash(line, meta)
		repeated := false
		for _, k := range seen[h] {
			if bytes.Equal(line, k.src.reader.Line(k.row, nil)) && slices.Equal(meta, k.src.reader.Metadata(k.row, nil)) {
				repeated = true
				break
			}
		}
		if repeated {
			c.counters.duplicates.Add(1)
			continue
		}
		seen[h] = append(seen[h], r)
		kept = append(kept, r)
	}
	return kept
}

func entryHash(line []byte, meta []labels.Label) uint64 {
	var d xxhash.Digest
	d.Reset()
	_, _ = d.Write(line)
	sep := []byte{0xff}
	for _, l := range meta {
		_, _ = d.Write(sep)
		_, _ = d.WriteString(l.Name)
		_, _ = d.Write(sep)
		_, _ = d.WriteString(l.Value)
	}
	return d.Sum64()
}

// release closes the exhausted sources.
func (c *cursor) release() {
	for _, s := range c.done {
		c.closeSource(s)
	}
	c.done = c.done[:0]
}

// closeSource closes a chunk, after asking it whether what it gave was sound: an encoding that rebuilds lines may find damage only then.
func (c *cursor) closeSource(s *source) {
	c.counters.scanned(s.chunk.Meta(), s.read-1)
	if c.err == nil {
		c.err = chunk.Fault(s.reader)
	}
	s.reader.Close()
	s.closed = true
	_ = c.hold(-s.chunk.Meta().RawBytes)
}

// hold accounts for the memory of opened chunks.
func (c *cursor) hold(n int64) error {
	if c.memory == nil {
		return nil
	}
	return c.memory.take(n)
}

// close releases every chunk and gives the error that ended the walk, if any.
func (c *cursor) close() error {
	c.release()
	for _, s := range c.open {
		c.closeSource(s)
	}
	c.open, c.pending, c.src = nil, nil, nil
	return c.err
}

// line gives the bytes of the current row. They are valid until the next call of next.
func (c *cursor) line() []byte {
	out := c.src.reader.Line(c.row, c.lineBuf)
	c.sinceCheck += len(out)
	if len(out) > cap(c.lineBuf) {
		c.lineBuf = make([]byte, 0, 2*len(out))
	}
	return out
}

// metadata gives the structured metadata of the current row. It is valid until the next call of next.
func (c *cursor) metadata() []labels.Label {
	out := c.src.reader.Metadata(c.row, c.metaBuf)
	if len(out) > cap(c.metaBuf) {
		c.metaBuf = make([]labels.Label, 0, 2*len(out))
	}
	return out
}
