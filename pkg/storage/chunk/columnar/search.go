package columnar

import (
	"bytes"
	"sort"
)

// Rows is a set of rows of a column.
type Rows []uint64

// NewRows returns an empty set for a column of n rows.
func NewRows(n int) Rows { return make(Rows, (n+63)/64) }

// Add puts row into the set.
func (r Rows) Add(row int) { r[row>>6] |= 1 << (row & 63) }

// Has reports whether row is in the set.
func (r Rows) Has(row int) bool { return r[row>>6]&(1<<(row&63)) != 0 }

// AddAll puts the first n rows into the set.
func (r Rows) AddAll(n int) {
	for row := 0; row < n; row++ {
		r.Add(row)
	}
}

// Empty reports whether the set holds nothing.
func (r Rows) Empty() bool {
	for _, w := range r {
		if w != 0 {
			return false
		}
	}
	return true
}

// Search adds to rows every row whose value contains the needle, and maybe some whose value does not. It decodes only what it needs to
// tell: a needle that no template and no dictionary can hold costs little more than the templates' text.
func (v *Values) Search(needle []byte, rows Rows, n int) {
	if len(needle) == 0 {
		rows.AddAll(n)
		return
	}
	v.column.search(needle, rows, n)
}

// alphabet is a set of bytes.
type alphabet [4]uint64

func (a *alphabet) add(c byte)      { a[c>>6] |= 1 << (c & 63) }
func (a *alphabet) has(c byte) bool { return a[c>>6]&(1<<(c&63)) != 0 }

func (a *alphabet) addAll(b *alphabet) {
	for i := range a {
		a[i] |= b[i]
	}
}

func (a *alphabet) spells(needle []byte) bool {
	for _, c := range needle {
		if !a.has(c) {
			return false
		}
	}
	return true
}

func alphabetOf(text string) (a alphabet) {
	for i := range len(text) {
		a.add(text[i])
	}
	return a
}

var (
	digitBytes   = alphabetOf("0123456789")
	decimalBytes = alphabetOf("0123456789.-")
	lowerBytes   = alphabetOf(lowerDigits)
	upperBytes   = alphabetOf(upperDigits)
)

// render searches a column by printing its values.
func render(c column, needle []byte, letters *alphabet, rows Rows, n int) {
	if !letters.spells(needle) {
		return
	}
	var buf []byte
	for row := range n {
		buf = c.append(buf[:0], row)
		if bytes.Contains(buf, needle) {
			rows.Add(row)
		}
	}
}

func (c constColumn) letters() alphabet {
	var a alphabet
	for _, b := range c {
		a.add(b)
	}
	return a
}

func (c constColumn) search(needle []byte, rows Rows, n int) {
	if bytes.Contains(c, needle) {
		rows.AddAll(n)
	}
}

func (c *intColumn) letters() alphabet { return digitBytes }
func (c *intColumn) search(needle []byte, rows Rows, n int) {
	render(c, needle, &digitBytes, rows, n)
}

func (c *fixedColumn) letters() alphabet { return digitBytes }
func (c *fixedColumn) search(needle []byte, rows Rows, n int) {
	if len(needle) <= c.width {
		render(c, needle, &digitBytes, rows, n)
	}
}

func (c *digitsColumn) letters() alphabet { return digitBytes }
func (c *digitsColumn) search(needle []byte, rows Rows, n int) {
	render(c, needle, &digitBytes, rows, n)
}

func (c *decimalColumn) letters() alphabet { return decimalBytes }
func (c *decimalColumn) search(needle []byte, rows Rows, n int) {
	render(c, needle, &decimalBytes, rows, n)
}

func hexLetters(upper bool) alphabet {
	if upper {
		return upperBytes
	}
	return lowerBytes
}

func (c *hexColumn) letters() alphabet { return hexLetters(c.upper) }
func (c *hexColumn) search(needle []byte, rows Rows, n int) {
	if a := c.letters(); len(needle) <= 2*c.width {
		render(c, needle, &a, rows, n)
	}
}

func (c *hexIntColumn) letters() alphabet { return hexLetters(c.upper) }
func (c *hexIntColumn) search(needle []byte, rows Rows, n int) {
	if a := c.letters(); len(needle) <= max(c.width, 16) {
		render(c, needle, &a, rows, n)
	}
}

func (c *dictColumn) letters() alphabet { return c.entries.letters() }
func (c *dictColumn) search(needle []byte, rows Rows, n int) {
	found := NewRows(c.count)
	c.entries.search(needle, found, c.count)
	if found.Empty() {
		return
	}
	for row, id := range c.ids.all() {
		if found.Has(int(id)) {
			rows.Add(row)
		}
	}
}

func (c *rawColumn) letters() alphabet {
	c.lettersOnce.Do(func() { c.alphabet = constColumn(c.bytes.all()).letters() })
	return c.alphabet
}

func (c *rawColumn) search(needle []byte, rows Rows, _ int) {
	buf, offs := c.offsets()
	for at := 0; ; {
		i := bytes.Index(buf[at:], needle)
		if i < 0 {
			return
		}
		at += i
		row := sort.SearchInts(offs, at+1) - 1
		if at+len(needle) <= offs[row+1] {
			rows.Add(row)
			at = offs[row+1] // the row is decided
		} else {
			at++
		}
	}
}

func (c *pooledColumn) letters() alphabet { return c.values.letters() }
func (c *pooledColumn) search(needle []byte, rows Rows, n int) {
	if a := c.letters(); a.spells(needle) {
		render(c, needle, &a, rows, n)
	}
}

func (c *templateColumn) letters() alphabet {
	var a alphabet
	for i := range c.list {
		t := &c.list[i]
		for _, p := range t.pieces {
			b := constColumn(p).letters()
			a.addAll(&b)
		}
		for s := range t.fields {
			b := t.fields[s].letters()
			a.addAll(&b)
		}
	}
	return a
}

func (c *templateColumn) search(needle []byte, rows Rows, _ int) {
	pools := poolSearch{of: c, needle: needle}
	straddle := straddler{needle: needle}
	for id := range c.list {
		t := &c.list[id]
		if straddle.everyRowMay(t) {
			c.locate()
			for _, row := range c.rowOf[id] {
				rows.Add(int(row))
			}
			continue
		}
		if t.pools != nil {
			pools.add(id, rows)
			continue
		}
		var found Rows
		for s := range t.fields {
			f := &t.fields[s]
			if a := f.letters(); !a.spells(needle) {
				continue
			}
			if found == nil {
				found = NewRows(t.rows)
			}
			f.search(needle, found, t.rows)
		}
		if found == nil || found.Empty() {
			continue
		}
		c.locate()
		for i, row := range c.rowOf[id] {
			if found.Has(i) {
				rows.Add(int(row))
			}
		}
	}
}

func (f *field) letters() alphabet {
	if f.clock != nil {
		return digitBytes
	}
	return f.column.letters()
}

func (f *field) search(needle []byte, rows Rows, n int) {
	if f.clock == nil {
		f.column.search(needle, rows, n)
		return
	}
	var buf []byte
	for row := range n {
		buf = f.append(buf[:0], row)
		if bytes.Contains(buf, needle) {
			rows.Add(row)
		}
	}
}

// straddler finds out whether a needle may lie across literals and variables.
type straddler struct {
	needle        []byte
	reached, next []bool
}

// touches reports whether a part of the needle may lie in one of a template's literals and the rest beside it. Where it is not so, the needle
// cannot lie across a literal and a variable.
func (s *straddler) touches(t *decodedTemplate) bool {
	m := len(s.needle)
	for i, piece := range t.pieces {
		if len(piece) < m && i > 0 && i < len(t.pieces)-1 && bytes.Contains(s.needle, piece) {
			return true
		}
		for p := 1; p < m; p++ {
			if bytes.HasSuffix(piece, s.needle[:p]) || bytes.HasPrefix(piece, s.needle[p:]) {
				return true
			}
		}
	}
	return false
}

// everyRowMay reports whether the needle lies in a template's literals, or may lie across literals and variables, where a variable is
// taken to hold any text of its alphabet. What lies inside one variable is not considered.
func (s *straddler) everyRowMay(t *decodedTemplate) bool {
	for _, piece := range t.pieces {
		if bytes.Contains(piece, s.needle) {
			return true
		}
	}
	if !s.touches(t) {
		return false
	}
	needle := s.needle
	m := len(needle)
	if s.reached == nil {
		s.reached, s.next = make([]bool, m), make([]bool, m)
	}
	clear(s.reached)
	// reached[p]: needle[:p] may end where the part of the template looked at ends, 0 < p < m.
	reached, next := s.reached, s.next
	for i, piece := range t.pieces {
		clear(next)
		for p := 1; p < m; p++ {
			if !reached[p] {
				continue
			}
			rest := needle[p:]
			if len(rest) <= len(piece) {
				if bytes.HasPrefix(piece, rest) {
					return true
				}
			} else if bytes.HasPrefix(rest, piece) {
				next[p+len(piece)] = true
			}
		}
		for q := 1; q < m && q <= len(piece); q++ {
			if bytes.Equal(piece[len(piece)-q:], needle[:q]) {
				next[q] = true
			}
		}
		reached, next = next, reached
		if i == len(t.fields) {
			break
		}
		letters := t.fields[i].letters()
		// The needle may go on through the variable from where it was reached, or start in it.
		copy(next, reached)
		for p := 1; p < m; p++ {
			if !reached[p] {
				continue
			}
			for q := p; letters.has(needle[q]); q++ {
				if q == m-1 {
					return true
				}
				next[q+1] = true
			}
		}
		for q := 0; q < m-1 && letters.has(needle[q]); q++ {
			next[q+1] = true
		}
		reached, next = next, reached
	}
	return false
}
