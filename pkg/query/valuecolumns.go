package query

import (
	"cmp"
	"context"
	"math"
	"slices"

	"github.com/prometheus/prometheus/model/labels"
)

// valueColumns is a part that keeps the values of all samples, for quantiles: what cannot be merged to less. Its values are brought into cells in
// the end only, since a run has hardly more samples than cells.
type valueColumns struct {
	seriesTable
	quantile float64
	columns  []valueColumn // of each series
}

// valueColumn is the samples of one series, in no order: those that are being added, and runs of others, which do not change any more.
type valueColumn struct {
	valueRun
	others []valueRun
}

// valueRun is samples by their cells, of which shift is to be added to the numbers.
type valueRun struct {
	cells  []int64
	values []float64
	shift  int64
}

// firstValues is the room that a run begins with.
const firstValues = 32

// each calls do for every run.
func (l *valueColumn) each(do func(r *valueRun)) {
	if len(l.cells) > 0 {
		do(&l.valueRun)
	}
	for i := range l.others {
		do(&l.others[i])
	}
}

func (l *valueColumn) len() (n int) {
	l.each(func(r *valueRun) { n += len(r.cells) })
	return n
}

// smallRun is the number of samples below which a run is copied: by itself it would take much more room than its samples do.
const smallRun = 256

// take takes over a run that does not change any more.
func (l *valueColumn) take(r *valueRun) {
	if len(r.cells) >= smallRun {
		l.others = append(l.others, *r)
		return
	}
	for _, c := range r.cells {
		l.cells = append(l.cells, c+r.shift)
	}
	l.values = append(l.values, r.values...)
}

// valueBytes is what the value of a sample takes.
const valueBytes = 16

func newValueColumns(quantile float64, mem *memory, maxSeries int, cut bool) *valueColumns {
	return &valueColumns{quantile: quantile, seriesTable: newSeriesTable(mem, maxSeries, cut)}
}

func (p *valueColumns) series(ls labels.Labels) int {
	i, isNew := p.find(ls)
	if isNew {
		p.columns = append(p.columns, valueColumn{})
	}
	return i
}

func (p *valueColumns) add(series int, cell, _ int64, v float64) {
	l := &p.columns[series]
	if l.cells == nil {
		l.cells, l.values = make([]int64, 0, firstValues), make([]float64, 0, firstValues)
	}
	l.cells = append(l.cells, cell)
	l.values = append(l.values, v)
	p.owe(valueBytes)
}

func (p *valueColumns) absorb(other part) {
	q := other.(*valueColumns)
	p.takeOver(&q.seriesTable)
	for i, ls := range q.labels {
		p.take(-seriesBytes(ls)) // p has its own entry for the series
		before := len(p.labels)
		switch at := p.series(ls); {
		case at < 0:
		case at == before:
			p.columns[at] = q.columns[i]
		default:
			l := &p.columns[at]
			q.columns[i].each(l.take)
		}
	}
}

func (p *valueColumns) keep(shift int64) (part, int64) {
	q := &valueColumns{seriesTable: p.keptTable(), columns: make([]valueColumn, len(p.columns))}
	bytes := int64(0)
	for i := range p.columns {
		l := &p.columns[i]
		n := l.len()
		run := valueRun{cells: make([]int64, 0, n), values: make([]float64, 0, n)}
		l.each(func(r *valueRun) {
			for _, c := range r.cells {
				run.cells = append(run.cells, c+r.shift+shift)
			}
			run.values = append(run.values, r.values...)
		})
		q.columns[i].others = []valueRun{run}
		bytes += int64(n)*valueBytes + seriesBytes(p.labels[i])
	}
	return q, bytes
}

func (p *valueColumns) absorbKept(kept part, shift int64) {
	q := kept.(*valueColumns)
	for i, ls := range q.labels {
		at := p.series(ls)
		if at < 0 {
			continue
		}
		l := &p.columns[at]
		for _, r := range q.columns[i].others {
			p.take(int64(len(r.cells)) * valueBytes)
			r.shift += shift
			l.take(&r)
		}
	}
}

func (p *valueColumns) finish(ctx context.Context, g *grid) ([]leafSeries, error) {
	out := make([]leafSeries, 0, len(p.labels))
	for i := range p.labels {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		s := leafSeries{labels: p.labels[i]}
		// The values, and a cell for each of them at most, are there twice for a while.
		room := int64(p.columns[i].len()) * (8 + 32)
		p.take(room)
		c := p.columns[i].inCells()
		p.columns[i] = valueColumn{}
		quantiles(p.quantile, &c, g, func(step int, v float64) {
			s.steps = append(s.steps, int32(step))
			s.values = append(s.values, v)
		})
		p.take(int64(len(s.steps))*12 - room)
		if p.err != nil {
			return nil, p.err
		}
		if len(s.steps) > 0 {
			out = append(out, s)
		}
	}
	return out, nil
}

// inCells brings the values into their cells.
func (l *valueColumn) inCells() cells[valueList] {
	var c cells[valueList]
	n := l.len()
	if n == 0 {
		return c
	}
	least, greatest := int64(math.MaxInt64), int64(math.MinInt64)
	l.each(func(r *valueRun) {
		least, greatest = min(least, slices.Min(r.cells)+r.shift), max(greatest, slices.Max(r.cells)+r.shift)
	})
	if uint64(greatest)-uint64(least) > uint64(4*n+1024) {
		return l.inFarCells(n)
	}
	ends := make([]int32, greatest-least+1)
	l.each(func(r *valueRun) {
		for _, cell := range r.cells {
			ends[cell+r.shift-least]++
		}
	})
	sum, filled := int32(0), 0
	for i, n := range ends {
		if ends[i] = sum; n > 0 {
			filled++
		}
		sum += n
	}
	values := make(valueList, n)
	l.each(func(r *valueRun) {
		for i, cell := range r.cells {
			at := &ends[cell+r.shift-least]
			values[*at] = r.values[i]
			*at++
		}
	})
	c.index, c.state = make([]int64, 0, filled), make([]valueList, 0, filled)
	from := int32(0)
	for i, end := range ends {
		if end > from {
			c.index = append(c.index, least+int64(i))
			c.state = append(c.state, values[from:end:end])
		}
		from = end
	}
	return c
}

// inFarCells is inCells for n samples in cells that lie far apart.
func (l *valueColumn) inFarCells(n int) cells[valueList] {
	type placed struct {
		cell  int64
		value float64
	}
	all := make([]placed, 0, n)
	l.each(func(r *valueRun) {
		for i, cell := range r.cells {
			all = append(all, placed{cell + r.shift, r.values[i]})
		}
	})
	slices.SortStableFunc(all, func(a, b placed) int { return cmp.Compare(a.cell, b.cell) })
	var c cells[valueList]
	for _, x := range all {
		if n := len(c.index); n == 0 || c.index[n-1] != x.cell {
			c.index, c.state = append(c.index, x.cell), append(c.state, nil)
		}
		last := &c.state[len(c.state)-1]
		*last = append(*last, x.value)
	}
	return c
}
