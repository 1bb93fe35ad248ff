package query

import (
	"context"
	"errors"
	"math"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/util/annotations"
)

func init() {
	parser.Functions[divisorFunction] = &parser.Function{
		Name:       divisorFunction,
		ArgTypes:   []parser.ValueType{parser.ValueTypeVector},
		ReturnType: parser.ValueTypeVector,
	}
	promql.FunctionCalls[divisorFunction] = func(args []promql.Vector, _ promql.Matrix, _ parser.Expressions, enh *promql.EvalNodeHelper) (promql.Vector, annotations.Annotations) {
		for _, s := range args[0] {
			if s.F == 0 {
				s.F = math.NaN()
			}
			enh.Out = append(enh.Out, s)
		}
		return enh.Out, nil
	}
}

// newPromEngine makes the engine for what stands above the leaves. Its own limits never come first: the timeout is the query's context's, and
// its sample limit stands for DefaultMaxMemory and is reported as such.
func newPromEngine() *promql.Engine {
	return promql.NewEngine(promql.EngineOpts{
		MaxSamples:               DefaultMaxMemory / 16,
		Timeout:                  10_000 * time.Hour,
		LookbackDelta:            time.Millisecond,
		EnableAtModifier:         true,
		EnableNegativeOffset:     true,
		NoStepSubqueryIntervalFn: func(int64) int64 { return defaultSubqueryStep.Milliseconds() },
		Parser:                   parser.NewParser(parser.Options{EnableExperimentalFunctions: true}),
	})
}

// leafReader evaluates a leaf at n times from start on, step apart (nanoseconds).
type leafReader func(ctx context.Context, l *leaf, start, step int64, n int) ([]leafSeries, error)

// leafQueryable serves the leaves of a program to promql.Engine. Unless the program is timed, the engine's clock counts steps: millisecond k is step k.
type leafQueryable struct {
	prog        *program
	read        leafReader
	start, step int64 // of the query, nanoseconds
	n           int
	err         error // the first error of a leaf
}

func (q *leafQueryable) Querier(int64, int64) (storage.Querier, error) { return q, nil }
func (q *leafQueryable) Close() error                                  { return nil }

func (q *leafQueryable) LabelValues(context.Context, string, *storage.LabelHints, ...*labels.Matcher) ([]string, annotations.Annotations, error) {
	return nil, nil, nil
}

func (q *leafQueryable) LabelNames(context.Context, *storage.LabelHints, ...*labels.Matcher) ([]string, annotations.Annotations, error) {
	return nil, nil, nil
}

func (q *leafQueryable) Select(ctx context.Context, _ bool, hints *storage.SelectHints, matchers ...*labels.Matcher) storage.SeriesSet {
	if q.err != nil {
		return storage.ErrSeriesSet(q.err)
	}
	set, err := q.selectLeaf(ctx, hints, matchers)
	if err != nil {
		q.err = err
		return storage.ErrSeriesSet(err)
	}
	return set
}

func (q *leafQueryable) selectLeaf(ctx context.Context, hints *storage.SelectHints, matchers []*labels.Matcher) (storage.SeriesSet, error) {
	if len(matchers) != 1 || matchers[0].Name != leafLabel {
		return nil, badRequest("metric selectors are not supported")
	}
	i, err := strconv.Atoi(matchers[0].Value)
	if err != nil || i < 0 || i >= len(q.prog.leaves) {
		return nil, internal("unknown range aggregation %q", matchers[0].Value)
	}
	l := q.prog.leaves[i]
	start, step, n := q.start, q.step, q.n
	if l.times.at != nil || l.times.subquery > 0 {
		if start, step, n, err = hintedTimes(l.times, hints); err != nil {
			return nil, err
		}
	}
	series, err := q.read(ctx, l, start, step, n)
	if err != nil {
		return nil, err
	}
	renameLabels(series, model.MetricNameLabel, nameLabel)
	if q.prog.timed {
		return newSeriesSet(series, start/1e6, step/1e6), nil
	}
	return newSeriesSet(series, 0, 1), nil
}

// hintedTimes gives the evaluation times of a leaf that does not follow the query's steps: hints hold what the engine will look at.
func hintedTimes(t leafTimes, hints *storage.SelectHints) (start, step int64, n int, err error) {
	if t.at != nil {
		return hints.End * 1e6, 1e6, 1, nil
	}
	ms := t.subquery.Milliseconds()
	first := (hints.Start - 1) / ms * ms
	points := (hints.End-first)/ms + 1
	if err := checkSubqueryPoints(points); err != nil {
		return 0, 0, 0, err
	}
	return first * 1e6, ms * 1e6, int(max(points, 0)), nil
}

func renameLabels(series []leafSeries, from, to string) {
	for i := range series {
		series[i].labels = renameLabel(series[i].labels, from, to)
	}
}

func renameLabel(ls labels.Labels, from, to string) labels.Labels {
	if !ls.Has(from) {
		return ls
	}
	var out []labels.Label
	ls.Range(func(l labels.Label) {
		if l.Name == from {
			l.Name = to
		}
		out = append(out, l)
	})
	return labels.New(out...)
}

// runProgram evaluates what stands above the leaves.
func runProgram(ctx context.Context, engine *promql.Engine, q *leafQueryable, instant bool) (promql.Result, promql.Query, error) {
	start, end, interval := time.UnixMilli(0), time.UnixMilli(int64(q.n-1)), time.Millisecond
	if q.prog.timed {
		q.start -= q.start % 1e6
		if !instant {
			q.step = max(q.step-q.step%1e6, 1e6)
		}
		start = time.UnixMilli(q.start / 1e6)
		end = time.UnixMilli((q.start + int64(q.n-1)*q.step) / 1e6)
		interval = time.Duration(q.step)
	}
	opts := promql.NewPrometheusQueryOpts(false, 0)
	var query promql.Query
	var err error
	if instant {
		query, err = engine.NewInstantQuery(ctx, q, opts, q.prog.promql, start)
	} else {
		query, err = engine.NewRangeQuery(ctx, q, opts, q.prog.promql, start, end, interval)
	}
	if err != nil {
		return promql.Result{}, nil, badRequest("%s", promText(err))
	}
	res := query.Exec(ctx)
	if res.Err != nil {
		query.Close()
		if q.err != nil {
			return promql.Result{}, nil, q.err
		}
		return promql.Result{}, nil, promError(ctx, res.Err)
	}
	return *res, query, nil
}

var (
	duplicateSide = regexp.MustCompile(`found duplicate series for the match group .* on the (left|right) hand-side of the operation`)
	parsePosition = regexp.MustCompile(`^(\d+:\d+: )?parse error: `)
)

func promText(err error) string {
	return "parse error : " + strings.ReplaceAll(parsePosition.ReplaceAllString(err.Error(), ""), nameLabel, model.MetricNameLabel)
}

// promError gives PromQL's execution errors the texts and statuses that LogQL has for them.
func promError(ctx context.Context, err error) error {
	var many promql.ErrTooManySamples
	var canceled promql.ErrQueryCanceled
	var timeout promql.ErrQueryTimeout
	switch {
	case errors.As(err, &many):
		return tooMuchMemory(DefaultMaxMemory)
	case errors.As(err, &canceled):
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			return ErrTimeout
		}
		return ErrCanceled
	case errors.As(err, &timeout):
		return ErrTimeout
	}
	text := err.Error()
	if m := duplicateSide.FindStringSubmatch(text); m != nil {
		return internal("found duplicate series on the %s hand-side;many-to-many matching not allowed: matching labels must be unique on one side", m[1])
	}
	if at := strings.Index(text, "multiple matches for labels: "); at >= 0 {
		return internal("%s", text[at:])
	}
	return &Error{http.StatusBadRequest, strings.ReplaceAll(text, nameLabel, model.MetricNameLabel)}
}

// convert turns an engine's value into a Result. clock maps the engine's milliseconds to nanoseconds.
func convert(v parser.Value, instant bool, clock func(ms int64) int64) (*Result, error) {
	switch v := v.(type) {
	case promql.Scalar:
		return &Result{Type: ResultScalar, Scalar: Point{clock(v.T), v.V}}, nil
	case promql.Vector:
		r := &Result{Type: ResultVector, Vector: make([]Sample, 0, len(v))}
		for _, s := range v {
			r.Vector = append(r.Vector, Sample{Labels: renameLabel(s.Metric, nameLabel, model.MetricNameLabel), Point: Point{clock(s.T), s.F}})
		}
		return r, nil
	case promql.Matrix:
		if instant {
			return nil, badRequest("a subquery is not a result: aggregate it")
		}
		r := &Result{Type: ResultMatrix, Matrix: make([]Series, 0, len(v))}
		for _, s := range v {
			if len(s.Floats) == 0 {
				continue
			}
			points := make([]Point, len(s.Floats))
			for i, p := range s.Floats {
				points[i] = Point{clock(p.T), p.F}
			}
			r.Matrix = append(r.Matrix, Series{Labels: renameLabel(s.Metric, nameLabel, model.MetricNameLabel), Points: points})
		}
		return r, nil
	}
	return nil, badRequest("the query gives a %s, which is not a result", v.Type())
}

// sortResult puts series in label order, and an instant vector in the order that the outermost operation asks for.
func sortResult(r *Result, order string) {
	slices.SortFunc(r.Matrix, func(a, b Series) int { return labels.Compare(a.Labels, b.Labels) })
	slices.SortFunc(r.Vector, func(a, b Sample) int { return labels.Compare(a.Labels, b.Labels) })
	if order == "" {
		return
	}
	slices.SortStableFunc(r.Vector, func(a, b Sample) int {
		x, y := a.Value, b.Value
		switch {
		case math.IsNaN(x) || math.IsNaN(y):
			return boolInt(math.IsNaN(x)) - boolInt(math.IsNaN(y))
		case x == y:
			return 0
		case (x < y) == (order == "sort"):
			return -1
		}
		return 1
	})
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}
