package columnar

import (
	"sync"
	"sync/atomic"
)

// places finds rows in their templates, and the values of rare templates in their pools: row by row as long as few rows are asked for, then for
// all rows at once.
type places struct {
	rows  atomic.Pointer[rowPlaces]
	pools atomic.Pointer[[][]int32]
	asked atomic.Int32 // rows that were looked for one by one
	mu    sync.Mutex   // held while all rows are looked for
}

// singleRows is how many rows are looked for one by one before all are.
const singleRows = 8

// rowPlaces says which row of its template every row is, and which rows a template has.
type rowPlaces struct {
	index  []int32
	order  []int32 // the rows of template 0, then those of template 1, …
	starts []int32 // of each template in order, and its end
}

func (p *rowPlaces) rowsOf(id int) []int32 { return p.order[p.starts[id]:p.starts[id+1]] }

// place returns a row's template, and which of the template's rows it is.
func (c *templateColumn) place(row int) (id, at int) {
	if len(c.list) == 1 {
		return 0, row
	}
	ids := c.ids.all()
	id = int(ids[row])
	if p := c.places.rows.Load(); p != nil {
		return id, int(p.index[row])
	}
	if c.places.asked.Add(1) > singleRows {
		return id, int(c.allPlaces().index[row])
	}
	for _, other := range ids[:row] {
		if other == uint16(id) {
			at++
		}
	}
	if at >= c.list[id].rows {
		c.fault.set(errRows)
		at = 0
	}
	return id, at
}

var errRows = errMalformed("template has another number of rows")

// allPlaces looks for all rows. Rows that templates do not have are taken for their first.
func (c *templateColumn) allPlaces() *rowPlaces {
	if p := c.places.rows.Load(); p != nil {
		return p
	}
	c.places.mu.Lock()
	defer c.places.mu.Unlock()
	if p := c.places.rows.Load(); p != nil {
		return p
	}
	p := &rowPlaces{index: make([]int32, c.ids.n), order: make([]int32, c.ids.n), starts: make([]int32, len(c.list)+1)}
	for i := range c.list {
		p.starts[i+1] = p.starts[i] + int32(c.list[i].rows)
	}
	next := make([]int32, len(c.list))
	for row, id := range c.ids.all() {
		at := next[id]
		if int(at) >= c.list[id].rows {
			c.fault.set(errRows)
			continue
		}
		next[id]++
		p.index[row] = at
		p.order[p.starts[id]+at] = int32(row)
	}
	c.places.rows.Store(p)
	return p
}

// templateTimes are the timestamps of one template's rows.
type templateTimes struct {
	of *templateColumn
	id int
}

// All implements Times.
func (t *templateTimes) All() []int64 {
	tmpl := &t.of.list[t.id]
	if ts := tmpl.times.Load(); ts != nil {
		return *ts
	}
	ts := t.of.ts.All()
	if len(t.of.list) > 1 {
		out := make([]int64, tmpl.rows)
		for i, row := range t.of.allPlaces().rowsOf(t.id) {
			out[i] = ts[row]
		}
		ts = out
	}
	tmpl.times.Store(&ts)
	return ts
}

// At implements Times.
func (t *templateTimes) At(i int) int64 {
	if ts := t.of.list[t.id].times.Load(); ts != nil {
		return (*ts)[i]
	}
	return t.of.ts.At(t.of.rowOf(t.id, i))
}

// rowOf returns the at-th row of a template.
func (c *templateColumn) rowOf(id, at int) int {
	if len(c.list) == 1 {
		return at
	}
	p := c.places.rows.Load()
	if p == nil && c.places.asked.Add(1) > singleRows {
		p = c.allPlaces()
	}
	if p != nil {
		return int(p.rowsOf(id)[at])
	}
	for row, other := range c.ids.all() {
		if other != uint16(id) {
			continue
		}
		if at == 0 {
			return row
		}
		at--
	}
	c.fault.set(errRows)
	return 0
}

// poolStarts counts the values that rows before row have in each pool.
func (c *templateColumn) poolStarts(row int) (starts [poolCount]int32) {
	for _, id := range c.ids.all()[:row] {
		for _, p := range c.list[id].pools {
			starts[p]++
		}
	}
	return starts
}

// allPools says for every rare template where the values of its rows stand in the pools, slot by slot.
func (c *templateColumn) allPools() [][]int32 {
	if p := c.places.pools.Load(); p != nil {
		return *p
	}
	c.places.mu.Lock()
	defer c.places.mu.Unlock()
	if p := c.places.pools.Load(); p != nil {
		return *p
	}
	at := make([][]int32, len(c.list))
	var next [poolCount]int32
	for _, id := range c.ids.all() {
		for _, p := range c.list[id].pools {
			at[id] = append(at[id], next[p])
			next[p]++
		}
	}
	c.places.pools.Store(&at)
	return at
}

// appendPooled appends a row of a rare template.
func (c *templateColumn) appendPooled(dst []byte, id, row, at int) []byte {
	t, start := &c.list[id], len(dst)
	one := c.places.rows.Load() == nil && len(c.list) > 1
	var next [poolCount]int32
	if one {
		next = c.poolStarts(row)
	}
	for slot, p := range t.pools {
		dst = append(dst, t.piece(slot)...)
		if one {
			dst = c.appendFromPool(dst, p, int(next[p]))
			next[p]++
		} else {
			dst = c.appendPooledSlot(dst, id, slot, at)
		}
		if len(dst)-start > c.longest {
			return c.tooLong(dst[:start])
		}
	}
	return append(dst, t.piece(len(t.pools))...)
}

// appendPooledSlot appends the text of a slot in the at-th row of a rare template.
func (c *templateColumn) appendPooledSlot(dst []byte, id, slot, at int) []byte {
	t := &c.list[id]
	positions := c.allPools()[id]
	i := at*len(t.pools) + slot
	if i >= len(positions) {
		c.fault.set(errRows)
		return dst
	}
	return c.appendFromPool(dst, t.pools[slot], int(positions[i]))
}

func (c *templateColumn) appendFromPool(dst []byte, pool byte, at int) []byte {
	if at >= c.inPools[pool] {
		c.fault.set(errRows)
		return dst
	}
	return c.pool(pool).append(dst, at)
}
