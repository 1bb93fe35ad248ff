package query

import (
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
