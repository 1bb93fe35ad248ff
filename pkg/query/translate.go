package query

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/common/model"

	"github.com/cambium-logs/cambium/pkg/logql"
)

// leaf is a range aggregation of a query: what the store is read for. Everything above the leaves is PromQL.
type leaf struct {
	agg *logql.RangeAggregation

	// group says which labels a sample's series keeps: nil = all. It is the aggregation's own grouping, or, when pushed is set, that of
	// the vector aggregation above it, which is folded with the samples.
	group  *logql.Grouping
	pushed string

	times leafTimes
}

// leafTimes says when a leaf is evaluated: at the steps of the query, at one fixed time, or at the steps of the innermost subquery around it.
type leafTimes struct {
	at       *logql.At
	subquery time.Duration // step; 0 = not in a subquery
}

// program is a metric query, translated: leaves, and a PromQL expression over them. Leaf i is the selector {leafLabel="i"}.
type program struct {
	leaves []*leaf
	promql string
	// direct is set when the query is leaf 0 and nothing else.
	direct bool
	// order is "sort" or "sort_desc" when that is the outermost operation.
	order string
	// scalar is set when the query is a number.
	scalar bool
	// timed is set when the result depends on absolute times, so that steps cannot be numbered instead.
	timed bool
	// approximate is set when the query contains approx_topk.
	approximate bool
}

const (
	leafLabel = "leaf"
	// nameLabel stands for __name__ inside PromQL, which treats that label as no other.
	nameLabel = "\x01name"
	// divisorFunction maps 0 to NaN.
	divisorFunction = "cambium_divisor"
)

type translator struct {
	program
	byKey map[string]int
	step  time.Duration // of the query; the step of subqueries that have none
}

// translate turns a metric expression into a program.
func translate(e logql.MetricExpr, step time.Duration) (*program, error) {
	t := &translator{byKey: map[string]int{}, step: step}
	for {
		v, ok := e.(*logql.VectorAggregation)
		if !ok || v.Op != "sort" && v.Op != "sort_desc" {
			break
		}
		if t.order == "" {
			t.order = v.Op
		}
		e = v.Expr
	}
	var err error
	if t.order != "" {
		t.promql, err = t.vector(e, leafTimes{})
	} else {
		t.scalar = isNumber(e)
		t.promql, err = t.expr(e, leafTimes{})
	}
	if err != nil {
		return nil, err
	}
	t.direct = len(t.leaves) == 1 && t.promql == leafSelector(0)
	return &t.program, nil
}

func leafSelector(i int) string { return fmt.Sprintf(`{%s="%d"}`, leafLabel, i) }

// vector translates an expression that must be a vector; numbers become vectors without labels.
func (t *translator) vector(e logql.MetricExpr, times leafTimes) (string, error) {
	text, err := t.expr(e, times)
	if isNumber(e) {
		return "vector(" + text + ")", err
	}
	return text, err
}

func (t *translator) expr(e logql.MetricExpr, times leafTimes) (string, error) {
	switch e := e.(type) {
	case *logql.Literal:
		return number(e.Value), nil
	case *logql.VectorExpr:
		return "vector(" + number(e.Value) + ")", nil
	case *logql.RangeAggregation:
		return t.leaf(&leaf{agg: e, group: e.Grouping, times: times}), nil
	case *logql.VectorAggregation:
		return t.aggregation(e, times)
	case *logql.BinaryExpr:
		return t.binary(e, times)
	case *logql.LabelReplace:
		inner, err := t.vector(e.Expr, times)
		return fmt.Sprintf("label_replace(%s, %s, %s, %s, %s)", inner,
			quote(labelName(e.Dst)), quote(e.Replacement), quote(labelName(e.Src)), quote("(?-s:"+e.Regex+")")), err
	case *logql.FunctionCall:
		return t.call(e, times)
	case *logql.Subquery:
		return t.subquery(e, times)
	case *logql.AtExpr:
		t.timed = true
		times.at = &e.At
		inner, err := t.expr(e.Expr, times)
		return inner + atModifier(&e.At), err
	}
	return "", badRequest("cannot evaluate %s", e.String())
}

func (t *translator) leaf(l *leaf) string {
	key := fmt.Sprintf("%s|%v|%s|%v|%v", l.agg, l.group, l.pushed, l.times.subquery, l.times.at)
	i, ok := t.byKey[key]
	if !ok {
		i = len(t.leaves)
		t.byKey[key] = i
		t.leaves = append(t.leaves, l)
	}
	return leafSelector(i)
}

// pushable are the vector aggregations that give the same when they are folded with the samples of the range aggregations named here.
var pushable = map[string][]string{
	"sum": {"count_over_time", "rate", "bytes_over_time", "bytes_rate", "sum_over_time"},
	"min": {"min_over_time"},
	"max": {"max_over_time"},
}

func (t *translator) aggregation(e *logql.VectorAggregation, times leafTimes) (string, error) {
	if e.Op == "sort" || e.Op == "sort_desc" {
		return t.vector(e.Expr, times)
	}
	if r, ok := e.Expr.(*logql.RangeAggregation); ok && r.Grouping == nil && slices.Contains(pushable[e.Op], r.Op) {
		group := e.Grouping
		if group == nil {
			group = &logql.Grouping{}
		}
		return t.leaf(&leaf{agg: r, group: group, pushed: e.Op, times: times}), nil
	}
	op := e.Op
	if op == "approx_topk" {
		op, t.approximate = "topk", true
	}
	inner, err := t.vector(e.Expr, times)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	b.WriteString(op)
	if g := e.Grouping; g != nil {
		word := " by ("
		if g.Without {
			word = " without ("
		}
		b.WriteString(word + labelList(g.Labels) + ") ")
	}
	b.WriteByte('(')
	if e.Param != nil {
		fmt.Fprintf(&b, "%d, ", *e.Param)
	}
	b.WriteString(inner + ")")
	return b.String(), nil
}

func (t *translator) binary(e *logql.BinaryExpr, times leafTimes) (string, error) {
	set := e.Op == "and" || e.Op == "or" || e.Op == "unless"
	side := t.expr
	if set {
		side = t.vector
	}
	left, err := side(e.Left, times)
	if err != nil {
		return "", err
	}
	right, err := side(e.Right, times)
	if err != nil {
		return "", err
	}
	comparison := false
	switch e.Op {
	case "==", "!=", ">", ">=", "<", "<=":
		comparison = true
	case "/", "%":
		right = t.divisor(e.Right, right)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "(%s %s ", left, e.Op)
	numbers := isNumber(e.Left) && isNumber(e.Right)
	if comparison && (e.ReturnBool || numbers) {
		b.WriteString("bool ")
	}
	if m := e.Matching; m != nil && !isNumber(e.Left) && !isNumber(e.Right) {
		b.WriteString(matching(m, set))
	}
	b.WriteString(right + ")")
	return b.String(), nil
}

// isNumber reports whether an expression is a scalar.
func isNumber(e logql.Expr) bool {
	switch e := e.(type) {
	case *logql.Literal:
		return true
	case *logql.FunctionCall:
		return returnsNumber(e.Name)
	case *logql.BinaryExpr:
		return isNumber(e.Left) && isNumber(e.Right)
	}
	return false
}

// divisor makes a division by zero give NaN.
func (t *translator) divisor(e logql.MetricExpr, text string) string {
	switch e := e.(type) {
	case *logql.Literal:
		if e.Value == 0 {
			return "NaN"
		}
	case *logql.VectorExpr:
		if e.Value == 0 {
			return "vector(NaN)"
		}
	default:
		if isNumber(e) {
			text = "vector(" + text + ")"
			return "scalar(" + divisorFunction + "(" + text + "))"
		}
		return divisorFunction + "(" + text + ")"
	}
	return text
}

func matching(m *logql.VectorMatching, set bool) string {
	word := "ignoring ("
	if m.On {
		word = "on ("
	}
	text := word + labelList(m.Labels) + ") "
	if set || m.Card == logql.OneToOne {
		return text
	}
	include := slices.DeleteFunc(slices.Clone(m.Include), func(name string) bool { return m.On && slices.Contains(m.Labels, name) })
	side := "group_left ("
	if m.Card == logql.OneToMany {
		side = "group_right ("
	}
	return text + side + labelList(include) + ") "
}

func number(v float64) string {
	switch {
	case math.IsNaN(v):
		return "NaN"
	case math.IsInf(v, 1):
		return "Inf"
	case math.IsInf(v, -1):
		return "(-Inf)"
	case v < 0 || v == 0 && math.Signbit(v):
		return "(" + strconv.FormatFloat(v, 'g', -1, 64) + ")"
	}
	return strconv.FormatFloat(v, 'g', -1, 64)
}

func quote(s string) string { return strconv.Quote(s) }

func labelName(name string) string {
	if name == model.MetricNameLabel {
		return nameLabel
	}
	return name
}

func labelList(names []string) string {
	quoted := make([]string, 0, len(names))
	for i, n := range names {
		if slices.Index(names, n) == i {
			quoted = append(quoted, quote(labelName(n)))
		}
	}
	return strings.Join(quoted, ", ")
}
