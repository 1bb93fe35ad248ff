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
	t := s.list[id]
	if ok && !t.fits(line, spans) {
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

// group cuts the values into templates. Skeletons with few rows are merged where they differ in words only, and what is
// still rare then stands whole.
func (e *Encoder) group(values [][]byte) []*template {
	set := templateSet{byHash: map[uint64]int32{}}
	var loose []int32
	for i, v := range values {
		hash, ok := e.tok.line(v)
		if !ok || !set.add(hash, i, v, e.tok.spans) {
			loose = append(loose, int32(i))
		}
	}
	least := max(4, min(32, len(values)/128))
	kept := set.list[:0:0]
	for _, t := range set.list {
		if len(t.rows) >= least {
			kept = append(kept, t)
		} else {
			loose = append(loose, t.rows...)
		}
	}
	if len(loose) == 0 {
		return kept
	}
	slices.Sort(loose)
	byWords := templateSet{byHash: map[uint64]int32{}}
	var whole []int32
	for _, row := range loose {
		v := values[row]
		hash, ok := e.words.line(v)
		if !ok || !byWords.add(hash, int(row), v, e.words.spans) {
			whole = append(whole, row)
		}
	}
	for _, t := range byWords.list {
		if len(t.rows) >= 4 {
			kept = append(kept, t.fold(values))
		} else {
			whole = append(whole, t.rows...)
		}
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
	list := e.group(values)
	if len(list) == 1 && &list[0].pieces[0] == &wholeLine[0] || len(list) > 1<<16 {
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
		text = binary.AppendUvarint(text, uint64(t.slots()))
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
		dst = e.fields(dst, t, values, ts, depth)
	}
	return dst, true
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
	whole := &t.pieces[0] == &wholeLine[0]
	for s := 0; s < n; {
		if out, used := e.timeOfDay(dst, t, s, values, rowTimes); used > 0 {
			dst = out
			s += used
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
