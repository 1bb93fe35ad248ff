package columnar

import "encoding/binary"

// The text of templates is written with a mark where a variable stands, so that a compressor sees literals that follow each other as it would in
// the values: templates that are alike then cost little.
const (
	// Marks below are numbers of pools: a variable that is pooled.
	markVariable = poolCount
	markEscape   = poolCount + 1 // the next byte is one of the text
	markEnd      = '\n'
)

// isMark reports whether a byte of a literal has to be escaped.
func isMark(b byte) bool { return b <= markEscape || b == markEnd }

// appendMarked appends the template's text with marks.
func (t *template) appendMarked(dst []byte) []byte {
	for i, p := range t.pieces {
		switch {
		case i == 0:
		case t.pools != nil:
			dst = append(dst, t.pools[i-1])
		default:
			dst = append(dst, markVariable)
		}
		from := 0
		for at, b := range p {
			if isMark(b) {
				dst = append(append(dst, p[from:at]...), markEscape)
				from = at
			}
		}
		dst = append(dst, p[from:]...)
	}
	return append(dst, markEnd)
}

// markedText is templateText of text with marks.
func (d *decoder) markedText(n int) (count int, text []byte, err error) {
	count, marked, err := d.templateText(n)
	if err != nil {
		return 0, nil, err
	}
	rows := marked
	for range count {
		_, k := binary.Uvarint(marked)
		if k <= 0 {
			return 0, nil, errMalformed("template rows")
		}
		marked = marked[k:]
	}
	var u unmarked
	text = make([]byte, 0, len(rows)+len(marked)/2)
	for range count {
		if marked, err = u.read(marked); err != nil {
			return 0, nil, err
		}
		v, k := binary.Uvarint(rows)
		rows = rows[k:]
		text = u.appendTo(text, v)
	}
	if len(marked) != 0 {
		return 0, nil, errMalformed("template text")
	}
	return count, text, nil
}

// unmarked is the text of one template without marks.
type unmarked struct {
	text  []byte
	ends  []int  // of the pieces but the last
	pools []byte // of each slot; markVariable = none
}

// read takes a template off b.
func (u *unmarked) read(b []byte) (rest []byte, err error) {
	u.text, u.ends, u.pools = u.text[:0], u.ends[:0], u.pools[:0]
	for i := 0; i < len(b); i++ {
		switch c := b[i]; {
		case c == markEnd:
			return b[i+1:], nil
		case c == markEscape:
			if i++; i == len(b) {
				return nil, errEnd
			}
			u.text = append(u.text, b[i])
		case c <= markVariable:
			if len(u.ends) == maxSlots || len(u.ends) > 0 && (c == markVariable) != (u.pools[0] == markVariable) {
				return nil, errMalformed("template slots")
			}
			u.ends = append(u.ends, len(u.text))
			u.pools = append(u.pools, c)
		default:
			u.text = append(u.text, c)
		}
	}
	return nil, errEnd
}

// appendTo appends the template as kindTemplates has it.
func (u *unmarked) appendTo(dst []byte, rows uint64) []byte {
	shape := uint64(len(u.ends)) << 1
	pooled := len(u.pools) > 0 && u.pools[0] != markVariable
	if pooled {
		shape |= 1
	}
	dst = binary.AppendUvarint(dst, shape)
	dst = binary.AppendUvarint(dst, rows)
	if pooled {
		dst = append(dst, u.pools...)
	}
	from := 0
	for _, end := range u.ends {
		dst = binary.AppendUvarint(dst, uint64(end-from))
		from = end
	}
	dst = binary.AppendUvarint(dst, uint64(len(u.text)-from))
	return append(dst, u.text...)
}
