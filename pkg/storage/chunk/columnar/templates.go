package columnar

import (
	"bytes"
	"encoding/binary"
	"slices"
)

// template is a skeleton: pieces[0] variable pieces[1] variable … pieces[n].
type template struct {
	pieces [][]byte
	rows   []int32 // of the column, ascending
	spans  []span  // len(rows) * slots of them
	pools  []uint8 // of a rare template: which pool each slot's values go to
}

func (t *template) slots() int { return len(t.pieces) - 1 }

// templateSet groups the rows of one column by skeleton.
type templateSet struct {
	list   []*template
	byHash map[uint64]int32
}

// add puts a row under its skeleton. It returns false when another skeleton has the same hash.
func (s *templateSet) add(hash uint64, row int, line []byte, spans []span) bool {
	id, ok := s.byHash[hash]
	if !ok {
		id = int32(len(s.list))
		s.byHash[hash] = id
		s.list = append(s.list, &template{pieces: cut(line, spans)})
	}
	return s.append(id, row, line, spans)
}

func (s *templateSet) append(id int32, row int, line []byte, spans []span) bool {
	t := s.list[id]
	if len(t.rows) > 0 && !t.fits(line, spans) {
		return false
	}
	t.rows = append(t.rows, int32(row))
	t.spans = append(t.spans, spans...)
	return true
}

func cut(line []byte, spans []span) [][]byte {
	pieces := make([][]byte, 0, len(spans)+1)
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
	set := templateSet{byHash: map[uint64]int32{}}
	var whole []int32
	for i, v := range values {
		hash, ok := e.tok.line(v)
		if !ok || !set.add(hash, i, v, e.tok.spans) {
			whole = append(whole, int32(i))
		}
	}
	kept := make([]*template, 0, len(set.list))
	for _, t := range set.list {
		if len(t.rows) >= minRows {
			kept = append(kept, t.fold(values))
		} else {
			whole = append(whole, t.rows...)
		}
	}
	loose := whole
	whole = nil
	slices.Sort(loose)
	byWords := templateSet{byHash: map[uint64]int32{}}
	for _, row := range loose {
		v := values[row]
		hash, ok := e.words.line(v)
		if !ok || !byWords.add(hash, int(row), v, e.words.spans) {
			whole = append(whole, row)
		}
	}
	var rare []int32
	for _, t := range byWords.list {
		if len(t.rows) >= minWordRows {
			kept = append(kept, t.fold(values))
		} else {
			rare = append(rare, t.rows...)
		}
	}
	slices.Sort(rare)
	pooled := templateSet{byHash: map[uint64]int32{}}
	for _, row := range rare {
		v := values[row]
		hash, ok := e.tok.line(v)
		if !ok || !pooled.add(hash, int(row), v, e.tok.spans) {
			whole = append(whole, row)
		}
	}
	for _, t := range pooled.list {
		t = t.fold(values)
		t.pools = t.classify(values)
		kept = append(kept, t)
	}
	if len(whole) > 0 {
		slices.Sort(whole)
		t := &template{pieces: wholeLine, rows: whole}
		for _, row := range whole {
			t.spans = append(t.spans, span{0, uint32(len(values[row]))})
		}
		kept = append(kept, t)
	}
	return kept
}

// A skeleton with fewer rows than these does not become a template.
const (
	minRows     = 8
	minWordRows = 32
)

// fold makes literals of the slots that hold the same text in every row.
func (t *template) fold(values [][]byte) *template {
	n := t.slots()
	varies := make([]bool, n)
	first := t.spans[:n]
	line := values[t.rows[0]]
	left := 0
	for s := range n {
		want := line[first[s].off : first[s].off+first[s].n]
		for i, row := range t.rows {
			sp := t.spans[i*n+s]
			if !bytes.Equal(values[row][sp.off:sp.off+sp.n], want) {
				varies[s] = true
				left++
				break
			}
		}
	}
	if left == n {
		return t
	}
	out := &template{rows: t.rows, spans: make([]span, 0, len(t.rows)*left)}
	for i := range t.rows {
		for s := range n {
			if varies[s] {
				out.spans = append(out.spans, t.spans[i*n+s])
			}
		}
	}
	out.pieces = cut(line, out.spans[:left])
	return out
}

// templates appends the values as templates and one column per variable. It refuses when the values have too little in common.
func (e *Encoder) templates(dst []byte, values [][]byte, ts []int64, depth int) ([]byte, bool) {
	list := e.group(values, depth)
	if len(list) > maxTemplates || !worthTemplates(list, len(values)) {
		return dst, false
	}
	dst = append(dst, kindTemplates)
	dst = binary.AppendUvarint(dst, uint64(len(list)))
	ids := e.grab(len(values))
	var text []byte
	for id, t := range list {
		for _, row := range t.rows {
			ids[row] = uint64(id)
		}
		shape := uint64(t.slots()) << 1
		if t.pools != nil {
			shape |= 1
		}
		text = binary.AppendUvarint(text, shape)
		text = binary.AppendUvarint(text, uint64(len(t.rows)))
		text = append(text, t.pools...)
		for _, p := range t.pieces {
			text = binary.AppendUvarint(text, uint64(len(p)))
		}
		for _, p := range t.pieces {
			text = append(text, p...)
		}
	}
	dst = e.block(dst, text, false)
	dst = e.ints(dst, ids, nil)
	for _, t := range list {
		if t.pools == nil {
			dst = e.fields(dst, t, values, ts, depth)
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

// fields appends a template's columns.
func (e *Encoder) fields(dst []byte, t *template, values [][]byte, ts []int64, depth int) []byte {
	n := t.slots()
	if n == 0 {
		return dst
	}
	var rowTimes []int64
	if ts != nil {
		rowTimes = make([]int64, len(t.rows))
		for i, row := range t.rows {
			rowTimes[i] = ts[row]
		}
	}
	slot := make([][]byte, len(t.rows))
	first := values[t.rows[0]]
	whole := &t.pieces[0] == &wholeLine[0]
	for s := 0; s < n; {
		if out, used := e.timeOfDay(dst, t, s, values, rowTimes); used > 0 {
			dst = out
			s += used
			continue
		}
		if from := t.copyOf(s, values, first); from >= 0 {
			dst = append(dst, kindCopy)
			dst = binary.AppendUvarint(dst, uint64(from))
			s++
			continue
		}
		for i, row := range t.rows {
			sp := t.spans[i*n+s]
			slot[i] = values[row][sp.off : sp.off+sp.n]
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
func (t *template) copyOf(s int, values [][]byte, first []byte) int {
	n := t.slots()
	sp := t.spans[s]
	text := first[sp.off : sp.off+sp.n]
next:
	for p := range s {
		if q := t.spans[p]; q.n != sp.n || !bytes.Equal(first[q.off:q.off+q.n], text) {
			continue
		}
		for i, row := range t.rows {
			a, b := t.spans[i*n+s], t.spans[i*n+p]
			line := values[row]
			if a.n != b.n || !bytes.Equal(line[a.off:a.off+a.n], line[b.off:b.off+b.n]) {
				continue next
			}
		}
		return p
	}
	return -1
}
