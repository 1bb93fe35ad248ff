package query

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"
	"weak"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/stretchr/testify/require"

	"github.com/cambium-logs/cambium/internal/race"
	"github.com/cambium-logs/cambium/pkg/logql"
	"github.com/cambium-logs/cambium/pkg/logql/logqltest"
	"github.com/cambium-logs/cambium/pkg/logql/pipeline"
	"github.com/cambium-logs/cambium/pkg/storage/chunk"
	"github.com/cambium-logs/cambium/pkg/storage/storagetest"
)

// oddWord is what may stand where a template has a variable, and upset a parser that trusts templates.
func oddWord(r *rand.Rand) string {
	words := []string{
		"GET", "x y", "", `say \"hi\"`, `back\\slash`, `\u0041bc`, "ü", "\xff", "\ufffd", "null", "true", "false", "0", "007", "-0", "1e5", "-", "a=b", `"`, "{", "}", "[1", "\t", "n",
		"5ms", "1KB", "10.0.0.1",
	}
	if r.IntN(2) == 0 {
		return fmt.Sprint(r.IntN(300))
	}
	return words[r.IntN(len(words))]
}

// templatedLine makes lines of few skeletons, most of them well-formed, some not.
func templatedLine(r *rand.Rand) string {
	w := func() string { return oddWord(r) }
	switch r.IntN(14) {
	case 0, 1, 2:
		return fmt.Sprintf(`{"level":"info","n":%d,"dur":"%dms","who":"%s","ok":%t}`, r.IntN(100), r.IntN(900), w(), r.IntN(2) == 0)
	case 3:
		return fmt.Sprintf(`{"level":"%s","n":%s,"app":"%s","in":{"n":%d,"a":[%d,"%s"]}}`, w(), w(), w(), r.IntN(9), r.IntN(9), w())
	case 4:
		return fmt.Sprintf(`{"n":%d,"n":%d,"level":null,"x":%s}`, r.IntN(9), r.IntN(9), []string{"null", "true", "12", "1.5"}[r.IntN(4)])
	case 5, 6, 7:
		return fmt.Sprintf(`level=info n=%d dur=%dms who=%s size=%dKB`, r.IntN(100), r.IntN(900), w(), r.IntN(20))
	case 8:
		return fmt.Sprintf(`level="%s" n=%s n=%d who="got %d it" lone%d empty=`, w(), w(), r.IntN(9), r.IntN(9), r.IntN(3))
	case 9:
		return fmt.Sprintf(`  {"level":"warn","n":%d}`, r.IntN(50))
	case 10:
		return fmt.Sprintf(`{"in":{"n":%s},"in_n":%d,"ok":%s,"ok":true}`, []string{"null", "3"}[r.IntN(2)], r.IntN(3), []string{"null", "false"}[r.IntN(2)])
	case 11:
		return fmt.Sprintf(`plain %d text %s`, r.IntN(50), w())
	case 12:
		return fmt.Sprintf(`level=far n=%d size=1KB`, r.Uint64()>>r.IntN(40))
	}
	return fmt.Sprintf(`{"level":"info","n":%d`, r.IntN(100))
}

var shapedQueries = []string{
	`{app=~".+"} | json | n > 50`,
	`{app=~".+"} | json | level="info" | who=~"G.*" or n < 10`,
	`{app=~".+"} | json | dur > 300ms | line_format "{{.who}}"`,
	`{app=~".+"} | logfmt | n >= 20 and size < 10KB`,
	`{app=~".+"} | logfmt --strict | who != ""`,
	`{app=~".+"} | logfmt --keep-empty | empty="" | n=~".+"`,
	`{app=~".+"} | json | __error__=""`,
	`{app=~".+"} | json | app_extracted="0"`,
	`{app=~".+"} | json | trace="1"`,
	`{app=~".+"} | json | in_n="1"`,
	`sum by (in_n, ok) (count_over_time({app=~".+"} | json | __error__="" [20s]))`,
	`sum by (level) (count_over_time({app=~".+"} | json | __error__="" [20s]))`,
	`sum by (who, ok) (count_over_time({app=~".+"} | json | n > 10 | __error__="" [20s]))`,
	`sum(rate({app=~".+"} | logfmt | n > 10 | __error__="" [20s]))`,
	`quantile_over_time(0.9, {app=~".+"} | logfmt | unwrap duration(dur) | __error__="" [30s]) by (level)`,
	`sum by (n, lone1) (sum_over_time({app=~".+"} | logfmt | unwrap bytes(size) | __error__="" [30s]))`,
	`max_over_time({app=~".+"} | json | unwrap n | __error__="" [30s]) by (app_extracted, trace)`,
	`sum by (x, in_n, n_extracted) (count_over_time({app=~".+"} | json [20s]))`,
	`count_over_time({app=~".+"} | json | drop who, in_a, dur | __error__="" [20s])`,
	`sum by (trace_extracted, trace) (count_over_time({app=~".+"} | logfmt | label_format trace_extracted=n | __error__="" [20s]))`,
	`count_over_time({app=~".+"} |= "n" [20s])`,
	`quantile_over_time(0.9, {app=~".+"} | logfmt | unwrap n | __error__="" [30s]) by (level)`,
	`quantile_over_time(0.5, {app=~".+"} | json | unwrap n | __error__="" [30s]) by (ok, level)`,
	`avg_over_time({app=~".+"} | logfmt | n > 5 | unwrap n | __error__="" [30s]) by (level)`,
	`sum_over_time({app=~".+"} | json | ok="true" | unwrap n | n < 90 | __error__="" [30s]) by (n, level)`,
	`sum_over_time({app=~".+"} | json | drop who, dur, level | unwrap n | __error__="" [30s])`,
	`max_over_time({app="a"} | logfmt | unwrap n_extracted [30s]) by (level)`,
	`max_over_time({n="7"} | json | unwrap n_extracted | __error__="" [30s]) by (level)`,
	`sum by (ok, level) (count_over_time({app=~".+"} | json | ok="true" or level="warn" | __error__="" [20s]))`,
	`{app=~".+"} |= "ms" != "info"`,
	`{app=~".+"} |~ "(?i)GET|hi"`,
}

// TestColumnsChangeNothing: what is served from columns, filtered on columns and searched in columns is what the lines themselves give.
func TestColumnsChangeNothing(t *testing.T) {
	for seed := range race.Cases(uint64(40)) {
		r := rand.New(rand.NewPCG(seed, 11))
		rows := 20 + r.IntN(300)
		plain := &storagetest.Memory{ChunkRows: rows, Encoding: chunk.EncodingPlain}
		columns := &storagetest.Memory{ChunkRows: rows, Encoding: chunk.EncodingColumnar}
		streams := []labels.Labels{labels.FromStrings("app", "a"), labels.FromStrings("app", "b", "n", "7")}
		var sent [2][]chunk.Entry // to each stream, last
		late, traces := []int{0, 3, 60}[r.IntN(3)], []int{3, 3, 3, 1000}[r.IntN(4)]
		for i := range 600 {
			// With late ones, chunks overlap and have timestamps in common.
			e := chunk.Entry{Timestamp: int64(i-r.IntN(late+1)) * second / 6, Line: []byte(templatedLine(r))}
			if r.IntN(3) == 0 {
				e.Metadata = []labels.Label{{Name: "trace", Value: fmt.Sprint(r.IntN(traces))}}
			}
			if r.IntN(50) == 0 {
				e.Metadata = []labels.Label{{Name: []string{"who", "n", "app", "level"}[r.IntN(4)], Value: "me"}, {Name: "zone", Value: fmt.Sprint(i)}}
			}
			stream := r.IntN(2)
			again := []chunk.Entry{e}
			if r.IntN(4) == 0 {
				again = append(again, sent[stream]...) // a retry, which may begin a chunk
			}
			sent[stream] = append(sent[stream][max(0, len(sent[stream])-r.IntN(3)):], e)
			plain.Add(streams[stream], again...)
			columns.Add(streams[stream], again...)
		}
		queries := shapedQueries
		g := logqltest.New(r, logqltest.Options{Selectors: [][]*labels.Matcher{{labels.MustNewMatcher(labels.MatchRegexp, "app", ".+")}}, Names: []string{"level", "n", "who", "dur", "trace", "app"}, Texts: []string{"info", "GET", "5", "n"}, MaxStages: 4})
		for range 20 {
			queries = append(queries[:len(queries):len(queries)], g.Log().String(), g.RangeAggregation().String())
		}
		for _, expr := range queries {
			p := Params{Expr: expr, Start: r.Int64N(30) * second, End: 100 * second, Step: 10 * second, Direction: Direction(r.IntN(2)), Limit: r.IntN(40), Limits: Limits{MaxSeries: 5000}}
			want, wantErr := New(Options{Source: plain}).Query(context.Background(), p)
			got, err := New(Options{Source: columns}).Query(context.Background(), p)
			if wantErr != nil || err != nil {
				require.Equal(t, fmt.Sprint(wantErr), fmt.Sprint(err), "%d %s", seed, expr)
				continue
			}
			want.Stats, got.Stats, want.Plan, got.Plan = Stats{}, Stats{}, nil, nil
			require.Equal(t, show(want.Entries), show(got.Entries), "%d %s", seed, expr)
			require.Equal(t, fmt.Sprint(want.Matrix, want.Vector), fmt.Sprint(got.Matrix, got.Vector), "%d %s", seed, expr)
		}
	}
}

// What a walk remembers of skeletons does not keep the columns of chunks that it has left.
func TestClosedChunksAreForgotten(t *testing.T) {
	src := &storagetest.Memory{ChunkRows: 50, Encoding: chunk.EncodingColumnar}
	for i := range 20 * 50 {
		at := int64(i) * second
		if i%50 == 49 {
			at += 2 * second // chunks overlap, so that all are one run
		}
		src.Add(labels.FromStrings("app", "a"), chunk.Entry{Timestamp: at, Line: fmt.Appendf(nil, "level=info n=%d who=%s", i*7%50, []string{"x", "y"}[i%2])})
	}
	snap, err := src.Snapshot(t.Context(), "", 0, 1<<60)
	require.NoError(t, err)
	streams, err := snap.Select(t.Context(), 0, 1<<60, labels.MustNewMatcher(labels.MatchEqual, "app", "a"))
	require.NoError(t, err)
	runs := streamRuns(0, streams[0])
	require.Len(t, runs, 1)
	p, err := pipeline.Compile([]logql.Stage{&logql.LogfmtParser{}, &logql.LabelFilter{Predicate: &logql.NumberPredicate{Name: "n", Op: logql.CmpGreater, Value: 10}}}, pipeline.Options{})
	require.NoError(t, err)
	filter := p.Filter(labels.EmptyLabels())
	remembered := shapes{of: filter.Shape}
	cur := newCursor(t.Context(), &runs[0], 0, 1<<60, false, nil, &counters{}, nil)
	var met []weak.Pointer[chunk.Shape]
	for cur.next() {
		filterRow(cur, filter, &remembered)
		if n := len(met); n == 0 || met[n-1].Value() != remembered.last {
			met = append(met, weak.Make(remembered.last))
		}
	}
	require.Greater(t, len(met), 20)
	runtime.GC()
	held := map[*chunk.Shape]bool{}
	for _, shape := range met {
		if s := shape.Value(); s != nil {
			held[s] = true
		}
	}
	require.LessOrEqual(t, len(held), 3)
	require.NoError(t, cur.close())
	runtime.KeepAlive(&remembered)
}
