package query

import (
	"fmt"
	"time"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/cambium-logs/cambium/pkg/logql"
)

// planned is a query that was parsed and held against the limits that do not need data.
type planned struct {
	params Params
	text   string
	log    *logql.LogExpr // nil for a metric query
	prog   *program       // nil for a log query

	selectors [][]*labels.Matcher
	maxRange  time.Duration

	start, step int64 // evaluation times of a metric query
	n           int
	empty       bool // the range lies before the lookback: nothing is read
}

// prepare parses a query and checks it.
func prepare(p Params) (*planned, error) {
	expr, err := logql.Parse(p.Expr, logql.ParseOptions{Extensions: p.Extensions})
	if err != nil {
		return nil, err
	}
	q := &planned{params: p, text: expr.String()}
	q.survey(expr)
	if err := q.params.Limits.checkBlocked(p.Expr, q.kind(expr), p.Tags); err != nil {
		return nil, err
	}
	switch e := expr.(type) {
	case *logql.LogExpr:
		q.log = e
		err = q.prepareLog()
	case logql.MetricExpr:
		err = q.prepareMetric(e)
	default:
		err = badRequest("cannot evaluate %s", q.text)
	}
	if err != nil {
		return nil, err
	}
	return q, q.checkSelectors()
}

func (q *planned) kind(expr logql.Expr) string {
	if e, ok := expr.(*logql.LogExpr); !ok {
		return "metric"
	} else if len(e.Stages) > 0 {
		return "filter"
	}
	return "limited"
}

// survey collects the selectors and the largest range.
func (q *planned) survey(e logql.Expr) {
	switch e := e.(type) {
	case *logql.LogExpr:
		q.selectors = append(q.selectors, e.Matchers)
	case *logql.RangeAggregation:
		q.maxRange = max(q.maxRange, e.Range.Range)
		q.survey(e.Range.Log)
	case *logql.VectorAggregation:
		q.survey(e.Expr)
	case *logql.BinaryExpr:
		q.survey(e.Left)
		q.survey(e.Right)
	case *logql.LabelReplace:
		q.survey(e.Expr)
	case *logql.FunctionCall:
		for _, a := range e.Args {
			q.survey(a)
		}
	case *logql.Subquery:
		outer := q.maxRange
		q.maxRange = 0
		q.survey(e.Expr)
		q.maxRange = max(outer, q.maxRange+e.Range)
	case *logql.AtExpr:
		q.survey(e.Expr)
	}
}

func (q *planned) checkSelectors() error {
	l := &q.params.Limits
	if err := l.checkMatchers(q.selectors); err != nil {
		return err
	}
	if q.params.Instant {
		return nil
	}
	return l.checkLabels(q.selectors)
}

func (q *planned) prepareLog() error {
	p := &q.params
	if p.Instant {
		return ErrLogInstant
	}
	if p.Interval < 0 {
		return badRequest("interval must be >= 0")
	}
	if p.End < p.Start {
		return badRequest("end timestamp must not be before or equal to start time")
	}
	if err := p.Limits.checkEntries(p.Limit); err != nil {
		return err
	}
	if err := p.Limits.checkLength(time.Duration(Span(p.Start, p.End))); err != nil {
		return err
	}
	p.Start, q.empty = q.lookback(p.Start, p.End)
	return nil
}

// lookback moves a start to where max_query_lookback begins.
func (q *planned) lookback(start, end int64) (moved int64, empty bool) {
	if q.params.Limits.MaxQueryLookback <= 0 {
		return start, false
	}
	oldest := q.params.now() - int64(q.params.Limits.MaxQueryLookback)
	return max(start, oldest), end < oldest
}

func (q *planned) prepareMetric(e logql.MetricExpr) error {
	p := &q.params
	q.start, q.step, q.n = p.Time, 0, 1
	end := p.Time
	if !p.Instant {
		if p.Step <= 0 {
			return badRequest("zero or negative query resolution step widths are not accepted. Try a positive integer")
		}
		if p.End < p.Start {
			return badRequest("end timestamp must not be before or equal to start time")
		}
		q.start, end, q.step = p.Start, p.End, p.Step
		if p.AlignStep {
			q.start = floorTo(q.start, q.step)
			end = -floorTo(-end, q.step)
		}
		if Span(q.start, end)/q.step > MaxPoints {
			return badRequest("exceeded maximum resolution of 11,000 points per time series. Try increasing the value of the step parameter")
		}
	}
	if len(q.selectors) > 0 {
		if err := p.Limits.checkRange(q.maxRange); err != nil {
			return err
		}
		if err := p.Limits.checkLength(time.Duration(Span(q.start, end))); err != nil {
			return err
		}
		if err := p.Limits.checkLength(time.Duration(end-q.start) + q.maxRange); err != nil {
			return err
		}
		q.start, q.empty = q.lookback(q.start, end)
	}
	if !p.Instant {
		q.n = int((end-q.start)/q.step) + 1
	}
	var err error
	if q.prog, err = translate(e, time.Duration(q.step)); err != nil {
		return err
	}
	if q.prog.approximate && !p.Instant && !p.Extensions {
		return internal("count min sketches are only supported on instant queries")
	}
	return nil
}

func floorTo(t, step int64) int64 {
	r := t % step
	if r < 0 {
		r += step
	}
	return t - r
}

// needed gives the labels that a leaf's series can have, when that is known before any entry is read: then parsers extract nothing else.
func (l *leaf) needed() (names []string, known bool) {
	if l.group == nil || l.group.Without || l.pushed != "" && l.pushed != "sum" {
		return nil, false
	}
	return l.group.Labels, true
}

// Plan shows how a query is executed. Nodes are read from the outside in.
type Plan struct {
	Query    string   `json:"query"`
	Kind     string   `json:"kind"` // "log" or "metric"
	PromQL   string   `json:"promql,omitempty"`
	Reads    []Read   `json:"reads"`
	Notes    []string `json:"notes,omitempty"`
	Observed Stats    `json:"observed"`
}

// Read is one pass over the store: a log query, or one range aggregation of a metric query.
type Read struct {
	Expression string   `json:"expression"`
	Matchers   string   `json:"matchers"`
	Stages     []string `json:"stages,omitempty"`
	Literals   []string `json:"literals,omitempty"`  // texts that a stored line must contain
	Labels     []string `json:"labels,omitempty"`    // the only labels that parsers need extract
	AllLabels  bool     `json:"allLabels,omitempty"` // every label is needed
	Folded     string   `json:"folded,omitempty"`    // vector aggregation that is folded with the samples
	Range      string   `json:"range,omitempty"`
	Offset     string   `json:"offset,omitempty"`
	Strategy   string   `json:"strategy"`
	// Pushdown says stage by stage what the store decides before lines are rebuilt.
	Pushdown []Pushdown `json:"pushdown,omitempty"`
}

func (q *planned) explain() *Plan {
	p := &Plan{Query: q.text, Kind: "log"}
	if q.empty {
		p.Notes = append(p.Notes, "the range lies before max_query_lookback: nothing is read")
	}
	if q.log != nil {
		r := readOf(q.log)
		r.Expression, r.AllLabels, r.Pushdown = q.text, true, pushdownOfLog(q.log)
		r.Strategy = fmt.Sprintf("%s by chunk, until %d entries are certain", q.params.Direction, q.params.Limit)
		if q.params.Limit <= 0 {
			r.Strategy = fmt.Sprintf("%s by chunk, whole range", q.params.Direction)
		}
		p.Reads = append(p.Reads, r)
		return p
	}
	p.Kind, p.PromQL = "metric", q.prog.promql
	if q.prog.direct {
		p.PromQL = ""
		p.Notes = append(p.Notes, "no operation is left above the range aggregation")
	}
	for _, l := range q.prog.leaves {
		r := readOf(l.agg.Range.Log)
		r.Expression, r.Pushdown = l.agg.String(), l.pushdownOf()
		r.Range, r.Offset = l.agg.Range.Range.String(), ""
		if l.agg.Range.Offset != 0 {
			r.Offset = l.agg.Range.Offset.String()
		}
		var known bool
		r.Labels, known = l.needed()
		r.AllLabels = !known
		r.Strategy = "partials per series and grid cell"
		if l.pushed != "" {
			r.Folded = l.pushed + grouping(l.group)
		}
		if l.countable() {
			r.Strategy = "counted from the chunk directory where a chunk lies in one grid cell, else from timestamps"
		}
		if l.reuseKey() == "" {
			r.Strategy += "; nothing is kept, because a template reads the clock"
		} else {
			r.Strategy += "; contributions of stored chunks are kept"
		}
		p.Reads = append(p.Reads, r)
	}
	return p
}

func grouping(g *logql.Grouping) string {
	if g == nil {
		return ""
	}
	word := " by ("
	if g.Without {
		word = " without ("
	}
	return word + joinNames(g.Labels) + ")"
}

func joinNames(names []string) string {
	out := ""
	for i, n := range names {
		if i > 0 {
			out += ", "
		}
		out += n
	}
	return out
}

func readOf(e *logql.LogExpr) Read {
	r := Read{Matchers: (&logql.LogExpr{Matchers: e.Matchers}).String(), Literals: textsOf(e.Stages).show()}
	for _, s := range e.Stages {
		r.Stages = append(r.Stages, s.String())
	}
	return r
}
