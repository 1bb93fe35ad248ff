package query

import (
	"math"
	"slices"
	"sort"
)

// sampleList is a state that keeps every sample, for aggregations that cannot do with less.
type sampleList []sample

func sampleListAggregate(windows func(c *cells[sampleList], g *grid, emit func(step int, v float64))) *aggregate[sampleList] {
	return &aggregate[sampleList]{
		size:    24 + 16,
		more:    16,
		first:   func(ts int64, v float64) sampleList { return sampleList{{ts, v}} },
		add:     func(p *sampleList, ts int64, v float64) { *p = append(*p, sample{ts, v}) },
		merge:   func(p, q *sampleList) { *p = append(*p, *q...) },
		windows: windows,
		copy:    func(p *sampleList) sampleList { return slices.Clone(*p) },
		extent:  func(p *sampleList) int64 { return 16 * int64(len(*p)-1) },
	}
}

// counterState is what rate_counter needs of consecutive samples.
type counterState struct {
	n           int
	first, last sample
	resets      float64 // sum of the values before each fall
}

// counterAggregate is rate_counter. Samples of several streams may interleave, so they are kept and ordered before they are folded.
func counterAggregate() *aggregate[sampleList] {
	states := &aggregate[counterState]{
		merge: func(p, q *counterState) {
			if q.first.v < p.last.v {
				p.resets += p.last.v
			}
			p.resets += q.resets
			p.last = q.last
			p.n += q.n
		},
		value: func(p *counterState, from, to int64) float64 { return p.rate(from, to) },
	}
	return sampleListAggregate(func(c *cells[sampleList], g *grid, emit func(int, float64)) {
		folded := cells[counterState]{index: c.index, state: make([]counterState, len(c.state))}
		for i, list := range c.state {
			sort.SliceStable(list, func(a, b int) bool { return list[a].ts < list[b].ts })
			state := counterState{n: 1, first: list[0], last: list[0]}
			for _, s := range list[1:] {
				states.merge(&state, &counterState{n: 1, first: s, last: s})
			}
			folded.state[i] = state
		}
		states.slide(&folded, g, emit)
	})
}

// rate extrapolates the increase to the window as Prometheus does.
func (p *counterState) rate(from, to int64) float64 {
	if p.n < 2 {
		return 0
	}
	increase := p.last.v - p.first.v + p.resets
	sampled := seconds(p.last.ts - p.first.ts)
	mean := sampled / float64(p.n-1)
	before, after := seconds(p.first.ts-from), seconds(to-p.last.ts)
	threshold := mean * 1.1
	if before >= threshold {
		before = mean / 2
	}
	if increase > 0 && p.first.v >= 0 {
		before = min(before, sampled*p.first.v/increase)
	}
	if after >= threshold {
		after = mean / 2
	}
	return increase * ((sampled + before + after) / sampled) / seconds(to-from)
}

// quantileAggregate is quantile_over_time.
func quantileAggregate(q float64) *aggregate[sampleList] {
	return sampleListAggregate(func(c *cells[sampleList], g *grid, emit func(int, float64)) {
		if g.overlapping() && g.n > 1 {
			slidingQuantile(q, c, g, emit)
			return
		}
		var values []float64
		for k := 0; k < g.n; k++ {
			first, last := g.window(k)
			i := sort.Search(len(c.index), func(i int) bool { return c.index[i] >= first })
			values = values[:0]
			for ; i < len(c.index) && c.index[i] <= last; i++ {
				for _, s := range c.state[i] {
					values = append(values, s.v)
				}
			}
			if len(values) > 0 {
				slices.Sort(values)
				emit(k, quantileOf(q, len(values), func(i int) float64 { return values[i] }))
			}
		}
	})
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
	lower := max(0, int(math.Floor(rank)))
	upper := min(n-1, lower+1)
	weight := rank - math.Floor(rank)
	return at(lower)*(1-weight) + at(upper)*weight
}

// slidingQuantile counts the window's values by rank among all values of the series in a binary indexed tree, so that a value enters and
// leaves a window, and the k-th smallest is found, in logarithmic time.
func slidingQuantile(q float64, c *cells[sampleList], g *grid, emit func(int, float64)) {
	var values []float64
	for _, list := range c.state {
		for _, s := range list {
			values = append(values, s.v)
		}
	}
	order := make([]int32, len(values))
	for i := range order {
		order[i] = int32(i)
	}
	slices.SortFunc(order, func(a, b int32) int {
		x, y := values[a], values[b]
		switch {
		case x < y || math.IsNaN(x) && !math.IsNaN(y):
			return -1
		case y < x || math.IsNaN(y) && !math.IsNaN(x):
			return 1
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
