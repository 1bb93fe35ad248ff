package query

import (
	"cmp"
	"context"
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

// valueColumn is the samples of one series, in no order.
type valueColumn struct {
	cells  []int64
	values []float64
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
			l.cells, l.values = append(l.cells, q.columns[i].cells...), append(l.values, q.columns[i].values...)
		}
	}
}

func (p *valueColumns) keep(shift int64) (part, int64) {
	q := &valueColumns{seriesTable: p.keptTable(), columns: make([]valueColumn, len(p.columns))}
	bytes := int64(0)
	for i, l := range p.columns {
		q.columns[i] = valueColumn{cells: shiftedCells(l.cells, shift), values: slices.Clone(l.values)}
		bytes += int64(len(l.cells))*valueBytes + seriesBytes(p.labels[i])
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
		from, l := &q.columns[i], &p.columns[at]
		p.take(int64(len(from.cells)) * valueBytes)
		l.values = append(l.values, from.values...)
		l.cells = slices.Grow(l.cells, len(from.cells))
		for _, c := range from.cells {
			l.cells = append(l.cells, c+shift)
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
		room := int64(len(p.columns[i].values)) * (8 + 32)
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
	if len(l.cells) == 0 {
		return c
	}
	least, greatest := slices.Min(l.cells), slices.Max(l.cells)
	if uint64(greatest)-uint64(least) > uint64(4*len(l.cells)+1024) {
		return l.inFarCells()
	}
	ends := make([]int32, greatest-least+1)
	for _, cell := range l.cells {
		ends[cell-least]++
	}
	sum := int32(0)
	for i, n := range ends {
		ends[i] = sum
		sum += n
	}
	values := make(valueList, len(l.values))
	for i, cell := range l.cells {
		at := &ends[cell-least]
		values[*at] = l.values[i]
		*at++
	}
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

// inFarCells is inCells for few samples in cells that lie far apart.
func (l *valueColumn) inFarCells() cells[valueList] {
	order := make([]int32, len(l.cells))
	for i := range order {
		order[i] = int32(i)
	}
	slices.SortStableFunc(order, func(a, b int32) int { return cmp.Compare(l.cells[a], l.cells[b]) })
	var c cells[valueList]
	for _, i := range order {
		if n := len(c.index); n == 0 || c.index[n-1] != l.cells[i] {
			c.index, c.state = append(c.index, l.cells[i]), append(c.state, nil)
		}
		last := &c.state[len(c.state)-1]
		*last = append(*last, l.values[i])
	}
	return c
}
