package query

import (
	"context"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/stretchr/testify/require"

	"github.com/cambium-logs/cambium/internal/race"
	"github.com/cambium-logs/cambium/pkg/logql/logqltest"
	"github.com/cambium-logs/cambium/pkg/storage/chunk"
	"github.com/cambium-logs/cambium/pkg/storage/storagetest"
)

var cachedQueries = []string{
	`count_over_time({app=~".+"}[%s])`,
	`sum by (app) (rate({app=~".+"}[%s]))`,
	`sum(bytes_over_time({app=~".+"}[%s]))`,
	`count_over_time({app=~".+"} |= "text" [%s])`,
	`sum by (level) (count_over_time({app=~".+"} | json | __error__="" [%s]))`,
	`quantile_over_time(0.5, {app=~".+"} | logfmt | unwrap n | __error__="" [%s]) by (app)`,
	`quantile_over_time(0.9, {app=~".+"} | logfmt | unwrap n | __error__="" [%s]) by (app)`,
	`rate_counter({app=~".+"} | logfmt | unwrap n | __error__="" [%s]) by (app)`,
	`stddev_over_time({app=~".+"} | logfmt | unwrap n | __error__="" [%s]) by (level)`,
	`last_over_time({app=~".+"} | logfmt | unwrap n | __error__="" [%s]) by (app)`,
	`sum_over_time({app=~".+"} | logfmt | unwrap duration(dur) | __error__="" [%s]) by (level)`,
	`absent_over_time({app="api"} |= "error" [%s])`,
	`sum(count_over_time({app="web"}[%[1]s])) / sum(count_over_time({app=~".+"}[%[1]s] offset 20s))`,
}

// orderlyWorld is a world whose entries mostly come in order of time, so that few chunks overlap.
func orderlyWorld(r *rand.Rand, chunkRows, entries int, span int64) *world {
	from := newWorld(r, chunkRows, entries, span)
	w := &world{store: &storagetest.Memory{ChunkRows: chunkRows}, arrived: map[string][]chunk.Entry{}, labels: map[string]labels.Labels{}}
	for _, key := range slices.Sorted(maps.Keys(from.arrived)) {
		entries := from.arrived[key]
		slices.SortStableFunc(entries, func(a, b chunk.Entry) int { return compare(a.Timestamp, b.Timestamp) })
		for range len(entries) / 60 {
			i := r.IntN(len(entries) - 1)
			entries[i], entries[i+1] = entries[i+1], entries[i]
		}
		for _, e := range entries {
			w.add(from.labels[key], e)
		}
	}
	return w
}

// TestCachedEqualsUncached asks one engine many queries with changing ranges, steps and windows, while entries are added, and holds every
// answer against an engine that keeps nothing, to the last bit.
func TestCachedEqualsUncached(t *testing.T) {
	var hits int64
	for seed := range race.Cases(uint64(12)) {
		r := rand.New(rand.NewPCG(seed, 21))
		w := orderlyWorld(r, 5+r.IntN(30), 1000, 300)
		if seed%3 > 0 {
			store := &storagetest.Memory{ChunkRows: 5 + r.IntN(30), Encoding: chunk.Encoding(seed % 3)}
			for key, entries := range w.arrived {
				store.Add(w.labels[key], entries...)
			}
			w.store = store
		}
		budget := []int64{1 << 20, 32 << 10}[r.IntN(2)]
		cached := New(Options{Source: w.store, Workers: 1 + r.IntN(3), CacheBytes: budget})
		bare := New(Options{Source: w.store, Workers: 1 + r.IntN(3), CacheBytes: -1})
		g := logqltest.New(r, logqltest.Options{Selectors: [][]*labels.Matcher{{labels.MustNewMatcher(labels.MatchRegexp, "app", ".+")}}, Names: []string{"level", "n", "dur", "trace"}, Texts: []string{"info", "text", "5"}, MaxStages: 3})
		for round := range 60 {
			expr := fmt.Sprintf(cachedQueries[r.IntN(len(cachedQueries))], []string{"10s", "25s", "7s", "5m"}[r.IntN(4)])
			if r.IntN(4) == 0 {
				expr = g.RangeAggregation().String()
			}
			p := Params{Expr: expr, Step: []int64{10, 15, 60}[r.IntN(3)] * second, Limits: Limits{MaxSeries: 5000}, NoCache: r.IntN(10) == 0}
			p.Start = int64(r.IntN(200)) * second
			if r.IntN(2) == 0 {
				p.Start -= p.Start % p.Step
			}
			p.End = p.Start + int64(r.IntN(400))*second
			if p.Time = p.End; r.IntN(4) == 0 {
				p.Instant = true
			}
			want, wantErr := bare.Query(context.Background(), p)
			got, err := cached.Query(context.Background(), p)
			if wantErr != nil || err != nil {
				require.Equal(t, fmt.Sprint(wantErr), fmt.Sprint(err), "%d %d %s", seed, round, expr)
				continue
			}
			require.Equal(t, fmt.Sprint(want.Matrix, want.Vector), fmt.Sprint(got.Matrix, got.Vector), "%d %d %s", seed, round, expr)
			require.LessOrEqual(t, cached.cache.held(), budget)
			require.Zero(t, want.Stats.CacheHits+want.Stats.CacheMisses)
			if hits += got.Stats.CacheHits; p.NoCache {
				require.Zero(t, got.Stats.CacheHits+got.Stats.CacheMisses)
			}
			if r.IntN(5) == 0 {
				w.add(w.labels[`{app="web"}`], chunk.Entry{Timestamp: int64(r.IntN(300)) * second, Line: fmt.Appendf(nil, "level=info n=%d", round)})
			}
		}
		require.Zero(t, w.store.OpenNow())
		require.Zero(t, cached.memory.used.Load())
	}
	require.Greater(t, hits, int64(100))
}

// TestRefreshReadsNothingAgain: a panel that moves on by a step reads only what is new, whatever its quantile.
func TestRefreshReadsNothingAgain(t *testing.T) {
	w := orderlyWorld(rand.New(rand.NewPCG(4, 4)), 40, 2000, 3600)
	w.store.Cut()
	e := New(Options{Source: w.store})
	p := Params{Expr: `quantile_over_time(0.5, {app=~".+"} | logfmt | unwrap n | __error__="" [1m]) by (app)`, Start: 600 * second, End: 3000 * second, Step: 30 * second}
	first, err := e.Query(context.Background(), p)
	require.NoError(t, err)
	require.Positive(t, first.Stats.CacheMisses)
	p.Expr = `quantile_over_time(0.99, {app=~".+"} | logfmt | unwrap n | __error__="" [1m]) by (app)`
	p.Start, p.End = p.Start+p.Step, p.End+p.Step
	second, err := e.Query(context.Background(), p)
	require.NoError(t, err)
	require.GreaterOrEqual(t, second.Stats.CacheHits, first.Stats.CacheMisses/2)
	require.Less(t, second.Stats.ChunksOpened, first.Stats.ChunksOpened/2)
	require.Positive(t, second.Stats.CacheBytes)
}

// TestQuantilesAgree: ranks searched in sorted cells are those of the rank tree.
func TestQuantilesAgree(t *testing.T) {
	edges := 0
	odd := []float64{math.NaN(), math.Inf(1), math.Inf(-1), 0, 1, 1}
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 31))
		var c cells[valueList]
		at := int64(0)
		for range 1 + r.IntN(40) {
			at += 1 + r.Int64N(3)
			var list valueList
			for range 1 + r.IntN(9) {
				v := float64(r.IntN(50))
				if r.IntN(9) == 0 {
					v = odd[r.IntN(len(odd))]
				}
				list = append(list, v)
			}
			slices.Sort(list)
			c.index, c.state = append(c.index, at), append(c.state, list)
		}
		g := newGrid(1000, 10, 60, 1+r.Int64N(90), 0)
		var want, got []string
		q := r.Float64()
		if seed%2 == 0 {
			q = []float64{0, 0.01, 0.05, 0.95, 0.99, 1}[r.IntN(6)]
		}
		slidingQuantile(q, &c, g, func(k int, v float64) { want = append(want, fmt.Sprint(k, v)) })
		windowQuantiles(q, &c, g, func(k int, v float64) { got = append(got, fmt.Sprint(k, v)) })
		require.Equal(t, want, got, "seed %d", seed)
		for _, list := range c.state {
			r.Shuffle(len(list), func(a, b int) { list[a], list[b] = list[b], list[a] })
		}
		got = nil
		if edgeQuantiles(q, &c, g, func(k int, v float64) { got = append(got, fmt.Sprint(k, v)) }) {
			require.Equal(t, want, got, "seed %d", seed)
			edges++
		}
	}
	require.Greater(t, edges, 20)
}
