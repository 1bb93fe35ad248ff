package columnar

import (
	"bytes"
	"encoding/binary"
	"slices"
)

// template is a skeleton: pieces[0] variable pieces[1] variable … pieces[n].
type template struct {
	pieces [][]byte
	rows   []int32  // of the column, ascending
	slot   []uint32 // which of the variables that the rows were cut into each variable is
	cuts   *cuts
	pools  []uint8 // of a rare template: which pool each slot's values go to
}

func (t *template) slots() int { return len(t.pieces) - 1 }

// span tells where in its line variable s of the template's row i stands.
func (t *template) span(i, s int) span { return t.cuts.spans[t.cuts.first[t.rows[i]]+t.slot[s]] }

// text is variable s of the template's row i.
func (t *template) text(values [][]byte, i, s int) []byte {
	sp := t.span(i, s)
	return values[t.rows[i]][sp.off : sp.off+sp.n]
}

// cuts are the variables that the rows of a column were cut into.
type cuts struct {
	spans []span
	first []uint32 // per row: its first span
}

// reset forgets everything, and makes room for so many rows.
func (c *cuts) reset(rows int) {
	if cap(c.first) < rows || cap(c.spans) > maxKeptSpans {
		*c = cuts{first: make([]uint32, rows+rows/4), spans: make([]span, 0, min(8*rows, maxKeptSpans))}
	}
	c.first, c.spans = c.first[:rows], c.spans[:0]
}

// maxKeptSpans bounds what an Encoder keeps from column to column.
const maxKeptSpans = 1 << 20

func (c *cuts) add(row int, spans []span) {
	c.first[row] = uint32(len(c.spans))
	c.spans = append(c.spans, spans...)
}

// templateSet groups rows of one column by skeleton.
type templateSet struct {
	list   []*template
	byHash map[uint64]int32
	counts []int32  // rows of each template
	free   [][]byte // for pieces
	last   uint64   // hash of the row before
	lastID int32
}

func newTemplateSet() *templateSet { return &templateSet{byHash: map[uint64]int32{}, lastID: -1} }

// add finds the skeleton of a row. It returns -1 when another skeleton has the same hash.
func (s *templateSet) add(hash uint64, line []byte, spans []span) int32 {
	id := s.lastID
	if id < 0 || hash != s.last {
		var ok bool
		if id, ok = s.byHash[hash]; !ok {
			id = int32(len(s.list))
			s.byHash[hash] = id
			if len(s.free) < len(spans)+1 {
				s.free = make([][]byte, max(4*len(s.list), len(spans)+1, 16))
			}
			var pieces [][]byte
			pieces, s.free = s.free[:0:len(spans)+1], s.free[len(spans)+1:]
			s.list = append(s.list, &template{pieces: cut(pieces, line, spans)})
			s.counts = append(s.counts, 0)
		}
		s.last, s.lastID = hash, id
	}
	if s.counts[id] > 0 && !s.list[id].fits(line, spans) {
		return -1
	}
	s.counts[id]++
	return id
}

// deal gives every template its rows: ids are the templates of rows, -1 for none.
func (s *templateSet) deal(rows, ids []int32, c *cuts) {
	total := 0
	for _, n := range s.counts {
		total += int(n)
	}
	all := make([]int32, 0, total)
	var slot []uint32
	for id, n := range s.counts {
		t := s.list[id]
		t.rows, all = all[len(all):len(all):len(all)+int(n)], all[:len(all)+int(n)]
		for len(slot) < t.slots() {
			slot = append(slot, uint32(len(slot)))
		}
		t.slot, t.cuts = slot[:t.slots()], c
	}
	for i, id := range ids {
		if id >= 0 {
			s.list[id].rows = append(s.list[id].rows, rows[i])
		}
	}
}

// cut appends the literals of a line to pieces.
func cut(pieces [][]byte, line []byte, spans []span) [][]byte {
	at := uint32(0)
	for _, s := range spans {
		pieces = append(pieces, line[at:s.off])
		at = s.off + s.n
	}
	return append(pieces, line[at:])
}

func (t *template) fits(line []byte, spans []span) bool {
	if len(spans) != t.slots() {
		return false
	}
	at := uint32(0)
	for i, s := range spans {
		if !bytes.Equal(t.pieces[i], line[at:s.off]) {
			return false
		}
		at = s.off + s.n
	}
	return bytes.Equal(t.pieces[len(spans)], line[at:])
}

// wholeLine marks the template of the rows that share no skeleton: one variable and nothing else.
var wholeLine = [][]byte{nil, nil}

// group cuts the values into templates. Skeletons that differ in words only are merged where that is likely to be
// smaller, and what has no template of its own then stands whole.
func (e *Encoder) group(values [][]byte, depth int) []*template {
	e.tok.parts = depth > 0
	c := &e.cuts[depth]
	c.reset(len(values))
	rows := slices.Grow(e.rows[:0], len(values))[:len(values)]
	e.rows = rows
	for i := range rows {
		rows[i] = int32(i)
	}
	list, whole := e.cutRows(&e.tok, values, rows, c)
	kept := make([]*template, 0, len(list))
	for _, t := range list {
		if len(t.rows) >= minRows {
			kept = append(kept, t.fold(values))
		} else {
			whole = append(whole, t.rows...)
		}
	}
	slices.Sort(whole)
	list, whole = e.cutRows(&e.words, values, whole, c)
	var rare []int32
	for _, t := range list {
		if len(t.rows) >= minWordRows {
			kept = append(kept, t.fold(values))
		} else {
			rare = append(rare, t.rows...)
		}
	}
	slices.Sort(rare)
	list, left := e.cutRows(&e.tok, values, rare, c)
	for _, t := range list {
		t = t.fold(values)
		t.pools = t.classify(values)
		kept = append(kept, t)
	}
	if whole = append(whole, left...); len(whole) > 0 {
		slices.Sort(whole)
		for _, row := range whole {
			c.add(int(row), []span{{0, uint32(len(values[row]))}})
		}
		kept = append(kept, &template{pieces: wholeLine, rows: whole, slot: []uint32{0}, cuts: c})
	}
	return kept
}

// cutRows cuts some of the values and groups them by skeleton. It returns the rows that have none, in order.
func (e *Encoder) cutRows(tok *tokenizer, values [][]byte, rows []int32, c *cuts) (list []*template, whole []int32) {
	if len(rows) == 0 {
		return nil, nil
	}
	set := newTemplateSet()
	ids := slices.Grow(e.ids[:0], len(rows))[:len(rows)]
	e.ids = ids
	for i, row := range rows {
		ids[i] = -1
		v := values[row]
		if hash, ok := tok.line(v); ok {
			ids[i] = set.add(hash, v, tok.spans)
		}
		if ids[i] < 0 {
			whole = append(whole, row)
			continue
		}
		c.add(int(row), tok.spans)
	}
	set.deal(rows, ids, c)
	return set.list, whole
}

// A skeleton with fewer rows than these does not become a template.
const (
	minRows     = 8
	minWordRows = 32
)

// fold makes literals of the slots that hold the same text in every row.
func (t *template) fold(values [][]byte) *template {
	var varies []uint32
	for s := range t.slots() {
		want := t.text(values, 0, s)
		for i := range t.rows {
			if !bytes.Equal(t.text(values, i, s), want) {
				varies = append(varies, t.slot[s])
				break
			}
		}
	}
	if len(varies) == t.slots() {
		return t
	}
	t.slot = varies
	spans := make([]span, len(varies))
	for s := range varies {
		spans[s] = t.span(0, s)
	}
	t.pieces = cut(t.pieces[:0], values[t.rows[0]], spans)
	return t
}

// templates appends the values as templates and one column per variable. It refuses when the values have too little in common.
func (e *Encoder) templates(dst []byte, values [][]byte, ts []int64, depth int) ([]byte, bool) {
	list := e.group(values, depth)
	if len(list) > maxTemplates || !worthTemplates(list, len(values)) {
		return dst, false
	}
	dst = append(dst, kindMarked)
	dst = binary.AppendUvarint(dst, uint64(len(list)))
	ids := e.grab(len(values))
	text := e.marked[:0]
	for id, t := range list {
		for _, row := range t.rows {
			ids[row] = uint64(id)
		}
		text = binary.AppendUvarint(text, uint64(len(t.rows)))
	}
	for _, t := range list {
		text = t.appendMarked(text)
	}
	e.marked = text
	dst = e.block(dst, text, false)
	dst = e.ints(dst, ids, nil)
	for _, t := range list {
		if t.pools == nil {
			dst = e.templateFields(dst, t, values, ts, depth)
		}
	}
	return e.poolColumns(dst, list, values, ids, depth), true
}

// worthTemplates tells whether the templates say anything that the values alone do not.
func worthTemplates(list []*template, rows int) bool {
	good := 0
	for _, t := range list {
		literal := 0
		for _, p := range t.pieces {
			literal += len(p)
		}
		if t.pools == nil && (literal > 0 || t.slots() > 1) {
			good += len(t.rows)
		}
	}
	return good*4 >= rows
}

// fieldScratch holds one field of one template's rows while its column is encoded.
type fieldScratch struct {
	times []int64
	texts [][]byte
}

// templateFields appends a template's columns.
func (e *Encoder) templateFields(dst []byte, t *template, values [][]byte, ts []int64, depth int) []byte {
	n := t.slots()
	if n == 0 {
		return dst
	}
	scratch := &e.fields[depth]
	var rowTimes []int64
	if ts != nil {
		rowTimes = slices.Grow(scratch.times[:0], len(t.rows))[:len(t.rows)]
		scratch.times = rowTimes
		for i, row := range t.rows {
			rowTimes[i] = ts[row]
		}
	}
	slot := slices.Grow(scratch.texts[:0], len(t.rows))[:len(t.rows)]
	scratch.texts = slot
	whole := &t.pieces[0] == &wholeLine[0]
	for s := 0; s < n; {
		if out, used := e.timeOfDay(dst, t, s, values, rowTimes); used > 0 {
			dst = out
			s += used
			continue
		}
		if from := t.copyOf(s, values); from >= 0 {
			dst = append(dst, kindCopy)
			dst = binary.AppendUvarint(dst, uint64(from))
			s++
			continue
		}
		for i := range t.rows {
			slot[i] = t.text(values, i, s)
		}
		next := depth + 1
		if whole {
			next = maxDepth
		}
		dst = e.column(dst, slot, rowTimes, next)
		s++
	}
	return dst
}

// copyOf returns an earlier slot that holds the same text as slot s in every row, or -1.
func (t *template) copyOf(s int, values [][]byte) int {
	text := t.text(values, 0, s)
next:
	for p := range s {
		if !bytes.Equal(t.text(values, 0, p), text) {
			continue
		}
		for i := range t.rows {
			if !bytes.Equal(t.text(values, i, s), t.text(values, i, p)) {
				continue next
			}
		}
		return p
	}
	return -1
}
