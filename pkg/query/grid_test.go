package query

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"sort"
	"testing"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/stretchr/testify/require"
)

// TestGridCellsTileWindows: a timestamp is in a window exactly when its cell is.
func TestGridCellsTileWindows(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		step := 1 + r.Int64N(20)
		n := 1 + r.IntN(12)
		rng := r.Int64N(60)
		offset := r.Int64N(40) - 20
		start := r.Int64N(200) - 100
		g := newGrid(start, step, n, rng, offset)
		mint, maxt, ok := g.bounds()
		require.Equal(t, rng > 0, ok)
		if !ok {
			continue
		}
		for ts := mint; ts <= maxt; ts++ {
			c := g.locate(ts)
			require.True(t, c.holds(ts), "cell %+v of %+v does not hold %d", c, g, ts)
			covered := false
			for k := range n {
				to := start + int64(k)*step - offset
				inWindow := ts > to-rng && ts <= to
				first, last := g.window(k)
				require.Equal(t, inWindow, c.inside && c.index >= first && c.index <= last, "ts %d step %d of %+v in cell %+v", ts, k, g, c)
				covered = covered || inWindow
				if k > 0 {
					continue
				}
				reach := g.stepReaching(c.index, 0)
				_, reachLast := g.window(reach)
				require.GreaterOrEqual(t, reachLast, c.index)
				if reach > 0 {
					_, before := g.window(reach - 1)
					require.Less(t, before, c.index)
				}
			}
			require.Equal(t, covered, c.inside || covered, "a cell outside every window holds a covered timestamp")
		}
	}
}

// naive computes an aggregation over the samples of one window.
func naive(op string, q float64, in []sample, from, to int64) float64 {
	sort.SliceStable(in, func(a, b int) bool { return in[a].ts < in[b].ts })
	values := make([]float64, len(in))
	for i, s := range in {
		values[i] = s.v
	}
	sum := func() float64 {
		total := 0.0
		for _, v := range values {
			total += v
		}
		return total
	}
	variance := func() float64 {
		mean, m2 := sum()/float64(len(values)), 0.0
		for _, v := range values {
			m2 += (v - mean) * (v - mean)
		}
		return m2 / float64(len(values))
	}
	switch op {
	case "count":
		return float64(len(values))
	case "sum":
		return sum()
	case "rate":
		return sum() / seconds(to-from)
	case "avg":
		return sum() / float64(len(values))
	case "min":
		return slices.Min(values)
	case "max":
		return slices.Max(values)
	case "stdvar":
		return variance()
	case "stddev":
		return math.Sqrt(variance())
	case "first":
		return values[0]
	case "last":
		return values[len(values)-1]
	case "quantile":
		slices.Sort(values)
		return quantileOf(q, len(values), func(i int) float64 { return values[i] })
	case "rate_counter":
		if len(in) < 2 {
			return 0
		}
		s := counterState{n: len(in), first: in[0], last: in[len(in)-1]}
		for i := 1; i < len(in); i++ {
			if in[i].v < in[i-1].v {
				s.resets += in[i-1].v
			}
		}
		return s.rate(from, to)
	}
	panic(op)
}

func newTestPart(op string, q float64, m *memory) part {
	switch op {
	case "count":
		return newPartial(totalAggregate(false), m, 0, false)
	case "sum":
		return newPartial(sumAggregate(false), m, 0, false)
	case "rate":
		return newPartial(sumAggregate(true), m, 0, false)
	case "avg":
		return newPartial(meanAggregate(), m, 0, false)
	case "min", "max":
		return newPartial(extremeAggregate(op == "max"), m, 0, false)
	case "stdvar", "stddev":
		return newPartial(varianceAggregate(op == "stddev"), m, 0, false)
	case "first", "last":
		return newPartial(edgeAggregate(op == "last"), m, 0, false)
	case "quantile":
		return newValueColumns(q, m, 0, false)
	case "rate_counter":
		return newPartial(counterAggregate(), m, 0, false)
	}
	panic(op)
}

// TestPartialsEqualWindows: samples spread over partials in any cut, merged and slid, give what every window gives on its own.
func TestPartialsEqualWindows(t *testing.T) {
	ops := []string{"count", "sum", "rate", "avg", "min", "max", "stdvar", "stddev", "first", "last", "quantile", "rate_counter"}
	r := rand.New(rand.NewPCG(3, 4))
	for round := range 1500 {
		op := ops[round%len(ops)]
		q := r.Float64()
		step := 1 + r.Int64N(50)
		n := 1 + r.IntN(30)
		g := newGrid(r.Int64N(100), step, n, 1+r.Int64N(200), r.Int64N(20)-10)
		mint, maxt, _ := g.bounds()
		var in []sample
		for range r.IntN(80) {
			in = append(in, sample{ts: mint + r.Int64N(maxt-mint+1), v: math.Round(r.NormFloat64() * 10)})
		}
		sort.SliceStable(in, func(a, b int) bool { return in[a].ts < in[b].ts })
		if op == "count" {
			for i := range in {
				in[i].v = 1
			}
		}
		m := newMemory(1<<40, nil)
		ls := labels.FromStrings("a", "b")
		all := newTestPart(op, q, m)
		parts := 1 + r.IntN(4)
		// Streams arrive one after the other, each in time order.
		owner := make([]int, len(in))
		for i := range owner {
			owner[i] = r.IntN(parts)
		}
		for p := range parts {
			one := newTestPart(op, q, m)
			for i, s := range in {
				if c := g.locate(s.ts); owner[i] == p && c.inside {
					one.add(one.series(ls), c.index, s.ts, s.v)
				}
			}
			all.absorb(one)
		}
		var arrival []sample
		for p := range parts {
			for i, s := range in {
				if owner[i] == p {
					arrival = append(arrival, s)
				}
			}
		}
		series, err := all.finish(context.Background(), g)
		require.NoError(t, err)
		got := map[int]float64{}
		for _, s := range series {
			for i, k := range s.steps {
				got[int(k)] = s.values[i]
			}
		}
		for k := range n {
			to := g.time(k) - g.offset
			var window []sample
			for _, s := range arrival {
				if s.ts > to-g.rng && s.ts <= to {
					window = append(window, s)
				}
			}
			v, ok := got[k]
			require.Equal(t, len(window) > 0, ok, "%s step %d of %+v", op, k, g)
			if !ok {
				continue
			}
			want := naive(op, q, window, to-g.rng, to)
			if math.IsNaN(want) {
				require.True(t, math.IsNaN(v))
				continue
			}
			require.InDelta(t, want, v, 1e-9*(1+math.Abs(want)), "%s step %d of %+v", op, k, g)
		}
		all.release()
		require.Zero(t, m.used.Load(), "partials gave back what they took")
	}
}

func TestSpecialSamples(t *testing.T) {
	inf, nan := math.Inf(1), math.NaN()
	for _, c := range []struct {
		op   string
		in   []float64
		want float64
	}{
		{"min", []float64{nan, 3, 5}, 3},
		{"max", []float64{3, nan, 5}, 5},
		{"max", []float64{nan, nan}, nan},
		{"avg", []float64{inf, 1, 2}, inf},
		{"avg", []float64{1, inf, 2}, inf},
		{"avg", []float64{inf, -inf}, nan},
		{"avg", []float64{inf, nan}, nan},
		{"avg", []float64{-inf, -inf, 4}, -inf},
		{"sum", []float64{inf, 1}, inf},
		{"sum", []float64{inf, -inf}, nan},
		{"sum", []float64{1e308, 1e308}, inf},
		{"stddev", []float64{7}, 0},
		{"stddev", []float64{inf, 1}, nan},
		{"rate_counter", []float64{5}, 0},
	} {
		for cells := 1; cells <= len(c.in); cells++ {
			g := newGrid(100, 1, 1, 100, 0)
			p := newTestPart(c.op, 0, newMemory(1<<30, nil))
			for i, v := range c.in {
				q := newTestPart(c.op, 0, newMemory(1<<30, nil))
				q.add(q.series(labels.EmptyLabels()), 0, int64(i+1), v)
				p.absorb(q)
			}
			series, err := p.finish(context.Background(), g)
			require.NoError(t, err)
			got := series[0].values[0]
			if math.IsNaN(c.want) {
				require.True(t, math.IsNaN(got), "%s of %v is %v", c.op, c.in, got)
			} else {
				require.Equal(t, c.want, got, "%s of %v", c.op, c.in)
			}
		}
	}
}
