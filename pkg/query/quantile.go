package query

import (
	"cmp"
	"math"
	"slices"
)

// valueList is the values of the samples of a cell.
type valueList []float64

// quantiles evaluates the windows of a series. It changes the order of values within their cells.
func quantiles(q float64, c *cells[valueList], g *grid, emit func(int, float64)) {
	if first, last := g.window(0); last-first >= manyCells {
		slidingQuantile(q, c, g, emit)
		return
	}
	if edgeQuantiles(q, c, g, emit) {
		return
	}
	for i := range c.state {
		slices.Sort(c.state[i])
	}
	windowQuantiles(q, c, g, emit)
}

// manyCells is the number of cells in a window from which on a rank tree finds ranks faster than a search through each cell.
const manyCells = 32

// windowQuantiles finds the ranks of every window among the sorted values of its cells.
func windowQuantiles(q float64, c *cells[valueList], g *grid, emit func(int, float64)) {
	var s selection
	eachWindow(c, g, func(k, i, j, n int) {
		lists := c.state[i:j]
		s.reset()
		emit(k, quantileOf(q, n, func(rank int) float64 { return s.find(lists, rank) }))
	})
}

// eachWindow calls do for every step whose window holds cells: these are cells i to j-1, with n values.
func eachWindow(c *cells[valueList], g *grid, do func(step, i, j, n int)) {
	i, j, total := 0, 0, 0
	for k := 0; k < g.n; k++ {
		first, last := g.window(k)
		for ; j < len(c.index) && c.index[j] <= last; j++ {
			total += len(c.state[j])
		}
		for ; i < j && c.index[i] < first; i++ {
			total -= len(c.state[i])
		}
		if i == j {
			if j == len(c.index) {
				return
			}
			k = g.stepReaching(c.index[j], k+1) - 1
			continue
		}
		do(k, i, j, total)
	}
}

// selection finds values by rank in several sorted lists together. After one was found, the next one is at hand.
type selection struct {
	lo, hi, below, upTo []int

	found, same int // the rank found last, and the rank where greater values begin
	value       float64
}

// reset begins with other lists.
func (s *selection) reset() { s.found = -2 }

// find gives the n-th smallest value of all lists, from 0, NaN sorted first. There are more than n values.
func (s *selection) find(lists []valueList, n int) float64 {
	switch {
	case len(lists) == 1:
		return lists[0][n]
	case n == s.found, n == s.found+1 && n < s.same:
		return s.value
	case n == s.found+1:
		least, any := 0.0, false
		for i, l := range lists {
			if at := s.upTo[i]; at < len(l) && (!any || l[at] < least) {
				least, any = l[at], true
			}
		}
		return least
	}
	s.lo, s.hi, s.below, s.upTo = s.lo[:0], s.hi[:0], s.below[:0], s.upTo[:0]
	for _, l := range lists {
		s.lo, s.hi = append(s.lo, 0), append(s.hi, len(l))
		s.below, s.upTo = append(s.below, 0), append(s.upTo, 0)
	}
	for {
		// The value lies in some list between lo and hi: its middle in the widest one tells on which side.
		widest := 0
		for i := range lists {
			if s.hi[i]-s.lo[i] > s.hi[widest]-s.lo[widest] {
				widest = i
			}
		}
		pivot := lists[widest][(s.lo[widest]+s.hi[widest])/2]
		below, upTo := 0, 0
		for i, l := range lists {
			s.below[i] = s.lo[i] + bound(l[s.lo[i]:s.hi[i]], pivot, 0)
			s.upTo[i] = s.below[i] + bound(l[s.below[i]:s.hi[i]], pivot, 1)
			below, upTo = below+s.below[i], upTo+s.upTo[i]
		}
		switch {
		case n < below:
			s.hi, s.below = s.below, s.hi
		case n >= upTo:
			s.lo, s.upTo = s.upTo, s.lo
		default:
			s.found, s.same, s.value = n, upTo, pivot
			return pivot
		}
	}
}

// bound gives the number of values of a sorted list that compare with v to less than least, which is 0 or 1. A list without NaN, which
// would come first, is searched without looking for it.
func bound(list []float64, v float64, least int) int {
	lo, hi := 0, len(list)
	if hi == 0 || !math.IsNaN(list[0]) && !math.IsNaN(v) {
		for lo < hi {
			mid := int(uint(lo+hi) >> 1)
			if list[mid] < v || least > 0 && list[mid] == v {
				lo = mid + 1
			} else {
				hi = mid
			}
		}
		return lo
	}
	for lo < hi {
		mid := int(uint(lo+hi) >> 1)
		if cmp.Compare(list[mid], v) < least {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo
}

// quantileOf interpolates between the two nearest of n sorted values, NaN sorted first.
func quantileOf(q float64, n int, at func(int) float64) float64 {
	switch {
	case math.IsNaN(q):
		return math.NaN()
	case q < 0:
		return math.Inf(-1)
	case q > 1:
		return math.Inf(1)
	}
	rank := q * float64(n-1)
	lower := rankOf(q, n)
	upper := min(n-1, lower+1)
	weight := rank - math.Floor(rank)
	return at(lower)*(1-weight) + at(upper)*weight
}

// rankOf gives the lower one of the two ranks among n values that a quantile lies between.
func rankOf(q float64, n int) int { return max(0, int(math.Floor(q*float64(n-1)))) }

// slidingQuantile counts the window's values by rank among all values of the series in a binary indexed tree, so that a value enters and
// leaves a window, and the k-th smallest is found, in logarithmic time.
func slidingQuantile(q float64, c *cells[valueList], g *grid, emit func(int, float64)) {
	var values []float64
	for _, list := range c.state {
		values = append(values, list...)
	}
	order := make([]int32, len(values))
	for i := range order {
		order[i] = int32(i)
	}
	slices.SortFunc(order, func(a, b int32) int {
		if by := cmp.Compare(values[a], values[b]); by != 0 {
			return by
		}
		return int(a - b)
	})
	rank := make([]int32, len(values))
	for r, i := range order {
		rank[i] = int32(r)
	}
	tree := newRankTree(len(values))
	i, j := 0, 0     // cells in the window
	from, to := 0, 0 // their values
	for k := 0; k < g.n; k++ {
		first, last := g.window(k)
		for ; j < len(c.index) && c.index[j] <= last; j++ {
			for range c.state[j] {
				tree.add(int(rank[to]), 1)
				to++
			}
		}
		for ; i < j && c.index[i] < first; i++ {
			for range c.state[i] {
				tree.add(int(rank[from]), -1)
				from++
			}
		}
		if i == j {
			if j == len(c.index) {
				return
			}
			k = g.stepReaching(c.index[j], k+1) - 1
			continue
		}
		emit(k, quantileOf(q, to-from, func(n int) float64 { return values[order[tree.find(n)]] }))
	}
}

// rankTree is a binary indexed tree of counts.
type rankTree struct {
	counts []int32 // 1-based
	top    int     // largest power of two ≤ len
}

func newRankTree(n int) *rankTree {
	t := &rankTree{counts: make([]int32, n+1), top: 1}
	for t.top*2 <= n {
		t.top *= 2
	}
	return t
}

func (t *rankTree) add(rank int, d int32) {
	for i := rank + 1; i < len(t.counts); i += i & -i {
		t.counts[i] += d
	}
}

// find gives the rank that holds the n-th (from 0) of the counted values.
func (t *rankTree) find(n int) int {
	at, left := 0, int32(n)
	for step := t.top; step > 0; step /= 2 {
		if next := at + step; next < len(t.counts) && t.counts[next] <= left {
			at = next
			left -= t.counts[next]
		}
	}
	return at
}
