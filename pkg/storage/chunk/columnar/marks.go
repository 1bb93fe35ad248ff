package columnar

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
