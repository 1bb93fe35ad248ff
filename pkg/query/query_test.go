package query

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"slices"
	"sort"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/cambium-logs/cambium/internal/race"
	"github.com/cambium-logs/cambium/pkg/logql"
	"github.com/cambium-logs/cambium/pkg/logql/pipeline"
	"github.com/cambium-logs/cambium/pkg/storage"
	"github.com/cambium-logs/cambium/pkg/storage/bucket/buckettest"
	"github.com/cambium-logs/cambium/pkg/storage/chunk"
	"github.com/cambium-logs/cambium/pkg/storage/storagetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m, buckettest.KnownGoroutines()...) }

const second = int64(time.Second)

// world is a store with what was put into it, in order of arrival.
type world struct {
	store   *storagetest.Memory
	arrived map[string][]chunk.Entry
	labels  map[string]labels.Labels
}

// newWorld fills a store with the entries of a few streams over [0, span) seconds.
func newWorld(r *rand.Rand, chunkRows, entries int, span int64) *world {
	w := &world{store: &storagetest.Memory{ChunkRows: chunkRows}, arrived: map[string][]chunk.Entry{}, labels: map[string]labels.Labels{}}
	streams := []labels.Labels{
		labels.FromStrings("app", "api", "env", "prod"),
		labels.FromStrings("app", "api", "env", "dev"),
		labels.FromStrings("app", "web"),
	}
	levels := []string{"info", "warn", "error"}
	for i := range entries {
		at := int64(i) * span * second / int64(entries)
		if r.IntN(4) == 0 {
			at -= r.Int64N(1 + span*second/10)
		}
		if r.IntN(3) == 0 {
			at -= at % second
		}
		at = max(at, 0)
		e := chunk.Entry{Timestamp: at}
		switch r.IntN(3) {
		case 0:
			e.Line = fmt.Appendf(nil, `{"level":%q,"n":%d,"msg":"m%d"}`, levels[r.IntN(3)], r.IntN(50), r.IntN(3))
		case 1:
			e.Line = fmt.Appendf(nil, `level=%s n=%d dur=%dms`, levels[r.IntN(3)], r.IntN(50), r.IntN(900))
		default:
			e.Line = fmt.Appendf(nil, `text %d %s`, r.IntN(5), levels[r.IntN(3)])
		}
		if r.IntN(2) == 0 {
			e.Metadata = []labels.Label{{Name: "trace", Value: fmt.Sprint(r.IntN(3))}}
		}
		ls := streams[r.IntN(len(streams))]
		w.add(ls, e)
		if r.IntN(12) == 0 {
			w.add(ls, e)
		}
		if r.IntN(40) == 0 {
			w.store.Cut()
		}
	}
	return w
}

func (w *world) add(ls labels.Labels, e chunk.Entry) {
	key := ls.String()
	w.labels[key] = ls
	w.arrived[key] = append(w.arrived[key], e)
	w.store.Add(ls, e)
}

// copyInto builds the same content in chunks of another size.
func (w *world) copyInto(chunkRows int) *storagetest.Memory {
	m := &storagetest.Memory{ChunkRows: chunkRows}
	for key, entries := range w.arrived {
		m.Add(w.labels[key], entries...)
	}
	return m
}

// distinct gives a stream's entries once each, by time and arrival.
func (w *world) distinct(key string) []chunk.Entry {
	seen := map[row]bool{}
	var out []chunk.Entry
	for _, e := range w.arrived[key] {
		if k := rowOf(e.Timestamp, e.Line, e.Metadata); !seen[k] {
			seen[k] = true
			out = append(out, e)
		}
	}
	sort.SliceStable(out, func(i, j int) bool { return out[i].Timestamp < out[j].Timestamp })
	return out
}

// scan is the oracle of log queries: every entry through the pipeline, sorted by time, stream and arrival.
func (w *world) scan(t *testing.T, expr string, start, end int64) []Entry {
	t.Helper()
	parsed, err := logql.Parse(expr, logql.ParseOptions{})
	require.NoError(t, err)
	log := parsed.(*logql.LogExpr)
	compiled, err := pipeline.Compile(log.Stages, pipeline.Options{})
	require.NoError(t, err)
	var sets []labels.Labels
	for _, ls := range w.labels {
		sets = append(sets, ls)
	}
	slices.SortFunc(sets, labels.Compare)
	var out []Entry
	seen := map[string]bool{}
	for _, ls := range sets {
		selected := true
		for _, m := range log.Matchers {
			selected = selected && m.Matches(ls.Get(m.Name))
		}
		if !selected {
			continue
		}
		stream := compiled.ForStream(ls)
		for _, e := range w.distinct(ls.String()) {
			if e.Timestamp < start || e.Timestamp >= end {
				continue
			}
			if line, r, keep := stream.Process(e.Timestamp, e.Line, e.Metadata); keep {
				shown := Entry{Timestamp: e.Timestamp, Line: string(line), Labels: entryLabels(r)}
				if key := ls.String() + show([]Entry{shown})[0]; !seen[key] {
					seen[key] = true
					out = append(out, shown)
				}
			}
		}
	}
	sort.SliceStable(out, func(i, j int) bool { return out[i].Timestamp < out[j].Timestamp })
	return out
}

func show(entries []Entry) []string {
	out := make([]string, 0, len(entries))
	for _, e := range entries {
		out = append(out, fmt.Sprintf("%d %q %s|%s|%s", e.Timestamp, e.Line, e.Labels.Stream, e.Labels.Metadata, e.Labels.Parsed))
	}
	return out
}

var logQueries = []string{
	`{app=~".+"}`,
	`{app="api"}`,
	`{app="api"} |= "error"`,
	`{app=~".+"} | json`,
	`{app=~".+"} | logfmt | n > 20`,
	`{app=~".+"} | json | level="warn" | line_format "{{.n}}"`,
	`{app=~".+"} | drop env`,
	`{app=~".+"} | drop trace`,
	`{app=~".+"} | line_format "{{.app}}"`,
	`{env!="prod",app=~".+"} | trace="1"`,
	`{app="none"}`,
	`{app=~".+"} != "text" | logfmt | __error__="" | label_format x="{{.level}}"`,
}

func query(t *testing.T, src Source, workers int, p Params) *Result {
	t.Helper()
	r, err := New(Options{Source: src, Workers: workers}).Query(context.Background(), p)
	require.NoError(t, err, p.Expr)
	return r
}

// TestLogQueriesEqualScan: any cut into chunks, direction, limit and number of workers gives the prefix of the full sorted scan.
func TestLogQueriesEqualScan(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	for range race.Cases(60) {
		w := newWorld(r, 1+r.IntN(40), 30+r.IntN(200), 100)
		for _, expr := range logQueries {
			start := r.Int64N(50 * second)
			end := start + r.Int64N(70*second)
			want := w.scan(t, expr, start, end)
			p := Params{Expr: expr, Start: start, End: end, Direction: Forward}
			require.Equal(t, show(want), show(query(t, w.store, 1+r.IntN(3), p).Entries), expr)
			limit := 1 + r.IntN(20)
			p.Limit = limit
			require.Equal(t, show(want[:min(limit, len(want))]), show(query(t, w.store, 1+r.IntN(3), p).Entries), expr)
			slices.Reverse(want)
			p.Direction = Backward
			require.Equal(t, show(want[:min(limit, len(want))]), show(query(t, w.store, 1+r.IntN(3), p).Entries), expr)
			p.Limit = 0
			require.Equal(t, show(want), show(query(t, w.store, 1+r.IntN(3), p).Entries), expr)
			require.Zero(t, w.store.OpenNow())
		}
	}
}

func TestLogQueryStopsEarly(t *testing.T) {
	m := &storagetest.Memory{ChunkRows: 10}
	for i := range 1000 {
		m.Add(labels.FromStrings("a", "b"), chunk.Entry{Timestamp: int64(i), Line: []byte("x")})
	}
	res := query(t, m, 1, Params{Expr: `{a="b"}`, End: 1000, Limit: 15})
	require.Len(t, res.Entries, 15)
	require.EqualValues(t, 999, res.Entries[0].Timestamp)
	require.EqualValues(t, 2, m.Opened())
	require.EqualValues(t, 98, res.Stats.ChunksSkipped)
}

func TestInterval(t *testing.T) {
	m := &storagetest.Memory{}
	for i := range 5 {
		m.Add(labels.FromStrings("a", "b"), chunk.Entry{Timestamp: int64(i) * 60 * second})
	}
	times := func(d Direction) (out []int64) {
		for _, e := range query(t, m, 1, Params{Expr: `{a="b"}`, End: 300 * second, Limit: 100, Interval: 120 * second, Direction: d}).Entries {
			out = append(out, e.Timestamp/second)
		}
		return out
	}
	require.Equal(t, []int64{0, 120, 240}, times(Forward))
	require.Equal(t, []int64{240, 120, 0}, times(Backward))
}

var metricQueries = []string{
	`count_over_time({app=~".+"}[%s])`,
	`sum(count_over_time({app=~".+"}[%s]))`,
	`sum by (app) (count_over_time({app=~".+"}[%s]))`,
	`sum without (trace) (rate({app=~".+"}[%s]))`,
	`sum by (env) (bytes_over_time({app=~".+"}[%s] offset 7s))`,
	`bytes_rate({app="api"} |= "error" [%s])`,
	`sum by (level) (count_over_time({app=~".+"} | logfmt [%s]))`,
	`sum by (level) (sum_over_time({app=~".+"} | logfmt | unwrap n | __error__="" [%s]))`,
	`avg_over_time({app=~".+"} | logfmt | unwrap n | __error__="" [%s]) by (app)`,
	`min_over_time({app=~".+"} | logfmt | unwrap n | __error__="" [%s]) by (app)`,
	`max by (app) (max_over_time({app=~".+"} | logfmt | unwrap n | __error__="" [%s]))`,
	`stddev_over_time({app=~".+"} | logfmt | unwrap duration(dur) | __error__="" [%s]) by (level)`,
	`quantile_over_time(0.7, {app=~".+"} | logfmt | unwrap n | __error__="" [%s]) by (level)`,
	`first_over_time({app=~".+"} | logfmt | unwrap n | __error__="" [%s]) by (env)`,
	`last_over_time({app=~".+"} | logfmt | unwrap n | __error__="" [%s]) by (env)`,
	`sum by (app) (rate_counter({app=~".+"} | logfmt | unwrap n | __error__="" [%s]))`,
	`rate({app=~".+"} | logfmt | keep app, n | unwrap n | __error__="" [%s])`,
	`absent_over_time({app="api", env="dev"} |= "error" [%s])`,
	`topk(2, sum by (app, env) (count_over_time({app=~".+"}[%s])))`,
	`sum(rate({app=~".+"} |= "error" [%s])) / sum(rate({app=~".+"}[17s]))`,
	`sum by (app) (count_over_time({app=~".+"}[%s])) > 3 or vector(7)`,
	`label_replace(sum by (app) (count_over_time({app=~".+"}[%s])), "x", "$1", "app", "(.).*")`,
	`count(count_over_time({app=~".+"}[%s]))`,
	`avg by (app) (bytes_over_time({app=~".+"}[%s]))`,
}

// values flattens a result to series → time → value.
func values(r *Result) map[string]map[int64]float64 {
	out := map[string]map[int64]float64{}
	put := func(ls labels.Labels, p Point) {
		if out[ls.String()] == nil {
			out[ls.String()] = map[int64]float64{}
		}
		out[ls.String()][p.Timestamp] = p.Value
	}
	for _, s := range r.Matrix {
		for _, p := range s.Points {
			put(s.Labels, p)
		}
	}
	for _, s := range r.Vector {
		put(s.Labels, s.Point)
	}
	return out
}

func requireSame(t *testing.T, want, got map[string]map[int64]float64, msg string) {
	t.Helper()
	require.Equal(t, len(want), len(got), "%s\nwant %v\ngot %v", msg, want, got)
	for series, points := range want {
		require.Equal(t, len(points), len(got[series]), "%s %s\nwant %v\ngot %v", msg, series, points, got[series])
		for ts, v := range points {
			g, ok := got[series][ts]
			require.True(t, ok, "%s %s at %d", msg, series, ts)
			if math.IsNaN(v) {
				require.True(t, math.IsNaN(g))
				continue
			}
			require.InDelta(t, v, g, 1e-9*(1+math.Abs(v)), "%s %s at %d", msg, series, ts)
		}
	}
}

// TestMetricQueriesAgree: an instant query at T gives the range query's points at T; workers and the cut into chunks do not show.
func TestMetricQueriesAgree(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 10))
	for range race.Cases(12) {
		w := newWorld(r, 1+r.IntN(30), 50+r.IntN(200), 100)
		other := w.copyInto(1 + r.IntN(300))
		for _, form := range metricQueries {
			expr := fmt.Sprintf(form, []string{"5s", "10s", "1s500ms", "33s", "2m"}[r.IntN(5)])
			start := r.Int64N(30 * second)
			p := Params{Expr: expr, Start: start, End: start + 60*second + r.Int64N(30*second), Step: []int64{1, 7, 10, 30}[r.IntN(4)]*second + r.Int64N(3)}
			serial := query(t, w.store, 1, p)
			require.Equal(t, ResultMatrix, serial.Type)
			parallel := query(t, w.store, 3, p)
			require.Equal(t, values(serial), values(parallel), expr)
			requireSame(t, values(serial), values(query(t, other, 2, p)), expr)
			require.True(t, slices.IsSortedFunc(serial.Matrix, func(a, b Series) int { return labels.Compare(a.Labels, b.Labels) }))
			merged := map[string]map[int64]float64{}
			for at := p.Start; at <= p.End; at += p.Step {
				res := query(t, w.store, 2, Params{Expr: expr, Instant: true, Time: at})
				require.Equal(t, ResultVector, res.Type)
				for series, points := range values(res) {
					for ts, v := range points {
						require.Equal(t, at, ts)
						if merged[series] == nil {
							merged[series] = map[int64]float64{}
						}
						merged[series][ts] = v
					}
				}
			}
			requireSame(t, merged, values(serial), expr)
			require.Zero(t, w.store.OpenNow())
		}
	}
}

// TestFoldedAggregationsEqualPromQL: an aggregation that is folded with the samples gives what PromQL gives above the range aggregation.
func TestFoldedAggregationsEqualPromQL(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 12))
	w := newWorld(r, 20, 300, 100)
	for _, group := range []string{"", "by (app)", "by (app, env, nolabel)", "without (env)", "by ()", "without ()", "by (level)"} {
		for _, leaf := range []string{
			`count_over_time({app=~".+"} | logfmt | __error__="" [20s])`,
			`rate({app=~".+"} | logfmt | __error__="" | unwrap n [20s])`,
			`sum_over_time({app=~".+"} | logfmt | unwrap n [20s])`,
			`bytes_rate({app=~".+"}[20s])`,
		} {
			p := Params{Expr: fmt.Sprintf("sum %s (%s)", group, leaf), End: 100 * second, Step: 3 * second}
			folded := query(t, w.store, 2, p)
			p.Expr = fmt.Sprintf("sum %s (%s + 0)", group, leaf)
			requireSame(t, values(query(t, w.store, 2, p)), values(folded), p.Expr)
		}
	}
	for _, op := range []string{"min", "max"} {
		leaf := fmt.Sprintf(`%s_over_time({app=~".+"} | logfmt | unwrap n [20s])`, op)
		p := Params{Expr: fmt.Sprintf("%s by (app) (%s)", op, leaf), End: 100 * second, Step: 3 * second}
		folded := query(t, w.store, 2, p)
		p.Expr = fmt.Sprintf("%s by (app) (%s + 0)", op, leaf)
		requireSame(t, values(query(t, w.store, 2, p)), values(folded), p.Expr)
	}
}

// TestCountsFromDirectory: without filters, a chunk inside one cell is not opened, and the counts are those of its entries.
func TestCountsFromDirectory(t *testing.T) {
	m := &storagetest.Memory{ChunkRows: 10}
	for i := range 1000 {
		m.Add(labels.FromStrings("a", "b"), chunk.Entry{Timestamp: int64(i) * second, Line: []byte("0123456789")})
	}
	p := Params{Expr: `sum(count_over_time({a="b"}[100s]))`, Start: 99 * second, End: 999 * second, Step: 100 * second}
	res := query(t, m, 2, p)
	for _, pt := range res.Matrix[0].Points {
		require.EqualValues(t, 100, pt.Value)
	}
	require.Zero(t, m.Opened())
	require.EqualValues(t, 100, res.Stats.ChunksCounted)
	p.Expr = `bytes_over_time({a="b"}[100s])`
	require.EqualValues(t, 1000, query(t, m, 2, p).Matrix[0].Points[3].Value)
	require.Zero(t, m.Opened())
	p.Start, p.End = 95*second, 895*second
	p.Expr = `count_over_time({a="b"}[100s])`
	res = query(t, m, 2, p)
	for i, pt := range res.Matrix[0].Points {
		require.EqualValues(t, []int{96, 100}[min(i, 1)], pt.Value)
	}
	require.Zero(t, m.Opened(), "timestamps suffice where a cell's edge cuts a chunk")
	require.EqualValues(t, 9, res.Stats.ChunksTimed)
}

func requireError(t *testing.T, status int, message string, src Source, p Params) {
	t.Helper()
	_, err := New(Options{Source: src}).Query(context.Background(), p)
	var own *Error
	require.ErrorAs(t, err, &own, p.Expr)
	require.Equal(t, message, own.Message)
	require.Equal(t, status, own.Status)
}

func TestLimits(t *testing.T) {
	r := rand.New(rand.NewPCG(13, 14))
	w := newWorld(r, 20, 200, 100)
	day := 24 * time.Hour
	for _, c := range []struct {
		limits  Limits
		p       Params
		message string
	}{
		{Limits{MaxQueryLength: 721 * time.Hour}, Params{Expr: `{app="api"}`, End: int64(800 * time.Hour), Limit: 1},
			"the query time range exceeds the limit (query length: 800h0m0s, limit: 30d1h)"},
		{Limits{MaxQueryLength: 721 * time.Hour}, Params{Expr: `{app="api"}`, Start: math.MinInt64, End: math.MaxInt64, Limit: 1},
			"the query time range exceeds the limit (query length: 2562047h47m16.854775807s, limit: 30d1h)"},
		{Limits{}, Params{Expr: `vector(1)`, Start: math.MinInt64, End: math.MaxInt64, Step: second},
			"exceeded maximum resolution of 11,000 points per time series. Try increasing the value of the step parameter"},
		{Limits{MaxQueryLength: 721 * time.Hour}, Params{Expr: `count_over_time({app="api"}[1m])`, Start: math.MinInt64 / 2, End: math.MaxInt64, Step: int64(365 * day)},
			"the query time range exceeds the limit (query length: 2562047h47m16.854775807s, limit: 30d1h)"},
		{Limits{MaxQueryLength: 2 * time.Hour}, Params{Expr: `rate({app="api"}[2h])`, Start: 0, End: int64(time.Hour + 12*time.Second), Step: 12 * second},
			"the query time range exceeds the limit (query length: 3h0m12s, limit: 2h)"},
		{Limits{MaxQueryRange: day}, Params{Expr: `rate({app="api"}[2d])`, Instant: true}, "[interval] value exceeds limit: [2d] > [1d]"},
		{Limits{MaxEntries: 5000}, Params{Expr: `{app="api"}`, End: 5, Limit: 5001},
			"max entries limit per query exceeded, limit > max_entries_limit_per_query (5001 > 5000)"},
		{Limits{MaxSeries: 2}, Params{Expr: `count_over_time({app=~".+"}[2m])`, Instant: true, Time: 100 * second}, tooManySeries(2).Message},
		{Limits{MaxSeries: 1}, Params{Expr: `sum by (app) (count_over_time({app=~".+"}[2m])) * 2`, Instant: true, Time: 100 * second}, tooManySeries(1).Message},
		{Limits{MaxMatchers: 1}, Params{Expr: `{app="api",env="prod"}`, End: 5}, "max streams matchers per query exceeded, matchers-count > limit (2 > 1)"},
		{Limits{RequiredLabels: []string{"a", "b", "app"}}, Params{Expr: `{app="api"}`, End: 5},
			"stream selector is missing required matchers [a, b], labels present in the query were [app]"},
		{Limits{MinLabels: 2}, Params{Expr: `{app="api"}`, End: 5},
			"stream selector has less label matchers than required: (present: [app], number_present: 1, required_number_label_matchers: 2)"},
		{Limits{MaxBytesRead: 1024}, Params{Expr: `{app=~".+"}`, End: 100 * second, Limit: 1}, ""},
		{Limits{Blocked: []BlockedQuery{{Pattern: `.*env.*`, Regex: true}}}, Params{Expr: `{env="prod"}`, End: 5}, "query blocked by policy"},
		{Limits{Blocked: []BlockedQuery{{Types: []string{"limited"}}}}, Params{Expr: `{env="prod"}`, End: 5}, "query blocked by policy"},
		{Limits{}, Params{Expr: `1`, End: 11001, Step: 1}, "exceeded maximum resolution of 11,000 points per time series. Try increasing the value of the step parameter"},
		{Limits{}, Params{Expr: `{app="api"}`, Instant: true}, ErrLogInstant.Message},
	} {
		c.p.Limits = c.limits
		if c.message == "" {
			_, err := New(Options{Source: w.store}).Query(context.Background(), c.p)
			require.ErrorContains(t, err, "the query would read too many bytes (query: ")
			continue
		}
		requireError(t, http.StatusBadRequest, c.message, w.store, c.p)
	}
	many := Params{Expr: `count_over_time({app=~".+"}[2m])`, Instant: true, Time: 100 * second, Limits: Limits{MaxSeries: 2}, PartialSeries: true}
	res := query(t, w.store, 2, many)
	require.Len(t, res.Vector, 2)
	require.Len(t, res.Warnings, 1)
	small := Params{Expr: `count_over_time({app=~".+"} | logfmt | __error__="" [2m])`, Instant: true, Time: 100 * second, Limits: Limits{MaxMemory: 4096}}
	_, err := New(Options{Source: w.store}).Query(context.Background(), small)
	require.ErrorContains(t, err, "the query needs more than 4.0 KiB of memory")
}

func TestLookbackIsEmptySuccess(t *testing.T) {
	w := newWorld(rand.New(rand.NewPCG(1, 1)), 20, 100, 100)
	limits := Limits{MaxQueryLookback: time.Minute}
	p := Params{Expr: `{app=~".+"}`, End: 100 * second, Now: 1000 * second, Limits: limits}
	require.Empty(t, query(t, w.store, 1, p).Entries)
	p.Now = 100 * second
	for _, e := range query(t, w.store, 1, p).Entries {
		require.GreaterOrEqual(t, e.Timestamp, 40*second)
	}
	p = Params{Expr: `sum(count_over_time({app=~".+"}[1m]))`, Instant: true, Time: 5 * second, Now: 1000 * second, Limits: limits}
	require.Empty(t, query(t, w.store, 1, p).Vector)
}

func TestTimeoutAndCancellation(t *testing.T) {
	w := newWorld(rand.New(rand.NewPCG(1, 1)), 20, 100, 100)
	requireError(t, http.StatusGatewayTimeout, ErrTimeout.Message, w.store,
		Params{Expr: `{app=~".+"}`, End: 100 * second, Limits: Limits{Timeout: time.Nanosecond}})
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := New(Options{Source: w.store}).Query(ctx, Params{Expr: `{app=~".+"}`, End: 100 * second})
	require.ErrorIs(t, err, ErrCanceled)
	_, err = New(Options{Source: w.store}).Query(ctx, Params{Expr: `sum(rate({app=~".+"}[1m])) + 1`, Instant: true})
	require.ErrorIs(t, err, ErrCanceled)
	require.Zero(t, w.store.OpenNow())
}

func TestChunkErrorsReachTheClient(t *testing.T) {
	w := newWorld(rand.New(rand.NewPCG(1, 1)), 20, 100, 100)
	w.store.OpenErr = fmt.Errorf("chunk 3 of segment x: checksum mismatch")
	for _, p := range []Params{
		{Expr: `{app=~".+"}`, End: 100 * second},
		{Expr: `rate({app=~".+"} |= "e" [1m])`, Instant: true, Time: 100 * second},
		{Expr: `sum(rate({app=~".+"} |= "e" [1m])) * 2`, Instant: true, Time: 100 * second},
	} {
		requireError(t, http.StatusInternalServerError, w.store.OpenErr.Error(), w.store, p)
	}
}

// TestSplitQueriesAddUp: a range cut in two, and a selection cut by streams, give the parts of the whole.
func TestSplitQueriesAddUp(t *testing.T) {
	r := rand.New(rand.NewPCG(15, 16))
	for range 20 {
		w := newWorld(r, 1+r.IntN(30), 50+r.IntN(150), 100)
		const stages = ` | logfmt | trace!="2"`
		at := func(selector string, start, end int64) []string {
			return show(query(t, w.store, 2, Params{Expr: selector + stages, Start: start, End: end, Direction: Forward}).Entries)
		}
		cut := r.Int64N(100 * second)
		whole := at(`{app=~".+"}`, 0, 100*second)
		require.Equal(t, whole, append(at(`{app=~".+"}`, 0, cut), at(`{app=~".+"}`, cut, 100*second)...))
		require.ElementsMatch(t, whole, append(at(`{app="api"}`, 0, 100*second), at(`{app!="api",app=~".+"}`, 0, 100*second)...))

		count := func(selector string, start, end int64) float64 {
			v := query(t, w.store, 2, Params{Expr: fmt.Sprintf("sum(count_over_time(%s%s[%dms]))", selector, stages, (end-start)/1e6), Instant: true, Time: end}).Vector
			if len(v) == 0 {
				return 0
			}
			return v[0].Value
		}
		cut -= cut % 1e6
		require.Equal(t, count(`{app=~".+"}`, -second, 100*second), count(`{app=~".+"}`, -second, cut)+count(`{app=~".+"}`, cut, 100*second))
		require.Equal(t, count(`{app=~".+"}`, 0, 100*second), count(`{app="api"}`, 0, 100*second)+count(`{app!="api",app=~".+"}`, 0, 100*second))
	}
}

// blockedSource gives snapshots whose chunks open only when the query is over.
type blockedSource struct {
	*storagetest.Memory
	opening chan struct{}
}

func (s blockedSource) Snapshot(ctx context.Context, tenant string, mint, maxt int64) (storage.Snapshot, error) {
	snap, err := s.Memory.Snapshot(ctx, tenant, mint, maxt)
	return blockedSnapshot{snap, s.opening}, err
}

type blockedSnapshot struct {
	storage.Snapshot
	opening chan struct{}
}

func (s blockedSnapshot) Select(ctx context.Context, mint, maxt int64, matchers ...*labels.Matcher) ([]storage.Stream, error) {
	streams, err := s.Snapshot.Select(ctx, mint, maxt, matchers...)
	for i := range streams {
		chunks := make([]storage.Chunk, len(streams[i].Chunks))
		for j, c := range streams[i].Chunks {
			chunks[j] = blockedChunk{c, s.opening}
		}
		streams[i].Chunks = chunks
	}
	return streams, err
}

type blockedChunk struct {
	storage.Chunk
	opening chan struct{}
}

func (c blockedChunk) Open(ctx context.Context) (chunk.Reader, error) {
	select {
	case c.opening <- struct{}{}:
	default:
	}
	<-ctx.Done()
	return nil, ctx.Err()
}

// TestRunningQueriesStop: cancelling ends a query whose workers wait for the store, and gives its slot to the next one; more waiting queries
// than allowed are refused.
func TestRunningQueriesStop(t *testing.T) {
	w := newWorld(rand.New(rand.NewPCG(1, 1)), 5, 200, 100)
	src := blockedSource{w.store, make(chan struct{}, 1)}
	for _, expr := range []string{`{app=~".+"} |= "x"`, `sum(rate({app=~".+"} |= "x" [1m])) + 1`} {
		e := New(Options{Source: src, Workers: 3, MaxConcurrent: 1})
		p := Params{Tenant: "a", Expr: expr, End: 100 * second, Step: second, Limits: Limits{MaxOutstanding: 1}}
		ctx, cancel := context.WithCancel(context.Background())
		running, waiting := make(chan error, 1), make(chan error, 1)
		go func() {
			_, err := e.Query(ctx, p)
			running <- err
		}()
		<-src.opening
		go func() {
			_, err := e.Query(ctx, p)
			waiting <- err
		}()
		waitFor(t, "queued", func() bool { return e.gate.backlog("a") == 1 })
		_, err := e.Query(ctx, p)
		require.ErrorIs(t, err, ErrTooMany)
		cancel()
		require.ErrorIs(t, <-running, ErrCanceled)
		require.ErrorIs(t, <-waiting, ErrCanceled)
		require.Equal(t, 1, e.gate.free)
		require.Zero(t, e.memory.used.Load())
		select {
		case <-src.opening:
		default:
		}
	}
}
