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
	return e.Name + "(" + strings.Join(args, ", ") + ")", nil
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
