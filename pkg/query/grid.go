package query

import "math"

// grid lays evaluation times and their windows over the time axis. Step k is evaluated at start+k·step over the window
// (start+k·step−offset−rng, start+k·step−offset]. The edges of all windows cut the axis into cells, at most two per step, open on the left and
// closed on the right; a window is a run of consecutive cells, so partials kept per cell give every window exactly.
type grid struct {
	start, step int64
	n           int
	rng, offset int64

	base  int64 // left edge of cell 0
	edge  int64 // rng mod step: where the second cell of a step begins; 0 = one cell per step
	whole int64 // rng div step
}

func newGrid(start, step int64, n int, rng, offset int64) *grid {
	if n <= 1 || step <= 0 {
		n = min(n, 1)
		step = max(rng, 1)
	}
	return &grid{
		start: start, step: step, n: n, rng: rng, offset: offset,
		base: saturatingSub(saturatingSub(start, offset), rng), edge: rng % step, whole: rng / step,
	}
}

func saturatingSub(a, b int64) int64 {
	c := a - b
	switch {
	case b > 0 && c > a:
		return math.MinInt64
	case b < 0 && c < a:
		return math.MaxInt64
	}
	return c
}

// time gives the evaluation time of a step.
func (g *grid) time(step int) int64 { return g.start + int64(step)*g.step }

// bounds gives the first and last timestamp that some window may hold; ok is false when no window holds any.
func (g *grid) bounds() (mint, maxt int64, ok bool) {
	if g.n <= 0 || g.rng <= 0 {
		return 0, 0, false
	}
	return g.base + 1, saturatingSub(g.time(g.n-1), g.offset), true
}

// cell is a cell of a grid with its edges: (lo, hi].
type cell struct {
	index  int64
	lo, hi int64
	inside bool // some window covers it
}

// holds reports whether the cell was set and holds ts.
func (c *cell) holds(ts int64) bool { return ts > c.lo && ts <= c.hi }

// locate gives the cell that holds ts, which must lie within bounds.
func (g *grid) locate(ts int64) cell {
	x := ts - g.base - 1
	q, r := x/g.step, x%g.step
	lo := g.base + q*g.step
	if g.edge == 0 {
		return cell{index: q, lo: lo, hi: lo + g.step, inside: true}
	}
	if r < g.edge {
		return cell{index: 2 * q, lo: lo, hi: lo + g.edge, inside: true}
	}
	return cell{index: 2*q + 1, lo: lo + g.edge, hi: lo + g.step, inside: g.whole > 0}
}

// window gives the first and last cell of a step's window.
func (g *grid) window(step int) (first, last int64) {
	k := int64(step)
	if g.edge == 0 {
		return k, k + g.whole - 1
	}
	return 2 * k, 2 * (k + g.whole)
}

// stepReaching gives the first step from `from` on whose window does not end before the cell.
func (g *grid) stepReaching(cell int64, from int) int {
	k := cell - g.whole + 1
	if g.edge != 0 {
		k = (cell+1)/2 - g.whole
	}
	return int(max(k, int64(from)))
}
