package query

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

func extended(t *testing.T, src Source, p Params) *Result {
	t.Helper()
	p.Extensions = true
	r, err := New(Options{Source: src}).Query(context.Background(), p)
	require.NoError(t, err, p.Expr)
	return r
}

// TestSubqueriesEqualTheirSteps: a subquery sees its operand at the multiples of its step in (T−range, T].
func TestSubqueriesEqualTheirSteps(t *testing.T) {
	r := rand.New(rand.NewPCG(21, 22))
	w := newWorld(r, 20, 300, 100)
	for range 60 {
		inner := []string{
			`sum(count_over_time({app=~".+"}[10s]))`,
			`sum(rate({app="api"} |= "error" [7s]))`,
			`sum(count_over_time({app=~".+"}[10s] offset 5s))`,
			`(sum by (app) (count_over_time({app="web"}[4s])) * 2)`,
		}[r.IntN(4)]
		rng, step, offset := 1+r.Int64N(40), 1+r.Int64N(9), r.Int64N(10)
		at := 50*second + r.Int64N(30*second)
		at -= at % 1e6
		got := extended(t, w.store, Params{Expr: fmt.Sprintf("max_over_time(%s[%ds:%ds] offset %ds)", inner, rng, step, offset), Instant: true, Time: at})
		want, found := math.Inf(-1), false
		to := at - offset*second
		for ts := to - to%(step*second); ts > to-rng*second; ts -= step * second {
			for _, s := range query(t, w.store, 1, Params{Expr: inner, Instant: true, Time: ts}).Vector {
				want, found = math.Max(want, s.Value), true
			}
		}
		require.Equal(t, found, len(got.Vector) == 1, "%s at %d", inner, at)
		if found {
			require.InDelta(t, want, got.Vector[0].Value, 1e-9, "%s [%ds:%ds] offset %d at %d", inner, rng, step, offset, at)
		}
	}
}

func TestNestedSubqueryAndRange(t *testing.T) {
	m := exampleStore()
	at := exampleStart + 600*second
	p := Params{Expr: `max_over_time(sum_over_time(sum(count_over_time({app="api"}[1m]))[2m:1m])[4m:1m])`, Start: at, End: at + 120*second, Step: 60 * second}
	r := extended(t, m, p)
	require.Len(t, r.Matrix, 1)
	for _, pt := range r.Matrix[0].Points {
		require.EqualValues(t, 2, pt.Value)
	}
	for i, pt := range extended(t, m, Params{Expr: `time() - vector(0)`, Start: at, End: at + 2*second, Step: second}).Matrix[0].Points {
		require.EqualValues(t, at/second+int64(i), pt.Value)
	}
}

func TestExtendedExpressions(t *testing.T) {
	m := exampleStore()
	for _, c := range []struct{ expr, want string }{
		{`quantile by (level) (0.5, sum by (level, n) (sum_over_time({app="api"} | logfmt | unwrap n [3m])))`, `{level="info"} 9`},
		{`vector(1) / (time() - time())`, `{} NaN`},
		{`vector(time() - time()) / vector(5)`, `{} 0`},
		{`vector(1) * (time() > 5)`, `{} 1`},
		{`count_values("v", sum by (n) (count_over_time({app="api"} | logfmt [3m])))`, `{v="1"} 3`},
		{`label_join(sum by (app) (count_over_time({app="api"}[3m])), "x", "-", "app", "app")`, `{app="api", x="api-api"} 3`},
		{`round(sum(rate({app="api"}[5m])) * 1000)`, `{} 17`},
		{`-sum(count_over_time({app="api"}[3m]))`, `{} -3`},
	} {
		require.Equal(t, c.want, vectorText(extended(t, m, Params{Expr: c.expr, Instant: true, Time: exampleStart + 600*second})), c.expr)
	}
}

func TestAtModifier(t *testing.T) {
	m := exampleStore()
	fixed := fmt.Sprintf(`sum(sum_over_time({app="api"} | logfmt | unwrap n [1m] @ %d))`, (exampleStart+300*second)/second)
	r := extended(t, m, Params{Expr: fixed, Start: exampleStart, End: exampleStart + 600*second, Step: 60 * second})
	require.Len(t, r.Matrix[0].Points, 11)
	for _, p := range r.Matrix[0].Points {
		require.EqualValues(t, 5, p.Value)
	}
	r = extended(t, m, Params{Expr: `sum(sum_over_time({app="api"} | logfmt | unwrap n [1m] @ end()))`, Start: exampleStart, End: exampleStart + 600*second, Step: 60 * second})
	require.EqualValues(t, 10, r.Matrix[0].Points[0].Value)
}

func TestSubqueryLimits(t *testing.T) {
	m := exampleStore()
	for expr, text := range map[string]string{
		`max_over_time(sum(count_over_time({app="api"}[1m]))[700h:1ms])`: "a subquery would be evaluated at",
		`nope(sum(count_over_time({app="api"}[1m])))`:                    "",
		`sum(count_over_time({app="api"}[1m]))[5m:1m]`:                   "",
		`max_over_time(vector(1)[700h:1ms])`:                             "a subquery would be evaluated at",
	} {
		_, err := New(Options{Source: m}).Query(context.Background(), Params{Expr: expr, Instant: true, Time: exampleStart, Extensions: true})
		var own *Error
		require.ErrorAs(t, err, &own, expr)
		require.Equal(t, 400, own.Status, "%s: %s", expr, own.Message)
		require.Contains(t, own.Message, text)
	}
}
