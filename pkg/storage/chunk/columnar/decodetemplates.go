package columnar

import (
	"encoding/binary"
	"math"
	"sync"
	"sync/atomic"
)

// templateColumn rebuilds values from templates and their variables. The columns of variables are opened when they are first used.
type templateColumn struct {
	list  []decodedTemplate
	text  []byte // of all templates
	ids   templateIDs
	ts    Times
	body  []byte // the columns of all variables
	depth int
	// As the decoder's.
	left, longest int
	fault         *fault

	pools   [poolCount]field
	inPools [poolCount]int // values in each pool
	places  places

	shapesOnce sync.Once
	shapeList  []Shape
}

// decodedTemplate is one template of a column.
type decodedTemplate struct {
	rows   int
	text   []byte   // its pieces, end to end
	ends   []uint32 // where each piece ends in text
	pools  []byte   // of a rare template: the pool of each slot; else nil
	fields []field  // of the others: one per slot

	times  atomic.Pointer[[]int64]
	pieces atomic.Pointer[[][]byte]
}

// field is one slot of a template, or a pool.
type field struct {
	at      uint32 // of its column in the body
	base    uint8  // the slot whose column it is part of
	part    uint8  // of a time of day
	letters letterKinds
	opened  atomic.Pointer[column] // of the base
}

func (t *decodedTemplate) slots() int { return len(t.ends) - 1 }

func (t *decodedTemplate) piece(i int) []byte {
	if i == 0 {
		return t.text[:t.ends[0]]
	}
	return t.text[t.ends[i-1]:t.ends[i]]
}

// allPieces returns the pieces, which must not be changed.
func (t *decodedTemplate) allPieces() [][]byte {
	if p := t.pieces.Load(); p != nil {
		return *p
	}
	pieces := make([][]byte, len(t.ends))
	for i := range pieces {
		p := t.piece(i)
		pieces[i] = p[:len(p):len(p)]
	}
	t.pieces.Store(&pieces)
	return pieces
}

// column returns the column of a slot of a template that is not pooled, and which part of a time of day the slot is.
func (c *templateColumn) column(id, slot int) (col column, part int) {
	t := &c.list[id]
	f := &t.fields[slot]
	base := &t.fields[f.base]
	if col := base.opened.Load(); col != nil {
		return *col, int(f.part)
	}
	var ts Times
	if c.ts != nil {
		ts = &templateTimes{c, id}
	}
	return c.open(base, t.rows, ts), int(f.part)
}

// pool returns the column of a pool that is not empty.
func (c *templateColumn) pool(p byte) column {
	f := &c.pools[p]
	if col := f.opened.Load(); col != nil {
		return *col
	}
	return c.open(f, c.inPools[p], nil)
}

// open opens the column of a field. It was skipped before, so that it can be opened.
func (c *templateColumn) open(f *field, n int, ts Times) column {
	d := decoder{b: c.body[f.at:], left: c.left, longest: c.longest, fault: c.fault}
	var col column
	var err error
	if d.b[0] == kindTime {
		d.b = d.b[1:]
		col, err = d.clock(n, ts)
	} else {
		col, err = d.column(n, ts, c.depth+1)
	}
	if err != nil {
		c.fault.set(err)
		col = constColumn(nil)
	}
	if !f.opened.CompareAndSwap(nil, &col) {
		return *f.opened.Load()
	}
	return col
}

func (c *templateColumn) append(dst []byte, row int) []byte {
	id, at := c.place(row)
	t := &c.list[id]
	if t.pools != nil {
		return c.appendPooled(dst, id, row, at)
	}
	start := len(dst)
	for i := range t.fields {
		dst = append(dst, t.piece(i)...)
		if dst = c.appendSlot(dst, id, i, at); len(dst)-start > c.longest {
			return c.tooLong(dst[:start])
		}
	}
	return append(dst, t.piece(len(t.fields))...)
}

// tooLong gives up a value that is longer than all values together are said to be.
func (c *templateColumn) tooLong(dst []byte) []byte {
	c.fault.set(errTooLong)
	return dst
}

var errTooLong = errMalformed("value is too long")

// appendSlot appends the text of a slot in the at-th row of a template that is not pooled.
func (c *templateColumn) appendSlot(dst []byte, id, slot, at int) []byte {
	col, part := c.column(id, slot)
	if part > 0 {
		if clock, ok := col.(*clockColumn); ok {
			return clock.appendPart(dst, at, part)
		}
	}
	return col.append(dst, at)
}

func (d *decoder) templates(n int, ts Times, depth int, marked bool) (column, error) {
	texts, err := d.templateTexts(n, marked)
	if err != nil {
		return nil, err
	}
	whole := texts.left
	count := texts.count
	c := &templateColumn{list: make([]decodedTemplate, count), ts: ts, left: d.left, longest: d.longest, depth: depth, fault: d.fault}
	rows, slots := 0, 0
	ends := endSlab{size: min(8*count, 1024)}
	for i := range c.list {
		read, err := texts.next(n)
		if err != nil {
			return nil, err
		}
		t := &c.list[i]
		t.rows, t.text, t.pools = read.rows, read.text, read.pools
		t.ends = ends.take(len(read.ends))
		copy(t.ends, read.ends)
		rows += t.rows
		for _, p := range t.pools {
			c.inPools[p] += t.rows
		}
		if t.pools == nil {
			slots += t.slots()
		}
	}
	if err := texts.end(); err != nil {
		return nil, err
	}
	c.text = texts.literals(whole)
	if rows != n {
		return nil, errMalformed("templates have another number of rows")
	}
	c.ids.n, c.ids.below, c.ids.fault = n, count, d.fault
	if err := c.ids.read(d, n, false); err != nil {
		return nil, err
	}
	if c.body = d.b; uint64(len(c.body)) > math.MaxUint32 {
		return nil, errMalformed("columns of templates are too long")
	}
	if slots > len(c.body) {
		return nil, errEnd // each takes a byte at least
	}
	fields := make([]field, slots)
	var v visits
	for i := range c.list {
		t := &c.list[i]
		if t.pools != nil {
			continue
		}
		k := t.slots()
		t.fields, fields = fields[:k:k], fields[k:]
		if err := c.skipFields(d, t, &v); err != nil {
			return nil, err
		}
	}
	for p, size := range c.inPools {
		c.pools[p].at = uint32(len(c.body) - len(d.b))
		if c.pools[p].letters, err = d.skipPool(size, depth); err != nil {
			return nil, err
		}
		v.pools[p] = d.visits
	}
	for i := range c.list {
		if err := v.addPooled(c.list[i].pools); err != nil {
			return nil, err
		}
	}
	c.body = c.body[:len(c.body)-len(d.b)]
	return c, nil
}

// skipFields takes the columns of a template's slots off d and notes where they are.
func (c *templateColumn) skipFields(d *decoder, t *decodedTemplate, v *visits) error {
	for s := 0; s < len(t.fields); {
		if len(d.b) == 0 {
			return errEnd
		}
		at := uint32(len(c.body) - len(d.b))
		if d.b[0] == kindCopy {
			d.b = d.b[1:]
			from, err := d.copied(s)
			if err != nil {
				return err
			}
			v.slots[s] = v.slots[from]
			f := &t.fields[from]
			t.fields[s].base, t.fields[s].part, t.fields[s].letters = f.base, f.part, f.letters
			s++
			continue
		}
		kinds, slots, err := d.skipField(t.rows, c.ts != nil, s, c.depth, v)
		if err != nil {
			return err
		}
		if s+slots > len(t.fields) {
			return errMalformed("time of day beyond the template's end")
		}
		for k := range slots {
			f := &t.fields[s+k]
			f.at, f.base, f.part, f.letters = at, uint8(s), uint8(k), kinds
		}
		v.put(s, slots, d.visits)
		s += slots
	}
	return v.add(len(t.fields))
}

// copied reads which earlier slot slot s repeats.
func (d *decoder) copied(s int) (int, error) {
	from, err := d.count(s - 1)
	if err != nil || s == 0 {
		return 0, errMalformed("copy of a later slot")
	}
	return from, nil
}

// templateHead is what stands before the pieces in a template's text.
type templateHead struct {
	slots, rows int
	pools       []byte
}

// read takes the head off b: slots and whether they are pooled, rows, the pools.
func (t *templateHead) read(b []byte, most int) (rest []byte, err error) {
	shape, k := binary.Uvarint(b)
	slots := shape >> 1
	if k <= 0 || slots > maxSlots {
		return nil, errMalformed("template slots")
	}
	t.slots = int(slots)
	b = b[k:]
	rows, k := binary.Uvarint(b)
	if k <= 0 || rows == 0 || rows > uint64(most) {
		return nil, errMalformed("template rows")
	}
	t.rows = int(rows)
	b = b[k:]
	if shape&1 != 0 {
		if slots > uint64(len(b)) {
			return nil, errMalformed("template pools")
		}
		t.pools = b[:slots:slots]
		b = b[slots:]
		for _, p := range t.pools {
			if p >= poolCount {
				return nil, errMalformed("template pools")
			}
		}
	}
	return b, nil
}

// readPieces takes the lengths of the pieces and the pieces off b, and fills ends with where they end.
func (t *templateHead) readPieces(b []byte, ends []uint32) (pieces, rest []byte, err error) {
	size := uint64(0)
	for i := range ends {
		v, k := binary.Uvarint(b)
		if k <= 0 || v > 1<<31 {
			return nil, nil, errMalformed("template text")
		}
		if size += v; size > uint64(len(b)) {
			return nil, nil, errMalformed("template text")
		}
		ends[i] = uint32(size)
		b = b[k:]
	}
	if size > uint64(len(b)) {
		return nil, nil, errMalformed("template text")
	}
	return b[:size:size], b[size:], nil
}

// endSlab gives many small slices out of few large ones.
type endSlab struct {
	size int // of a large one
	free []uint32
}

func (s *endSlab) take(n int) []uint32 {
	if n > len(s.free) {
		s.free = make([]uint32, max(n, s.size))
	}
	out := s.free[:n:n]
	s.free = s.free[n:]
	return out
}
