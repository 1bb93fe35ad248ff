package query

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/prometheus/promql/parser"

	"github.com/cambium-logs/cambium/pkg/logql"
)

// What PromQL has beyond LogQL: functions, parameterised aggregations, subqueries and @ over range aggregations of logs.

// promAggregations are the aggregations that reach a FunctionCall.
var promAggregations = []string{"quantile", "count_values", "group", "limitk", "limit_ratio"}

// timedFunctions give other values when the time axis is renumbered.
var timedFunctions = []string{
	"time", "timestamp", "minute", "hour", "day_of_week", "day_of_month", "day_of_year", "days_in_month", "month", "year", "start", "end", "step", "range",
}

// defaultSubqueryStep is the step of a subquery without one in an instant query.
const defaultSubqueryStep = time.Minute

func (t *translator) call(e *logql.FunctionCall, times leafTimes) (string, error) {
	if parser.Functions[e.Name] == nil && !slices.Contains(promAggregations, e.Name) || e.Name == divisorFunction {
		return "", badRequest("unknown function %q", e.Name)
	}
	if slices.Contains(timedFunctions, e.Name) {
		t.timed = true
	}
	args := make([]string, len(e.Args))
	for i, a := range e.Args {
		switch a := a.(type) {
		case *logql.StringLiteral:
			args[i] = quote(labelName(a.Value))
		case logql.MetricExpr:
			text, err := t.expr(a, times)
			if err != nil {
				return "", err
			}
			args[i] = text
		default:
			return "", badRequest("invalid argument of %s: %s", e.Name, a.String())
		}
	}
	name := e.Name
	if g := e.Grouping; g != nil {
		word := " by ("
		if g.Without {
			word = " without ("
		}
		name += word + labelList(g.Labels) + ") "
	}
	return name + "(" + strings.Join(args, ", ") + ")", nil
}

func returnsNumber(function string) bool {
	f := parser.Functions[function]
	return f != nil && f.ReturnType == parser.ValueTypeScalar
}

func (t *translator) subquery(e *logql.Subquery, times leafTimes) (string, error) {
	t.timed = true
	step := e.Step
	if step == 0 {
		step = t.step
	}
	if step == 0 {
		step = defaultSubqueryStep
	}
	step = max(step.Truncate(time.Millisecond), time.Millisecond)
	if err := checkSubqueryPoints(int64(e.Range / step)); err != nil {
		return "", err
	}
	inner, err := t.expr(e.Expr, leafTimes{subquery: step})
	if err != nil {
		return "", err
	}
	text := fmt.Sprintf("(%s)[%dms:%dms]", inner, e.Range.Milliseconds(), step.Milliseconds())
	if e.At != nil {
		text += atModifier(e.At)
	}
	if e.Offset != 0 {
		text += fmt.Sprintf(" offset %dms", e.Offset.Milliseconds())
	}
	return text, nil
}

// maxSubqueryPoints bounds how often a subquery evaluates its operand.
const maxSubqueryPoints = 1_000_000

func checkSubqueryPoints(n int64) error {
	if n > maxSubqueryPoints {
		return badRequest("a subquery would be evaluated at %d points, more than %d: use a larger step or a smaller range", n, maxSubqueryPoints)
	}
	return nil
}

func atModifier(a *logql.At) string {
	if a.Bound != "" {
		return " @ " + a.Bound + "()"
	}
	sign, ms := "", a.Millis
	if ms < 0 {
		sign, ms = "-", -ms
	}
	return fmt.Sprintf(" @ %s%d.%03d", sign, ms/1000, ms%1000)
}
