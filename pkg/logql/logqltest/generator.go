package logqltest

import (
	"math/rand/v2"
	"time"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/cambium-logs/cambium/pkg/logql"
)

// Options shapes the queries. The zero value gives LogQL over made-up labels.
type Options struct {
	// Selectors are the selectors to choose from; made up when empty. Each must be accepted by logql.ParseSelector.
	Selectors [][]*labels.Matcher
	// Names are the labels that stages, groupings and matchings use.
	Names []string
	// Texts are what line filters search for and what label filters compare with.
	Texts []string
	// Odd adds texts with quotes, control characters and invalid UTF-8.
	Odd bool
	// Extensions adds what only logql.ParseOptions.Extensions allows.
	Extensions bool
	// MaxStages bounds the stages of a pipeline, and MaxDepth the levels above range aggregations. 0 is 4 and 3.
	MaxStages, MaxDepth int
}

// Generator makes random queries from a seeded source.
type Generator struct {
	rand *rand.Rand
	opts Options
}

// New makes a generator.
func New(r *rand.Rand, opts Options) *Generator {
	if len(opts.Names) == 0 {
		opts.Names = []string{"app", "level", "status", "duration", "bytes", "sum", "ip", "rate", "x", "é", "_y1"}
	}
	if len(opts.Texts) == 0 {
		opts.Texts = []string{"", "a", "error", "200", "GET /", "k=v", `{"a":1}`, "10.0.0.1"}
	}
	if opts.Odd {
		opts.Texts = append(opts.Texts[:len(opts.Texts):len(opts.Texts)], "\"`'\\", "\x00\x1b\n\t\r\u2028", "\xff\xfe", "日本 �", "# no comment // /* */")
	}
	if opts.MaxStages == 0 {
		opts.MaxStages = 4
	}
	if opts.MaxDepth == 0 {
		opts.MaxDepth = 3
	}
	return &Generator{rand: r, opts: opts}
}

func pick[T any](g *Generator, list ...T) T { return list[g.rand.IntN(len(list))] }

func (g *Generator) chance(percent int) bool { return g.rand.IntN(100) < percent }
func (g *Generator) name() string            { return pick(g, g.opts.Names...) }
func (g *Generator) text() string            { return pick(g, g.opts.Texts...) }

func (g *Generator) names(least int) []string {
	var names []string
	for range least + g.rand.IntN(3) {
		names = append(names, g.name())
	}
	return names
}

// Expr makes a log query or a metric query.
func (g *Generator) Expr() logql.Expr {
	if g.chance(40) {
		return g.Log()
	}
	return g.Metric()
}

// Log makes a log query.
func (g *Generator) Log() *logql.LogExpr {
	return &logql.LogExpr{Matchers: g.selector(), Stages: g.Stages()}
}

func (g *Generator) selector() []*labels.Matcher {
	if len(g.opts.Selectors) > 0 {
		return pick(g, g.opts.Selectors...)
	}
	matchers := []*labels.Matcher{labels.MustNewMatcher(labels.MatchEqual, g.name(), pick(g, "v", "w w", `"`))}
	for g.chance(30) {
		matchers = append(matchers, g.matcher())
	}
	return matchers
}

func (g *Generator) matcher() *labels.Matcher {
	typ := pick(g, labels.MatchEqual, labels.MatchNotEqual, labels.MatchRegexp, labels.MatchNotRegexp)
	text := g.text()
	if typ == labels.MatchRegexp || typ == labels.MatchNotRegexp {
		text = g.regex()
	}
	return labels.MustNewMatcher(typ, g.name(), text)
}

func (g *Generator) regex() string {
	return pick(g, "a.*", ".+", "", "(?i)error|warn", `\d+`, "^x$", "[a-c]{2,3}", "a\nb", `\x00?`, `"`)
}

// Metric makes a metric query.
func (g *Generator) Metric() logql.MetricExpr { return g.metric(g.opts.MaxDepth) }

func (g *Generator) metric(depth int) logql.MetricExpr {
	if depth <= 0 {
		if g.chance(10) {
			return g.leaf()
		}
		return g.RangeAggregation()
	}
	if g.opts.Extensions && g.chance(25) {
		return g.extended(depth - 1)
	}
	switch n := g.rand.IntN(100); {
	case n < 35:
		return g.vectorAggregation(depth - 1)
	case n < 60:
		return g.binary(depth - 1)
	case n < 68:
		return &logql.LabelReplace{Expr: g.metric(depth - 1), Dst: pick(g, g.name(), "bad-name"), Replacement: pick(g, "$1", "", g.text()),
			Src: g.name(), Regex: pick(g, "(.*)", "", g.regex())}
	case n < 75:
		return g.leaf()
	}
	return g.RangeAggregation()
}

func (g *Generator) leaf() logql.MetricExpr {
	if g.chance(50) {
		return &logql.VectorExpr{Value: pick(g, 0, 1, 0.5, 1234567.125, 1e-9, 1e300, 1.0/3)}
	}
	return &logql.Literal{Value: g.number()}
}

func (g *Generator) number() float64 {
	v := pick(g, 0, 1, 2.5, 1e-9, 1e22, 1.0/3, 100, float64(g.rand.IntN(1000)))
	if g.chance(30) {
		return -v
	}
	return v
}

func (g *Generator) duration() time.Duration {
	d := pick(g, 0, time.Millisecond, time.Second, 90*time.Second, 5*time.Minute, time.Hour, 36*time.Hour, 1500*time.Millisecond)
	return d * time.Duration(1+g.rand.IntN(3))
}

func (g *Generator) grouping() *logql.Grouping {
	if g.chance(30) {
		return &logql.Grouping{Without: true, Labels: g.names(0)}
	}
	return &logql.Grouping{Labels: g.names(1)}
}

func (g *Generator) vectorAggregation(depth int) logql.MetricExpr {
	e := &logql.VectorAggregation{Expr: g.metric(depth)}
	e.Op = pick(g, "sum", "avg", "min", "max", "count", "stddev", "stdvar", "topk", "bottomk", "sort", "sort_desc", "approx_topk")
	switch e.Op {
	case "topk", "bottomk", "approx_topk":
		k := 1 + g.rand.IntN(5)
		e.Param = &k
	}
	switch e.Op {
	case "sort", "sort_desc", "approx_topk":
	default:
		if g.chance(60) {
			e.Grouping = g.grouping()
		}
	}
	return e
}

func (g *Generator) binary(depth int) logql.MetricExpr {
	e := &logql.BinaryExpr{Left: g.metric(depth), Right: g.metric(depth)}
	e.Op = pick(g, "or", "and", "unless", "==", "!=", ">", ">=", "<", "<=", "+", "-", "*", "/", "%", "^")
	_, left := e.Left.(*logql.Literal)
	_, right := e.Right.(*logql.Literal)
	if left && right || (left || right) && (e.Op == "or" || e.Op == "and" || e.Op == "unless") {
		e.Left, e.Right = g.RangeAggregation(), g.RangeAggregation()
	}
	e.ReturnBool = g.chance(20)
	if !g.chance(30) {
		return e
	}
	e.Matching = &logql.VectorMatching{On: g.chance(50), Labels: g.names(0)}
	if g.chance(50) {
		e.Matching.Card = pick(g, logql.ManyToOne, logql.OneToMany)
		e.Matching.Include = g.names(0)
	}
	return e
}

// RangeAggregation makes a range aggregation.
func (g *Generator) RangeAggregation() *logql.RangeAggregation {
	e := &logql.RangeAggregation{Range: &logql.LogRange{Log: g.Log(), Range: g.duration()}}
	if g.chance(20) {
		e.Range.Offset = pick(g, g.duration(), -g.duration(), 1500*time.Microsecond, time.Nanosecond)
	}
	if g.chance(45) {
		e.Op = pick(g, "count_over_time", "rate", "bytes_rate", "bytes_over_time", "absent_over_time")
		return e
	}
	e.Op = pick(g, "rate", "absent_over_time", "rate_counter", "sum_over_time", "avg_over_time", "min_over_time", "max_over_time",
		"first_over_time", "last_over_time", "stddev_over_time", "stdvar_over_time", "quantile_over_time")
	e.Range.Unwrap = g.unwrap()
	switch e.Op {
	case "rate", "absent_over_time", "rate_counter", "sum_over_time":
		return e
	case "quantile_over_time":
		q := pick(g, 0, 0.5, 0.99, 1, 1.5)
		e.Param = &q
	}
	if g.chance(40) {
		e.Grouping = g.grouping()
		if g.chance(10) {
			e.Grouping = &logql.Grouping{}
		}
	}
	return e
}

func (g *Generator) unwrap() *logql.Unwrap {
	u := &logql.Unwrap{Label: g.name(), Conversion: pick(g, "", "", "bytes", "duration", "duration_seconds")}
	for g.chance(30) {
		u.PostFilters = append(u.PostFilters, g.Predicate(1))
	}
	return u
}

// extended makes what LogQL does not have.
func (g *Generator) extended(depth int) logql.MetricExpr {
	call := func(name string, args ...logql.Expr) *logql.FunctionCall {
		return &logql.FunctionCall{Name: name, Args: args}
	}
	v := logql.MetricExpr(g.RangeAggregation())
	if depth > 0 {
		v = g.vectorAggregation(depth)
	}
	literal := func() logql.Expr { return &logql.Literal{Value: g.number()} }
	subquery := &logql.Subquery{Expr: v, Range: time.Minute + g.duration(), Step: g.duration(), Offset: pick(g, 0, 0, time.Minute, -time.Second)}
	if g.chance(30) {
		subquery.At = g.at()
	}
	switch g.rand.IntN(10) {
	case 0:
		return call(pick(g, "abs", "ceil", "floor", "ln", "exp", "sqrt", "round"), v)
	case 1:
		return call("clamp", v, literal(), literal())
	case 2:
		return call("histogram_quantile", literal(), v)
	case 3:
		return &logql.BinaryExpr{Op: pick(g, "-", ">", "atan2"), Left: v, Right: call("time")}
	case 4:
		return call("vector", call("scalar", v))
	case 5:
		return &logql.FunctionCall{Name: "count_values", Args: []logql.Expr{&logql.StringLiteral{Value: "v"}, v}, Grouping: g.grouping()}
	case 6:
		return &logql.FunctionCall{Name: "quantile", Args: []logql.Expr{literal(), v}}
	case 7:
		return call(pick(g, "max_over_time", "rate", "increase", "count_over_time"), subquery)
	case 8:
		return call("quantile_over_time", literal(), subquery)
	}
	return &logql.AtExpr{Expr: g.RangeAggregation(), At: *g.at()}
}

func (g *Generator) at() *logql.At {
	return pick(g, &logql.At{Bound: "start"}, &logql.At{Bound: "end"}, &logql.At{Millis: 1793491200123}, &logql.At{Millis: -5})
}
