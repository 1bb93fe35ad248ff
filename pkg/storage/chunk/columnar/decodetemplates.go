package columnar

import (
	"encoding/binary"
	"sync"
)

// templateColumn rebuilds values from templates and their variables.
type templateColumn struct {
	list []decodedTemplate
	ids  *intStream
	ts   rowTimes

	once  sync.Once
	index []int32   // row's place among the rows of its template
	rowOf [][]int32 // per template: its rows

	pools     [poolCount]column // of the rare templates; nil where there are no values
	poolSizes [poolCount]int
	places    *poolPlaces

	shapesOnce sync.Once
	shapeList  []Shape
}

type decodedTemplate struct {
	pieces [][]byte
	rows   int
	fields []field // one per slot
	pools  []byte  // of a rare template: the pool of each slot
}

// field gives one slot's text.
type field struct {
	column column
	clock  *clockColumn
	part   int
}

func (f *field) append(dst []byte, row int) []byte {
	if f.clock != nil {
		return appendClock(dst, f.clock.all()[row], f.clock.digits, f.part)
	}
	return f.column.append(dst, row)
}

// locate finds each row's place in its template; it is needed before a value is rebuilt.
func (c *templateColumn) locate() {
	c.once.Do(func() {
		ids := c.ids.all()
		rowOf := make([][]int32, len(c.list))
		for i := range c.list {
			rowOf[i] = make([]int32, 0, c.list[i].rows)
		}
		index := make([]int32, len(ids))
		for row, id := range ids {
			index[row] = int32(len(rowOf[id]))
			rowOf[id] = append(rowOf[id], int32(row))
		}
		for i := range c.list {
			if len(rowOf[i]) != c.list[i].rows {
				c.ids.fault.set(errMalformed("template has another number of rows"))
				clear(index) // every template has a row 0
			}
		}
		c.index, c.rowOf = index, rowOf
	})
}

func (c *templateColumn) append(dst []byte, row int) []byte {
	c.locate()
	t := &c.list[c.ids.all()[row]]
	at := int(c.index[row])
	for i := range t.fields {
		dst = append(dst, t.pieces[i]...)
		dst = t.fields[i].append(dst, at)
	}
	return append(dst, t.pieces[len(t.fields)]...)
}

// timesOf returns the timestamps of one template's rows.
func (c *templateColumn) timesOf(id int) rowTimes {
	if c.ts == nil {
		return nil
	}
	return sync.OnceValue(func() []int64 {
		c.locate()
		all := c.ts()
		out := make([]int64, c.list[id].rows)
		for i := range out {
			if i < len(c.rowOf[id]) {
				out[i] = all[c.rowOf[id][i]]
			}
		}
		return out
	})
}

func (d *decoder) templates(n int, ts rowTimes, depth int) (column, error) {
	count, err := d.count(min(n, 1<<16))
	if err != nil || count == 0 {
		return nil, errMalformed("template count")
	}
	text, err := d.block(d.left)
	if err != nil {
		return nil, err
	}
	c := &templateColumn{list: make([]decodedTemplate, count), ts: ts}
	rows, slots := 0, 0
	var pieces pieceSlab
	for i := range c.list {
		if text, err = c.list[i].read(text, n, &pieces); err != nil {
			return nil, err
		}
		rows += c.list[i].rows
		slots += len(c.list[i].pieces) - 1
	}
	fields := make([]field, slots)
	for i := range c.list {
		t := &c.list[i]
		n := len(t.pieces) - 1
		t.fields, fields = fields[:0:n], fields[n:]
	}
	if rows != n {
		return nil, errMalformed("templates have another number of rows")
	}
	if c.ids, err = d.ints(n, nil); err != nil {
		return nil, err
	}
	c.ids.below = uint64(count)
	pooled := false
	for i := range c.list {
		t := &c.list[i]
		if t.pools != nil {
			pooled = true
			continue
		}
		if err := d.fields(t, c.timesOf(i), depth); err != nil {
			return nil, err
		}
	}
	if pooled {
		return c, d.pools(c, depth)
	}
	return c, nil
}

func (d *decoder) fields(t *decodedTemplate, ts rowTimes, depth int) error {
	slots := len(t.pieces) - 1
	for len(t.fields) < slots {
		if len(d.b) == 0 {
			return errMalformed("unexpected end")
		}
		switch d.b[0] {
		case kindTime:
			d.b = d.b[1:]
			clock, err := d.clock(t.rows, ts)
			if err != nil {
				return err
			}
			if len(t.fields)+clock.slots > slots {
				return errMalformed("time of day beyond the template's end")
			}
			for k := range clock.slots {
				t.fields = append(t.fields, field{clock: clock, part: k})
			}
		case kindCopy:
			d.b = d.b[1:]
			from, err := d.count(len(t.fields) - 1)
			if err != nil || len(t.fields) == 0 {
				return errMalformed("copy of a later slot")
			}
			t.fields = append(t.fields, t.fields[from])
		default:
			col, err := d.column(t.rows, ts, depth+1)
			if err != nil {
				return err
			}
			t.fields = append(t.fields, field{column: col})
		}
	}
	return nil
}

// pieceSlab gives many small slices out of few large ones.
type pieceSlab struct {
	free [][]byte
	lens []uint64
}

func (s *pieceSlab) take(n int) [][]byte {
	if n > len(s.free) {
		s.free = make([][]byte, max(n, 512))
	}
	out := s.free[:n:n]
	s.free = s.free[n:]
	return out
}

// lengths gives room for n numbers until the next call.
func (s *pieceSlab) lengths(n int) []uint64 {
	if n > cap(s.lens) {
		s.lens = make([]uint64, max(n, 64))
	}
	return s.lens[:n]
}

// read takes a template's text off b: slots and whether they are pooled, rows, the pools, the lengths of slots+1 pieces, the pieces.
func (t *decodedTemplate) read(b []byte, most int, slab *pieceSlab) (rest []byte, err error) {
	shape, k := binary.Uvarint(b)
	slots := shape >> 1
	if k <= 0 || slots > maxSlots {
		return nil, errMalformed("template slots")
	}
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
	lens := slab.lengths(int(slots) + 1)
	for i := range lens {
		v, k := binary.Uvarint(b)
		if k <= 0 || v > 1<<31 {
			return nil, errMalformed("template text")
		}
		lens[i] = v
		b = b[k:]
	}
	t.pieces = slab.take(int(slots) + 1)
	for i, l := range lens {
		if l > uint64(len(b)) {
			return nil, errMalformed("template text")
		}
		t.pieces[i] = b[:l:l]
		b = b[l:]
	}
	return b, nil
}
