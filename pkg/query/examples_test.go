package query

import (
	"context"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/stretchr/testify/require"

	"github.com/cambium-logs/cambium/pkg/storage/chunk"
	"github.com/cambium-logs/cambium/pkg/storage/storagetest"
)

const exampleStart = int64(1795214520) * second

// exampleStore holds one stream with an entry per minute, k = 0 … 19.
func exampleStore() *storagetest.Memory {
	m := &storagetest.Memory{ChunkRows: 7}
	ls := labels.FromStrings("app", "api", "env", "prod", "service_name", "api")
	for k := range 20 {
		m.Add(ls, chunk.Entry{
			Timestamp: exampleStart + int64(k)*60*second,
			Line:      fmt.Appendf(nil, `level=info n=%d dur=%dms size=%dKB msg="req %d"`, k, 3*k, k, k),
			Metadata:  []labels.Label{{Name: "detected_level", Value: "info"}},
		})
	}
	return m
}

func vectorText(r *Result) string {
	var out []string
	for _, s := range r.Vector {
		out = append(out, fmt.Sprintf("%s %v", s.Labels, s.Value))
	}
	return strings.Join(out, "\n")
}

// TestWorkedExamples holds the instant examples of the language reference, evaluated at minute 10.
func TestWorkedExamples(t *testing.T) {
	m := exampleStore()
	const l = `{app="api"} | logfmt`
	for _, c := range []struct{ expr, want string }{
		{`sum by (level) (sum_over_time(` + l + ` | unwrap n [2m]))`, `{level="info"} 19`},
		{`count(sum_over_time(` + l + ` | unwrap n [2m]))`, `{} 2`},
		{`quantile_over_time(0.5, ` + l + ` | unwrap n [5m]) by (app)`, `{app="api"} 8`},
		{`quantile_over_time(1.5, ` + l + ` | unwrap n [5m]) by (app)`, `{app="api"} +Inf`},
		{`avg_over_time(` + l + ` | unwrap n [5m]) by (app)`, `{app="api"} 8`},
		{`min_over_time(` + l + ` | unwrap n [5m]) by (app)`, `{app="api"} 6`},
		{`max_over_time(` + l + ` | unwrap n [5m]) by (app)`, `{app="api"} 10`},
		{`first_over_time(` + l + ` | unwrap n [5m]) by (app)`, `{app="api"} 6`},
		{`last_over_time(` + l + ` | unwrap n [5m]) by (app)`, `{app="api"} 10`},
		{`stddev_over_time(` + l + ` | unwrap n [5m]) by (app)`, `{app="api"} 1.4142135623730951`},
		{`sum by (app) (rate(` + l + ` | keep app,n | unwrap n [5m]))`, `{app="api"} 0.13333333333333333`},
		{`sum by (app) (rate_counter(` + l + ` | keep app,n | unwrap n [5m]))`, `{app="api"} 0.016666666666666666`},
		{`sum(sum_over_time(` + l + ` | unwrap duration(dur) [5m]))`, `{} 0.12`},
		{`sum(sum_over_time(` + l + ` | unwrap bytes(size) [5m]))`, `{} 40000`},
		{`sum_over_time(` + l + ` | unwrap msg | __error__="" [5m])`, ``},
		{`sum(count_over_time({app="api"}[5m])) / 0`, `{} NaN`},
		{`sum(count_over_time({app="api"}[5m])) % vector(0)`, `{} NaN`},
		{`sum(count_over_time({app="none"}[5m]))`, ``},
		{`sum(count_over_time({app="none"}[5m])) or vector(0)`, `{} 0`},
		{`absent_over_time({app="api"} |= "nomatch" [5m])`, `{app="api"} 1`},
		{`absent_over_time({app="none",x=~"y",z="1",z="2",w="v"}[1m])`, `{app="none", w="v"} 1`},
		{`count_over_time({app="api"}[0s])`, ``},
		{`3 < vector(5)`, `{} 5`},
		{`label_replace(vector(1),"x","a$1","y","(.*)")`, `{x="a"} 1`},
		{`sum(vector(1))`, `{} 1`},
		{`sort_desc(sum by (n) (count_over_time(` + l + ` [2m])) * 2)`, "{n=\"10\"} 2\n{n=\"9\"} 2"},
	} {
		r := query(t, m, 2, Params{Expr: c.expr, Instant: true, Time: exampleStart + 600*second})
		require.Equal(t, ResultVector, r.Type, c.expr)
		require.Equal(t, c.want, vectorText(r), c.expr)
	}
	requireError(t, 400, "pipeline error: 'SampleExtractionErr' for series: '{__error__=\"SampleExtractionErr\", __error_details__=\"strconv.ParseFloat: parsing \\\"req 10\\\": invalid syntax\", "+
		"app=\"api\", detected_level=\"info\", dur=\"30ms\", env=\"prod\", level=\"info\", msg=\"req 10\", n=\"10\", service_name=\"api\", size=\"10KB\"}'.\n"+
		"Use a label filter to intentionally skip this error. (e.g | __error__!=\"SampleExtractionErr\").\n"+
		"To skip all potential errors you can match empty errors.(e.g __error__=\"\")\n"+
		"The label filter can also be specified after unwrap. (e.g | unwrap latency | __error__=\"\" )\n",
		m, Params{Expr: `sum_over_time(` + l + ` | unwrap msg [1m])`, Instant: true, Time: exampleStart + 600*second})
}

func TestWorkedRangeExamples(t *testing.T) {
	m := exampleStore()
	r := query(t, m, 2, Params{Expr: `{app="api"}`, Start: exampleStart, End: exampleStart + 120*second, Limit: 10})
	require.Len(t, r.Entries, 2)
	require.Contains(t, r.Entries[0].Line, "n=1 ")

	steps := func(expr string, end, step int64) (out []int64) {
		r := query(t, m, 2, Params{Expr: expr, Start: exampleStart, End: exampleStart + end*second, Step: step * second})
		for _, p := range r.Matrix[0].Points {
			require.EqualValues(t, 1, p.Value)
			out = append(out, (p.Timestamp-exampleStart)/second)
		}
		return out
	}
	require.Equal(t, []int64{30, 90}, steps(`absent_over_time({app="api"}[30s])`, 120, 30))
	require.Equal(t, []int64{0, 60, 120, 180}, steps(`count_over_time({app="api"}[1m])`, 180, 60))
	require.Equal(t, []int64{0, 60, 120}, steps(`vector(1)`, 120, 60))
	require.Equal(t, []int64{0, 60, 120}, steps(`1`, 120, 60))

	scalar := query(t, m, 1, Params{Expr: `1/0`, Instant: true, Time: 5})
	require.Equal(t, ResultScalar, scalar.Type)
	require.True(t, math.IsNaN(scalar.Scalar.Value))

	r = query(t, m, 1, Params{Expr: `count_over_time({app="api"}[2m])`, Start: exampleStart + 10*second, End: exampleStart + 130*second, Step: 60 * second, AlignStep: true})
	require.Equal(t, exampleStart, r.Matrix[0].Points[0].Timestamp)
	require.Equal(t, exampleStart+180*second, r.Matrix[0].Points[3].Timestamp)
}

func TestCategories(t *testing.T) {
	m := exampleStore()
	r := query(t, m, 1, Params{Expr: `{app="api"} | label_format app="new"`, Start: exampleStart, End: exampleStart + second})
	require.Equal(t, `{env="prod", service_name="api"}`, r.Entries[0].Labels.Stream.String())
	require.Equal(t, `{app="new"}`, r.Entries[0].Labels.Parsed.String())
	require.Equal(t, `{app="new", detected_level="info", env="prod", service_name="api"}`, r.Streams(false)[0].Labels.String())
	require.Equal(t, `{env="prod", service_name="api"}`, r.Streams(true)[0].Labels.String())
	r = query(t, m, 1, Params{Expr: `{app="api"} | logfmt app="level"`, Start: exampleStart, End: exampleStart + second})
	require.Equal(t, `{app_extracted="info"}`, r.Entries[0].Labels.Parsed.String())
}

// TestVectorMatchingErrors: texts and status are LogQL's.
func TestVectorMatchingErrors(t *testing.T) {
	m := &storagetest.Memory{}
	for _, env := range []string{"a", "b"} {
		for _, zone := range []string{"x", "y"} {
			m.Add(labels.FromStrings("app", "p", "env", env, "zone", zone), chunk.Entry{Timestamp: second, Line: []byte("l")})
		}
	}
	const fine, coarse = `sum by (env, zone) (count_over_time({app="p"}[1m]))`, `sum by (env) (count_over_time({app="p"}[1m]))`
	for _, c := range []struct{ expr, message string }{
		{fine + ` + on(env) ` + coarse, "multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)"},
		{coarse + ` + on(env) ` + fine, "found duplicate series on the right hand-side;many-to-many matching not allowed: matching labels must be unique on one side"},
		{fine + ` + on(env) group_right ` + coarse, "found duplicate series on the left hand-side;many-to-many matching not allowed: matching labels must be unique on one side"},
		{fine + ` / on(zone) group_left(env) sum by (zone, env) (count_over_time({app="p",env="a"}[1m]))`, "multiple matches for labels: grouping labels must ensure unique matches"},
	} {
		requireError(t, 500, c.message, m, Params{Expr: c.expr, Instant: true, Time: 10 * second})
	}
	requireError(t, 500, "count min sketches are only supported on instant queries", m, Params{Expr: `approx_topk(1, ` + fine + `)`, End: 10 * second, Step: second})
	r := query(t, m, 1, Params{Expr: `approx_topk(1, ` + fine + `)`, Instant: true, Time: 10 * second})
	require.Equal(t, `{env="a", zone="x"} 1`, vectorText(r))
}

// TestMetricNameIsALabel: __name__ is a label as any other, also where PromQL would drop it.
func TestMetricNameIsALabel(t *testing.T) {
	m := &storagetest.Memory{}
	for _, name := range []string{"x", "y"} {
		m.Add(labels.FromStrings("__name__", name, "app", "p"), chunk.Entry{Timestamp: second, Line: []byte("l")})
	}
	for _, c := range []struct{ expr, want string }{
		{`count_over_time({app="p"}[1m]) * 2`, "{__name__=\"x\", app=\"p\"} 2\n{__name__=\"y\", app=\"p\"} 2"},
		{`max by (__name__) (count_over_time({app="p"}[1m]))`, "{__name__=\"x\"} 1\n{__name__=\"y\"} 1"},
		{`max without (__name__) (count_over_time({app="p"}[1m]))`, `{app="p"} 1`},
		{`max without (app) (count_over_time({app="p",__name__="y"}[1m]))`, `{__name__="y"} 1`},
		{`label_replace(count_over_time({app="p",__name__="y"}[1m]), "__name__", "n$1", "__name__", "(.*)")`, `{__name__="ny", app="p"} 1`},
	} {
		require.Equal(t, c.want, vectorText(query(t, m, 1, Params{Expr: c.expr, Instant: true, Time: 10 * second})), c.expr)
	}
}

// TestExtensions: PromQL above range aggregations of logs.
func TestExtensions(t *testing.T) {
	m := exampleStore()
	at := exampleStart + 600*second
	for _, c := range []struct{ expr, want string }{
		{`abs(sum(count_over_time({app="api"}[5m])) - 7)`, `{} 2`},
		{`clamp_max(sum(count_over_time({app="api"}[5m])), 3)`, `{} 3`},
		{`max_over_time(sum(sum_over_time({app="api"} | logfmt | unwrap n [1m]))[5m:1m])`, `{} 10`},
		{`sum_over_time(sum(sum_over_time({app="api"} | logfmt | unwrap n [1m]))[5m:1m])`, `{} 40`},
		{`quantile(0.5, sum by (n) (sum_over_time({app="api"} | logfmt | unwrap n [3m])))`, `{} 9`},
	} {
		r, err := New(Options{Source: m}).Query(context.Background(), Params{Expr: c.expr, Instant: true, Time: at, Extensions: true})
		require.NoError(t, err, c.expr)
		require.Equal(t, c.want, vectorText(r), c.expr)
	}
	_, err := New(Options{Source: m}).Query(context.Background(), Params{Expr: `abs(vector(1))`, Instant: true, Time: at})
	require.Error(t, err, "no extension without asking")
}

func TestExplain(t *testing.T) {
	m := exampleStore()
	p := Params{Expr: `sum by (level) (rate({app="api"} |= "req" | logfmt [1m])) > 1`, Start: exampleStart, End: exampleStart + 600*second, Step: 60 * second, Explain: true}
	plan := query(t, m, 1, p).Plan
	require.Len(t, plan.Reads, 1)
	require.Equal(t, []string{"req"}, plan.Reads[0].Literals)
	require.Equal(t, []string{"level"}, plan.Reads[0].Labels)
	require.Equal(t, "sum by (level)", plan.Reads[0].Folded)
	require.Equal(t, `({leaf="0"} > 1)`, plan.PromQL)
	require.EqualValues(t, 2, plan.Observed.ChunksOpened)
	require.EqualValues(t, 11, plan.Observed.LinesProcessed)
}

// TestExplainPushdown: the plan says of every stage what the store decides, and why not more.
func TestExplainPushdown(t *testing.T) {
	for _, c := range []struct{ expr, want string }{
		{"{a=`b`} |= `0123456789abcdef`", "skip filter+column search"},
		{"{a=`b`} |= `short`", "column search (texts that are sure to be in a match are shorter than the 16 bytes that skip filters need)"},
		{"{a=`b`} != `short`", "(what lines must not contain is decided line by line)"},
		{"{a=`b`} |~ `[a-z]+`", "(no text is certain to be in every match)"},
		{"{a=`b`} | json | status >= 500 | line_format `x`", "columns (only for the label filters behind it: what follows reads lines or all labels); columns; (it works on what the stages before it give)"},
		{"{a=`b`} | line_format `x` |= `0123456789abcdef`", "(it works on what the stages before it give); (a stage before it changes the line)"},
		{"sum by (x) (rate({a=`b`} | json | x=`0123456789abcdef` [1m]))", "columns; skip filter+columns"},
		{"max_over_time({a=`b`} | logfmt | unwrap n [1m]) by (x)", "columns; columns"},
		{"max_over_time({a=`b`} |= `long enough to be sure` | logfmt | unwrap duration(n) [1m]) by (x)",
			"skip filter+column search; (the line itself is needed: by a filter or parser beside it, by expressions, or for counting bytes); (its labels are not served from columns)"},
		{"count_over_time({a=`b`}[1m])", "directory and timestamps"},
	} {
		plan, err := New(Options{}).Explain(context.Background(), Params{Expr: c.expr, End: 10 * second, Step: second})
		require.NoError(t, err)
		var got []string
		for _, p := range plan.Reads[0].Pushdown {
			text := strings.Join(p.By, "+")
			if p.Why != "" {
				text = strings.TrimSpace(text + " (" + p.Why + ")")
			}
			got = append(got, text)
		}
		require.Equal(t, c.want, strings.Join(got, "; "), c.expr)
	}
}

func TestTailer(t *testing.T) {
	tail, err := NewTailer(`{app="api"} | logfmt | n > 1 | line_format "{{.n}}"`, Limits{})
	require.NoError(t, err)
	ls := labels.FromStrings("app", "api")
	_, keep := tail.Process(ls, &chunk.Entry{Line: []byte("n=1")})
	require.False(t, keep)
	e, keep := tail.Process(ls, &chunk.Entry{Timestamp: 7, Line: []byte("n=2"), Metadata: []labels.Label{{Name: "k", Value: "v"}}})
	require.True(t, keep)
	require.Equal(t, "2", e.Line)
	require.Equal(t, `{app="api", k="v", n="2"}`, e.Labels.All().String())
	require.False(t, tail.Selects(labels.FromStrings("app", "web")))
	_, err = NewTailer(`rate({app="api"}[1m])`, Limits{})
	require.ErrorIs(t, err, ErrNotLogQuery)
}
