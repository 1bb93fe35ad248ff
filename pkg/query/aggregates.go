package query

import "math"

// The states of the aggregations. Names are LogQL's.

// total is an exact count of entries or bytes: count_over_time, rate, bytes_over_time, bytes_rate.
func totalAggregate(perSecond bool) *aggregate[int64] {
	return &aggregate[int64]{
		size:  8,
		first: func(_ int64, v float64) int64 { return int64(v) },
		add:   func(p *int64, _ int64, v float64) { *p += int64(v) },
		merge: func(p, q *int64) { *p += *q },
		value: func(p *int64, from, to int64) float64 {
			if perSecond {
				return float64(*p) / seconds(to-from)
			}
			return float64(*p)
		},
	}
}

func seconds(ns int64) float64 { return float64(ns) / 1e9 }

// sumState is a compensated sum: the rounding errors of sum are collected in c, so the order of merging does not show in the result.
type sumState struct{ sum, c float64 }

func (s *sumState) add(v float64) {
	t := s.sum + v
	switch {
	case math.IsInf(t, 0):
		s.c = 0
	case math.Abs(s.sum) >= math.Abs(v):
		s.c += (s.sum - t) + v
	default:
		s.c += (v - t) + s.sum
	}
	s.sum = t
}

// sumAggregate is sum_over_time, and rate over unwrapped values.
func sumAggregate(perSecond bool) *aggregate[sumState] {
	return &aggregate[sumState]{
		size:  16,
		first: func(_ int64, v float64) sumState { return sumState{sum: v} },
		add:   func(p *sumState, _ int64, v float64) { p.add(v) },
		merge: func(p, q *sumState) {
			p.add(q.sum)
			if !math.IsInf(p.sum, 0) {
				p.c += q.c
			}
		},
		value: func(p *sumState, from, to int64) float64 {
			total := p.sum
			if !math.IsInf(total, 0) {
				total += p.c
			}
			if perSecond {
				return total / seconds(to-from)
			}
			return total
		},
	}
}

// extremeAggregate is min_over_time and max_over_time: NaN loses against numbers.
func extremeAggregate(maximum bool) *aggregate[float64] {
	pick := func(p *float64, v float64) {
		if math.IsNaN(*p) || maximum && v > *p || !maximum && v < *p {
			*p = v
		}
	}
	return &aggregate[float64]{
		size:  8,
		first: func(_ int64, v float64) float64 { return v },
		add:   func(p *float64, _ int64, v float64) { pick(p, v) },
		merge: func(p, q *float64) { pick(p, *q) },
		value: func(p *float64, _, _ int64) float64 { return *p },
	}
}

// momentState holds count, mean and the sum of squared distances from the mean (Welford; merged as Chan et al. do).
type momentState struct{ n, mean, m2 float64 }

func (s *momentState) addMean(n, mean float64) {
	if math.IsInf(s.mean, 0) && !math.IsNaN(mean) {
		if !math.IsInf(mean, 0) || (s.mean > 0) == (mean > 0) {
			s.n += n
			return
		}
	}
	total := s.n + n
	if math.IsInf(mean, 0) {
		s.mean += mean
	} else {
		s.mean += mean*(n/total) - s.mean*(n/total)
	}
	s.n = total
}

// meanAggregate is avg_over_time: an infinite mean stays unless the opposite infinity or NaN arrives.
func meanAggregate() *aggregate[momentState] {
	return &aggregate[momentState]{
		size:  24,
		first: func(_ int64, v float64) momentState { return momentState{n: 1, mean: v} },
		add:   func(p *momentState, _ int64, v float64) { p.addMean(1, v) },
		merge: func(p, q *momentState) { p.addMean(q.n, q.mean) },
		value: func(p *momentState, _, _ int64) float64 { return p.mean },
	}
}

// varianceAggregate is stdvar_over_time, and stddev_over_time when root: of the population.
func varianceAggregate(root bool) *aggregate[momentState] {
	return &aggregate[momentState]{
		size:  24,
		first: func(_ int64, v float64) momentState { return momentState{n: 1, mean: v, m2: v - v} },
		add: func(p *momentState, _ int64, v float64) {
			p.n++
			d := v - p.mean
			p.mean += d / p.n
			p.m2 += d * (v - p.mean)
		},
		merge: func(p, q *momentState) {
			n := p.n + q.n
			d := q.mean - p.mean
			p.mean += d * q.n / n
			p.m2 += q.m2 + d*d*p.n*q.n/n
			p.n = n
		},
		value: func(p *momentState, _, _ int64) float64 {
			if root {
				return math.Sqrt(p.m2 / p.n)
			}
			return p.m2 / p.n
		},
	}
}

// sample is a value at a time.
type sample struct {
	ts int64
	v  float64
}

// edgeAggregate is first_over_time and last_over_time. Of samples with equal times the one that came first is first.
func edgeAggregate(last bool) *aggregate[sample] {
	pick := func(p *sample, ts int64, v float64) {
		if last && ts >= p.ts || !last && ts < p.ts {
			*p = sample{ts, v}
		}
	}
	return &aggregate[sample]{
		size:  16,
		first: func(ts int64, v float64) sample { return sample{ts, v} },
		add:   pick,
		merge: func(p, q *sample) { pick(p, q.ts, q.v) },
		value: func(p *sample, _, _ int64) float64 { return p.v },
	}
}
