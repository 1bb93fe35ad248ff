package columnar

import "encoding/binary"

// templateColumn rebuilds values from templates and their variables.
type templateColumn struct {
	ids   []uint64
	index []int32 // row's place among the rows of its template
	list  []decodedTemplate
}

type decodedTemplate struct {
	pieces [][]byte
	fields []field // one per slot
	pools  []byte  // of a rare template: the pool of each slot
}

// field gives one slot's text.
type field struct {
	column Column
	clock  *clockColumn
	part   int
}

func (f *field) append(dst []byte, row int) []byte {
	if f.clock != nil {
		return appendClock(dst, f.clock.values[row], f.clock.digits, f.part)
	}
	return f.column.Append(dst, row)
}

func (c *templateColumn) Append(dst []byte, row int) []byte {
	t := &c.list[c.ids[row]]
	at := int(c.index[row])
	for i := range t.fields {
		dst = append(dst, t.pieces[i]...)
		dst = t.fields[i].append(dst, at)
	}
	return append(dst, t.pieces[len(t.fields)]...)
}

func (d *decoder) templates(n int, ts []int64, depth int) (Column, error) {
	count, err := d.count(min(n, 1<<16))
	if err != nil || count == 0 {
		return nil, errMalformed("template count")
	}
	text, err := d.block(d.left)
	if err != nil {
		return nil, err
	}
	c := &templateColumn{list: make([]decodedTemplate, count), index: make([]int32, n)}
	for i := range c.list {
		if text, err = c.list[i].read(text); err != nil {
			return nil, err
		}
	}
	if c.ids, err = d.readInts(n, nil); err != nil {
		return nil, err
	}
	rows := make([]int, count)
	for i, id := range c.ids {
		if id >= uint64(count) {
			return nil, errMalformed("template index")
		}
		c.index[i] = int32(rows[id])
		rows[id]++
	}
	times := make([][]int64, count)
	if ts != nil {
		for i, id := range c.ids {
			if times[id] == nil {
				times[id] = make([]int64, 0, rows[id])
			}
			times[id] = append(times[id], ts[i])
		}
	}
	pooled := false
	for i := range c.list {
		t := &c.list[i]
		if rows[i] == 0 {
			return nil, errMalformed("template without rows")
		}
		if t.pools != nil {
			t.fields = make([]field, len(t.pools))
			pooled = true
			continue
		}
		if err := d.fields(t, rows[i], times[i], depth); err != nil {
			return nil, err
		}
	}
	if pooled {
		return c, d.readPools(c, rows, depth)
	}
	return c, nil
}

func (d *decoder) fields(t *decodedTemplate, rows int, ts []int64, depth int) error {
	slots := len(t.pieces) - 1
	for len(t.fields) < slots {
		if len(d.b) > 0 && d.b[0] == kindTime {
			d.b = d.b[1:]
			clock, err := d.readClock(rows, ts)
			if err != nil {
				return err
			}
			if len(t.fields)+clock.slots > slots {
				return errMalformed("time of day beyond the template's end")
			}
			for k := range clock.slots {
				t.fields = append(t.fields, field{clock: clock, part: k})
			}
			continue
		}
		if len(d.b) > 0 && d.b[0] == kindCopy {
			d.b = d.b[1:]
			from, err := d.count(len(t.fields))
			if err != nil || from == len(t.fields) {
				return errMalformed("copy of a later slot")
			}
			t.fields = append(t.fields, t.fields[from])
			continue
		}
		col, err := d.column(rows, ts, depth+1)
		if err != nil {
			return err
		}
		t.fields = append(t.fields, field{column: col})
	}
	return nil
}

// read takes a template's text off b: slots and whether they are pooled, the pools, the lengths of slots+1 pieces, the pieces.
func (t *decodedTemplate) read(b []byte) (rest []byte, err error) {
	shape, k := binary.Uvarint(b)
	slots := shape >> 1
	if k <= 0 || slots > maxSlots*4 {
		return nil, errMalformed("template slots")
	}
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
	lens := make([]uint64, slots+1)
	for i := range lens {
		v, k := binary.Uvarint(b)
		if k <= 0 || v > 1<<31 {
			return nil, errMalformed("template text")
		}
		lens[i] = v
		b = b[k:]
	}
	t.pieces = make([][]byte, slots+1)
	for i, l := range lens {
		if l > uint64(len(b)) {
			return nil, errMalformed("template text")
		}
		t.pieces[i] = b[:l:l]
		b = b[l:]
	}
	return b, nil
}
