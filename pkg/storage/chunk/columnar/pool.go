package columnar

import "sync"

// A template with few rows has no columns of its own: its variables go, row by row and slot by slot, to pools that all such templates
// share, one for each class of text, so that a few numbers do not pay for a column each.
const (
	poolInts = iota
	poolUUIDs
	poolHex8
	poolHex16
	poolHex32
	poolHex
	poolOther
	poolCount
)

func poolOf(v []byte) uint8 {
	digits, hex := true, true
	for i, c := range v {
		if c == '-' && len(v) == 36 && (i == 8 || i == 13 || i == 18 || i == 23) {
			continue
		}
		digits = digits && c-'0' <= 9
		hex = hex && (hexLower[c] || hexUpper[c])
	}
	switch {
	case len(v) == 36 && hex:
		return poolUUIDs
	case len(v) == 8 && hex && !digits:
		return poolHex8
	case len(v) == 16 && hex && !digits:
		return poolHex16
	case len(v) == 32 && hex:
		return poolHex32
	case digits && len(v) > 0 && len(v) <= 19:
		return poolInts
	case hex && len(v) > 0:
		return poolHex
	}
	return poolOther
}

// classify returns the pool of each slot: the class that all of its values share.
func (t *template) classify(values [][]byte) []uint8 {
	n := t.slots()
	pools := make([]uint8, n)
	for s := range n {
		for i, row := range t.rows {
			sp := t.spans[i*n+s]
			p := poolOf(values[row][sp.off : sp.off+sp.n])
			switch {
			case i == 0:
				pools[s] = p
			case p == pools[s]:
			case p < poolOther && pools[s] < poolOther && p != poolUUIDs && pools[s] != poolUUIDs:
				pools[s] = poolHex
			default:
				pools[s] = poolOther
			}
		}
	}
	return pools
}

// poolColumns appends the pools in order, each as a column; the decoder derives their lengths from the templates and ids.
func (e *Encoder) poolColumns(dst []byte, list []*template, values [][]byte, ids []uint64, depth int) []byte {
	var pools [poolCount][][]byte
	next := make([]int, len(list))
	any := false
	for row, id := range ids {
		t := list[id]
		if t.pools == nil {
			continue
		}
		n := t.slots()
		at := next[id] * n
		next[id]++
		for s, p := range t.pools {
			sp := t.spans[at+s]
			pools[p] = append(pools[p], values[row][sp.off:sp.off+sp.n])
			any = true
		}
	}
	if !any {
		return dst
	}
	for _, values := range pools {
		if len(values) > 0 {
			dst = e.column(dst, values, nil, depth+1)
		}
	}
	return dst
}

// pools takes the pools off d and gives the pooled templates their fields.
func (d *decoder) pools(c *templateColumn, depth int) error {
	for i := range c.list {
		for _, p := range c.list[i].pools {
			c.poolSizes[p] += c.list[i].rows
		}
	}
	for p, n := range c.poolSizes {
		if n > d.left {
			return errMalformed("pool size")
		}
		if n > 0 {
			col, err := d.column(n, nil, depth+1)
			if err != nil {
				return err
			}
			c.pools[p] = col
		}
	}
	c.places = &poolPlaces{of: c}
	for i := range c.list {
		t := &c.list[i]
		for s, p := range t.pools {
			t.fields = append(t.fields, field{column: &pooledColumn{values: c.pools[p], places: c.places, template: i, slot: s}})
		}
	}
	return nil
}

// poolPlaces finds where the values of rare templates stand in the pools: they were put there in the order of the rows.
type poolPlaces struct {
	of   *templateColumn
	once sync.Once
	at   [][]int32 // per template: rows times slots
}

func (p *poolPlaces) all() [][]int32 {
	p.once.Do(func() {
		list := p.of.list
		p.at = make([][]int32, len(list))
		var next [poolCount]int32
		for _, id := range p.of.ids.all() {
			for _, pool := range list[id].pools {
				p.at[id] = append(p.at[id], next[pool])
				next[pool]++
			}
		}
	})
	return p.at
}

// poolSearch looks for a needle in pools, in each once however many templates share it.
type poolSearch struct {
	of       *templateColumn
	needle   []byte
	searched [poolCount]bool
	found    [poolCount]Rows // nil when nothing was found
}

func (s *poolSearch) in(pool byte) Rows {
	if !s.searched[pool] {
		s.searched[pool] = true
		if a := s.of.pools[pool].letters(); a.spells(s.needle) {
			rows := NewRows(s.of.poolSizes[pool])
			if s.of.pools[pool].search(s.needle, rows, s.of.poolSizes[pool]); !rows.Empty() {
				s.found[pool] = rows
			}
		}
	}
	return s.found[pool]
}

// add adds to rows the rows of a rare template that have the needle in a variable.
func (s *poolSearch) add(id int, rows Rows) {
	pools := s.of.list[id].pools
	var places []int32
	for slot, pool := range pools {
		found := s.in(pool)
		if found == nil {
			continue
		}
		if places == nil {
			if places = s.of.places.all()[id]; s.of.ids.fault.get() != nil {
				return
			}
			s.of.locate()
		}
		for i, row := range s.of.rowOf[id] {
			if at := i*len(pools) + slot; at < len(places) && found.Has(int(places[at])) {
				rows.Add(int(row))
			}
		}
	}
}

// pooledColumn is one slot of a rare template.
type pooledColumn struct {
	values         column
	places         *poolPlaces
	template, slot int
}

func (c *pooledColumn) append(dst []byte, row int) []byte {
	at := c.places.all()[c.template]
	i := row*len(c.places.of.list[c.template].pools) + c.slot
	if i >= len(at) || c.places.of.ids.fault.get() != nil {
		return dst
	}
	return c.values.append(dst, int(at[i]))
}
