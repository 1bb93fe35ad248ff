package query

import (
	"context"
	"slices"
	"sort"

	"github.com/prometheus/prometheus/model/labels"
)

// aggregate is a mergeable aggregation. P is its state over some samples; the state of no samples is not represented.
type aggregate[P any] struct {
	size  int64                              // bytes that a P takes, for the memory limit
	first func(ts int64, v float64) P        // state of one sample
	add   func(p *P, ts int64, v float64)    // one more sample; samples of one stream come in time order
	merge func(p *P, q *P)                   // p becomes the state of both; where times are equal, p's samples came first. q is unchanged
	value func(p *P, from, to int64) float64 // result for the window (from, to]
	more  int64                              // bytes that P grows by with every further sample
	// windows evaluates a series where states cannot be merged window by window; nil = they can.
	windows func(c *cells[P], g *grid, emit func(step int, v float64))
	// copy gives a state that changes apart from p; nil = a plain copy does.
	copy func(p *P) P
	// extent is what a state takes beyond size, in bytes; nil = nothing.
	extent func(p *P) int64
}

// cells is a sparse list of grid cells with a state each, ascending.
type cells[P any] struct {
	index []int64
	state []P
}

// partial is what some rows contribute to an aggregation: per series a list of cells.
type partial[P any] struct {
	seriesTable
	agg   *aggregate[P]
	cells []cells[P] // of each series
}

// part is a partial of any state, as the workers use it.
type part interface {
	// series gives the index of a label set, or -1 when there are too many series or too little memory.
	series(ls labels.Labels) int
	// add folds a sample into a series' cell.
	add(series int, cell, ts int64, v float64)
	// failure gives the limit that was passed, if any.
	failure() error
	// absorb merges a part of the same kind whose samples come later in the fixed order of tasks; the other part must not be used any more.
	absorb(part)
	// keep gives a part that holds the same now and does not change, with cells numbered anew by adding shift, and the bytes it takes. It
	// counts for no query's memory.
	keep(shift int64) (part, int64)
	// absorbKept is absorb for a part that keep gave, which stays as it is; shift is added to its cells' numbers.
	absorbKept(kept part, shift int64)
	// finish evaluates every window of the grid.
	finish(context.Context, *grid) ([]leafSeries, error)
	// truncated reports whether series were left out.
	truncated() bool
	release()
}

// leafSeries is an evaluated range aggregation: the steps at which the series has a value, ascending, and the values.
type leafSeries struct {
	labels labels.Labels
	steps  []int32
	values []float64
}

func newPartial[P any](agg *aggregate[P], mem *memory, maxSeries int, cut bool) *partial[P] {
	return &partial[P]{agg: agg, seriesTable: newSeriesTable(mem, maxSeries, cut)}
}

func (p *partial[P]) series(ls labels.Labels) int {
	i, isNew := p.find(ls)
	if isNew {
		p.cells = append(p.cells, cells[P]{})
	}
	return i
}

func (p *partial[P]) add(series int, cell, ts int64, v float64) {
	c := &p.cells[series]
	n := len(c.index)
	if n > 0 && c.index[n-1] == cell {
		p.addTo(&c.state[n-1], ts, v)
		return
	}
	if n == 0 || c.index[n-1] < cell {
		c.index = append(c.index, cell)
		c.state = append(c.state, p.agg.first(ts, v))
		p.owe(p.agg.size + 8)
		return
	}
	i := sort.Search(n, func(i int) bool { return c.index[i] >= cell })
	if c.index[i] == cell {
		p.addTo(&c.state[i], ts, v)
		return
	}
	c.index = append(c.index, 0)
	c.state = append(c.state, c.state[n-1])
	copy(c.index[i+1:], c.index[i:])
	copy(c.state[i+1:], c.state[i:])
	c.index[i], c.state[i] = cell, p.agg.first(ts, v)
	p.owe(p.agg.size + 8)
}

func (p *partial[P]) addTo(state *P, ts int64, v float64) {
	p.agg.add(state, ts, v)
	if p.agg.more > 0 {
		p.owe(p.agg.more)
	}
}

func (p *partial[P]) absorb(other part) {
	q := other.(*partial[P])
	p.takeOver(&q.seriesTable)
	for i, ls := range q.labels {
		p.take(-seriesBytes(ls)) // p has its own entry for the series
		before := len(p.labels)
		at := p.series(ls)
		if at < 0 {
			continue
		}
		if at == before {
			p.cells[at] = q.cells[i]
			continue
		}
		p.mergeCells(&p.cells[at], &q.cells[i], nil)
	}
}

func (p *partial[P]) keep(shift int64) (part, int64) {
	q := &partial[P]{agg: p.agg, seriesTable: p.keptTable(), cells: make([]cells[P], len(p.cells))}
	bytes := int64(0)
	for i := range p.cells {
		var n int64
		q.cells[i], n = p.copyCells(&p.cells[i], shift)
		bytes += n + seriesBytes(p.labels[i])
	}
	return q, bytes
}

func (p *partial[P]) absorbKept(kept part, shift int64) {
	q := kept.(*partial[P])
	for i, ls := range q.labels {
		at := p.series(ls)
		if at < 0 {
			continue
		}
		c := &q.cells[i]
		p.take(p.cellBytes(c))
		if p.cells[at].index == nil {
			p.cells[at], _ = p.copyCells(c, shift)
			continue
		}
		shifted := cells[P]{index: shiftedCells(c.index, shift), state: c.state}
		p.mergeCells(&p.cells[at], &shifted, p.agg.copy)
	}
}

// copyCells copies cells and gives the bytes that the copy takes.
func (p *partial[P]) copyCells(c *cells[P], shift int64) (cells[P], int64) {
	out := cells[P]{index: shiftedCells(c.index, shift), state: slices.Clone(c.state)}
	if p.agg.copy != nil {
		for i := range c.state {
			out.state[i] = p.agg.copy(&c.state[i])
		}
	}
	return out, p.cellBytes(c)
}

// shiftedCells gives numbers of cells with shift added.
func shiftedCells(index []int64, shift int64) []int64 {
	out := make([]int64, len(index))
	for i, x := range index {
		out[i] = x + shift
	}
	return out
}

func (p *partial[P]) cellBytes(c *cells[P]) int64 {
	bytes := int64(len(c.index)) * (p.agg.size + 8)
	if p.agg.extent != nil {
		for i := range c.state {
			bytes += p.agg.extent(&c.state[i])
		}
	}
	return bytes
}

// mergeCells merges b, which comes later, into a. States of b that stay as they are go through own, unless it is nil.
func (p *partial[P]) mergeCells(a, b *cells[P], own func(*P) P) {
	take := func(j int) P {
		if own != nil {
			return own(&b.state[j])
		}
		return b.state[j]
	}
	if n := len(a.index); n == 0 || len(b.index) == 0 || a.index[n-1] < b.index[0] {
		a.index = append(a.index, b.index...)
		for j := range b.state {
			a.state = append(a.state, take(j))
		}
		return
	}
	if covers(a.index, b.index) {
		i := 0
		for j, index := range b.index {
			for a.index[i] < index {
				i++
			}
			p.agg.merge(&a.state[i], &b.state[j])
		}
		return
	}
	index := make([]int64, 0, len(a.index)+len(b.index))
	state := make([]P, 0, len(a.index)+len(b.index))
	i, j := 0, 0
	for i < len(a.index) || j < len(b.index) {
		switch {
		case j == len(b.index) || i < len(a.index) && a.index[i] < b.index[j]:
			index, state = append(index, a.index[i]), append(state, a.state[i])
			i++
		case i == len(a.index) || b.index[j] < a.index[i]:
			index, state = append(index, b.index[j]), append(state, take(j))
			j++
		default:
			p.agg.merge(&a.state[i], &b.state[j])
			index, state = append(index, a.index[i]), append(state, a.state[i])
			i++
			j++
		}
	}
	a.index, a.state = index, state
}

// covers reports whether every number of the ascending list b is in the ascending list a.
func covers(a, b []int64) bool {
	i := 0
	for _, x := range b {
		for i < len(a) && a[i] < x {
			i++
		}
		if i == len(a) || a[i] != x {
			return false
		}
	}
	return true
}

func (p *partial[P]) finish(ctx context.Context, g *grid) ([]leafSeries, error) {
	out := make([]leafSeries, 0, len(p.labels))
	for i := range p.labels {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		s := leafSeries{labels: p.labels[i]}
		emit := func(step int, v float64) {
			s.steps = append(s.steps, int32(step))
			s.values = append(s.values, v)
		}
		if p.agg.windows != nil {
			p.agg.windows(&p.cells[i], g, emit)
		} else {
			p.agg.slide(&p.cells[i], g, emit)
		}
		p.take(int64(len(s.steps)) * 12)
		if p.err != nil {
			return nil, p.err
		}
		p.cells[i] = cells[P]{}
		if len(s.steps) > 0 {
			out = append(out, s)
		}
	}
	return out, nil
}
