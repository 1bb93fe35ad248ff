package query

import (
	"context"
	"slices"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/cambium-logs/cambium/pkg/logql/pipeline"
)

// runMetric evaluates a metric query.
func (x *execution) runMetric(ctx context.Context) (*Result, error) {
	if x.empty {
		return x.emptyMetric(), nil
	}
	samplers, err := x.compile()
	if err != nil {
		return nil, err
	}
	if err := x.pin(ctx); err != nil {
		return nil, err
	}
	read := func(ctx context.Context, l *leaf, start, step int64, n int) ([]leafSeries, error) {
		return x.readLeaf(ctx, l, samplers[l], start, step, n)
	}
	var result *Result
	if x.prog.direct {
		series, err := read(ctx, x.prog.leaves[0], x.start, x.step, x.n)
		if err != nil {
			return nil, err
		}
		result = x.directResult(series)
	} else {
		q := &leafQueryable{prog: x.prog, read: read, start: x.start, step: x.step, n: x.n}
		res, query, err := runProgram(ctx, x.engine.prom, q, x.params.Instant)
		if err != nil {
			return nil, err
		}
		result, err = convert(res.Value, x.params.Instant, x.clock(q))
		query.Close()
		if err != nil {
			return nil, err
		}
		warnings, _ := res.Warnings.AsStrings(x.prog.promql, 10, 0)
		result.Warnings = append(result.Warnings, warnings...)
	}
	sortResult(result, x.prog.order)
	return result, x.limitSeries(result)
}

func (x *execution) emptyMetric() *Result {
	switch {
	case !x.params.Instant:
		return &Result{Type: ResultMatrix}
	case x.prog.scalar:
		return &Result{Type: ResultScalar}
	}
	return &Result{Type: ResultVector}
}

// clock maps the engine's milliseconds back to the times asked for.
func (x *execution) clock(q *leafQueryable) func(int64) int64 {
	switch {
	case x.params.Instant:
		return func(int64) int64 { return x.start }
	case x.prog.timed:
		return func(ms int64) int64 { return ms * 1e6 }
	}
	return func(ms int64) int64 { return q.start + ms*q.step }
}

// pin takes the snapshot for the whole query: what all leaves that follow the query's steps may read.
func (x *execution) pin(ctx context.Context) error {
	var mint, maxt int64
	found := false
	for _, l := range x.prog.leaves {
		if l.times != (leafTimes{}) {
			continue
		}
		from, to, ok := newGrid(x.start, x.step, x.n, int64(l.agg.Range.Range), int64(l.agg.Range.Offset)).bounds()
		switch {
		case !ok:
		case !found:
			mint, maxt, found = from, to, true
		default:
			mint, maxt = min(mint, from), max(maxt, to)
		}
	}
	if !found {
		return nil
	}
	_, err := x.snapshot(ctx, mint, maxt)
	return err
}

// compile builds the samplers of all leaves, so that errors in stages come before anything is read.
func (x *execution) compile() (map[*leaf]*pipeline.Sampler, error) {
	samplers := map[*leaf]*pipeline.Sampler{}
	for _, l := range x.prog.leaves {
		names, known := l.needed()
		s, err := pipeline.CompileSamples(l.agg, pipeline.NeededLabels{Known: known, Names: names})
		if err != nil {
			return nil, err
		}
		samplers[l] = s
	}
	return samplers, nil
}

// readLeaf evaluates a range aggregation at n times.
func (x *execution) readLeaf(ctx context.Context, l *leaf, sampler *pipeline.Sampler, start, step int64, n int) ([]leafSeries, error) {
	g := newGrid(start, step, n, int64(l.agg.Range.Range), int64(l.agg.Range.Offset))
	f := &fold{execution: x, leaf: l, grid: g, sampler: sampler, presence: l.agg.Op == "absent_over_time"}
	f.plain = l.countable()
	f.texts = textsOf(l.agg.Range.Log.Stages)
	f.ofBytes = l.countsBytes()
	f.leafKey = l.reuseKey()
	f.newPart = f.parts()
	all := f.newPart()
	defer func() { all.release() }()
	mint, maxt, ok := g.bounds()
	if ok {
		snap, err := x.snapshot(ctx, mint, maxt)
		if err != nil {
			return nil, err
		}
		streams, err := snap.Select(ctx, mint, maxt, l.agg.Range.Log.Matchers...)
		if err != nil {
			return nil, err
		}
		runs, err := x.runsOf(streams)
		if err != nil {
			return nil, err
		}
		f.mint, f.maxt = mint, maxt
		if all, err = f.run(ctx, runs); err != nil {
			return nil, err
		}
	}
	series, err := all.finish(ctx, g)
	if err != nil {
		return nil, err
	}
	x.truncated = x.truncated || all.truncated()
	if f.presence {
		return absent(series, n, l.agg.Range.Log.Matchers), nil
	}
	slices.SortFunc(series, func(a, b leafSeries) int { return labels.Compare(a.labels, b.labels) })
	return series, nil
}

// parts gives the kind of partial that a leaf needs. The series limit is enforced while folding where the leaf is the result.
func (f *fold) parts() func() part {
	l := f.leaf
	most, cut := 0, false
	if f.prog.direct {
		most, cut = f.params.Limits.MaxSeries, f.params.PartialSeries
	}
	perSecond := l.agg.Op == "rate" || l.agg.Op == "bytes_rate"
	switch l.agg.Op {
	case "sum_over_time":
		return partsOf(sumAggregate(false), f.memory, most, cut)
	case "avg_over_time":
		return partsOf(meanAggregate(), f.memory, most, cut)
	case "min_over_time", "max_over_time":
		return partsOf(extremeAggregate(l.agg.Op == "max_over_time"), f.memory, most, cut)
	case "stddev_over_time", "stdvar_over_time":
		return partsOf(varianceAggregate(l.agg.Op == "stddev_over_time"), f.memory, most, cut)
	case "first_over_time", "last_over_time":
		return partsOf(edgeAggregate(l.agg.Op == "last_over_time"), f.memory, most, cut)
	case "rate_counter":
		return partsOf(counterAggregate(), f.memory, most, cut)
	case "quantile_over_time":
		q := 0.0
		if l.agg.Param != nil {
			q = *l.agg.Param
		}
		return func() part { return newValueColumns(q, f.memory, most, cut) }
	}
	if l.agg.Range.Unwrap != nil && perSecond {
		return partsOf(sumAggregate(true), f.memory, most, cut)
	}
	return partsOf(totalAggregate(perSecond), f.memory, most, cut)
}

func partsOf[P any](a *aggregate[P], m *memory, maxSeries int, cut bool) func() part {
	return func() part { return newPartial(a, m, maxSeries, cut) }
}

// absent turns the steps that have samples into the steps that have none, as one series labelled by the selector's equality matchers.
func absent(present []leafSeries, n int, matchers []*labels.Matcher) []leafSeries {
	has := make([]bool, n)
	for _, s := range present {
		for _, k := range s.steps {
			has[k] = true
		}
	}
	out := leafSeries{labels: absentLabels(matchers)}
	for k, h := range has {
		if !h {
			out.steps = append(out.steps, int32(k))
			out.values = append(out.values, 1)
		}
	}
	if len(out.steps) == 0 {
		return nil
	}
	return []leafSeries{out}
}

func absentLabels(matchers []*labels.Matcher) labels.Labels {
	count := map[string]int{}
	for _, m := range matchers {
		count[m.Name]++
	}
	b := labels.NewBuilder(labels.EmptyLabels())
	for _, m := range matchers {
		if m.Type == labels.MatchEqual && count[m.Name] == 1 {
			b.Set(m.Name, m.Value)
		}
	}
	return b.Labels()
}

// directResult is the result of a query that is one leaf.
func (x *execution) directResult(series []leafSeries) *Result {
	if x.params.Instant {
		r := &Result{Type: ResultVector, Vector: make([]Sample, 0, len(series))}
		for _, s := range series {
			r.Vector = append(r.Vector, Sample{Labels: s.labels, Point: Point{x.start, s.values[0]}})
		}
		return r
	}
	r := &Result{Type: ResultMatrix, Matrix: make([]Series, 0, len(series))}
	for _, s := range series {
		points := make([]Point, len(s.steps))
		for i, k := range s.steps {
			points[i] = Point{x.start + int64(k)*x.step, s.values[i]}
		}
		r.Matrix = append(r.Matrix, Series{Labels: s.labels, Points: points})
	}
	return r
}

// limitSeries holds a result against the series limit.
func (x *execution) limitSeries(r *Result) error {
	most := x.params.Limits.MaxSeries
	if most <= 0 {
		return nil
	}
	if len(r.Matrix) > most || len(r.Vector) > most {
		if !x.params.PartialSeries {
			return tooManySeries(most)
		}
		x.truncated = true
		r.Matrix = r.Matrix[:min(most, len(r.Matrix))]
		r.Vector = r.Vector[:min(most, len(r.Vector))]
	}
	if x.truncated {
		r.Warnings = append(r.Warnings, tooManySeries(most).Message+"; the answer holds some of them")
	}
	return nil
}
