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
	for i := range n / 64 {
		r[i] = ^uint64(0)
	}
	if n%64 > 0 {
		r[n/64] |= 1<<(n%64) - 1
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
	if !bytes.Contains(c.bytes.all(), needle) {
		return
	}
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
