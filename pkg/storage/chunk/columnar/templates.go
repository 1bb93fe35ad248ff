package columnar

import (
	"bytes"
	"encoding/binary"
)

// template is a skeleton: pieces[0] variable pieces[1] variable … pieces[n].
type template struct {
	pieces [][]byte
	rows   []int32  // of the column, ascending
	slot   []uint32 // which of the variables that the rows were cut into each variable is
	cuts   *cuts
	form   form    // of the rows
	rare   bool    // too rare for columns of its own
	pools  []uint8 // of a rare template: which pool each slot's values go to
}

// whole reports whether values stand whole.
func (t *template) whole() bool { return &t.pieces[0] == &wholeLine[0] }

func (t *template) slots() int { return len(t.pieces) - 1 }

// span tells where in its line variable s of the template's row i stands.
func (t *template) span(i, s int) span { return t.cuts.spans[t.cuts.first[t.rows[i]]+t.slot[s]] }

// text is variable s of the template's row i.
func (t *template) text(values [][]byte, i, s int) []byte {
	sp := t.span(i, s)
	return values[t.rows[i]][sp.off : sp.off+sp.n]
}

// fold makes literals of the slots that hold the same text in every row.
func (t *template) fold(values [][]byte) {
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
		return
	}
	t.slot = varies
	spans := make([]span, len(varies))
	for s := range varies {
		spans[s] = t.span(0, s)
	}
	t.pieces = cut(t.pieces[:0], values[t.rows[0]], spans)
}

// templates appends the values as templates and one column per variable. It refuses when the values have too little in common.
func (e *Encoder) templates(dst []byte, values [][]byte, ts []int64, depth int) ([]byte, bool) {
	list, of := e.group(values, &e.cuts[depth], depth > 0)
	if len(list) > maxTemplates || !worthTemplates(list, len(values)) {
		return dst, false
	}
	dst = append(dst, kindMarked)
	dst = binary.AppendUvarint(dst, uint64(len(list)))
	ids := e.grab(len(values))
	text := e.marked[:0]
	for row, id := range of {
		ids[row] = uint64(id)
	}
	for _, t := range list {
		text = binary.AppendUvarint(text, uint64(len(t.rows)))
	}
	for _, t := range list {
		text = t.appendMarked(text)
	}
	e.marked = text
	dst = e.block(dst, text)
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

// templateFields appends a template's columns.
func (e *Encoder) templateFields(dst []byte, t *template, values [][]byte, ts []int64, depth int) []byte {
	n := t.slots()
	if n == 0 {
		return dst
	}
	var rowTimes []int64
	if ts != nil {
		rowTimes = sized(e.times[depth], len(t.rows))
		e.times[depth] = rowTimes
		for i, row := range t.rows {
			rowTimes[i] = ts[row]
		}
	}
	markTexts := e.usedTexts
	defer func() { e.usedTexts = markTexts }()
	slot := e.grabTexts(len(t.rows))
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
		if t.whole() {
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
