package engine

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/stretchr/testify/require"

	"github.com/cambium-logs/cambium/pkg/ingest"
	"github.com/cambium-logs/cambium/pkg/query"
	"github.com/cambium-logs/cambium/pkg/storage/chunk"
	"github.com/cambium-logs/cambium/pkg/storage/deletes"
	"github.com/cambium-logs/cambium/pkg/storage/head"
)

// answer shows the answer of a query.
func answer(t *testing.T, q *query.Engine, p query.Params) string {
	t.Helper()
	r, err := q.Query(context.Background(), p)
	require.NoError(t, err, p.Expr)
	var b strings.Builder
	for _, e := range r.Entries {
		fmt.Fprintln(&b, e.Timestamp, e.Labels.All(), e.Line)
	}
	for _, s := range r.Matrix {
		fmt.Fprintln(&b, s.Labels, s.Points)
	}
	for _, s := range r.Vector {
		fmt.Fprintln(&b, s.Labels, s.Point)
	}
	return b.String()
}

// TestQueriesDoNotSeeWhatIsDeleted: an engine with pending delete requests answers every query as one that never had what they select:
// from lines, from columns, from the chunk directory, and from what was computed before.
func TestQueriesDoNotSeeWhatIsDeleted(t *testing.T) {
	onStores(t, func(t *testing.T, st store) {
		for seed := range st.seeds(5) {
			queriesDoNotSeeWhatIsDeleted(t, seed, st)
		}
	})
}

func queriesDoNotSeeWhatIsDeleted(t *testing.T, seed uint64, st store) {
	r := rand.New(rand.NewPCG(seed, 8))
	const base, span = int64(1_700_000_000e9), int64(6 * time.Hour)
	opts := Options{Head: head.Options{ChunkBytes: 1 + r.Int64N(6000)}}
	left := open(t, opts)
	opts.Bucket = st.open(t)
	all := open(t, opts)
	var pushes [][]ingest.Stream
	for n := range 40 {
		s := ingest.Stream{Labels: labels.FromStrings("app", fmt.Sprint(r.IntN(3)), "zone", fmt.Sprint(r.IntN(2)))}
		for i := range r.IntN(30) {
			e := entry(base+r.Int64N(span), fmt.Sprintf("level=%s user=user-number-%d took=%dms n=%d",
				[]string{"info", "error"}[r.IntN(2)], r.IntN(5), r.IntN(900), n*100+i))
			if r.IntN(3) == 0 {
				e.Metadata = []labels.Label{{Name: "trace", Value: fmt.Sprint(r.IntN(4))}}
			}
			s.Entries = append(s.Entries, e)
		}
		pushes = append(pushes, []ingest.Stream{s})
	}
	var wishes []*wish
	for _, w := range []*wish{
		{query: `{app="1"}`, selects: func(ls labels.Labels, _ *chunk.Entry) bool { return ls.Get("app") == "1" }},
		{query: `{app=~".*"} |= "user=user-number-3 "`, selects: func(_ labels.Labels, e *chunk.Entry) bool {
			return strings.Contains(string(e.Line), "user=user-number-3 ")
		}},
		{query: `{zone="0"} | logfmt | level="error" | trace="2"`, selects: func(ls labels.Labels, e *chunk.Entry) bool {
			return ls.Get("zone") == "0" && strings.Contains(string(e.Line), "level=error") && slices.Contains(e.Metadata, labels.Label{Name: "trace", Value: "2"})
		}},
	} {
		if r.IntN(3) > 0 {
			w.start = base + r.Int64N(span)
			w.end = w.start + r.Int64N(span)
			if r.IntN(2) == 0 {
				w.start, w.end = 0, base+span
			}
			wishes = append(wishes, w)
		}
	}
	for i, push := range pushes {
		require.NoError(t, all.Append(t.Context(), "t", push))
		kept := slices.Clone(push)
		kept[0].Entries = slices.DeleteFunc(slices.Clone(push[0].Entries), func(e chunk.Entry) bool {
			return slices.ContainsFunc(wishes, func(w *wish) bool { return w.hides(push[0].Labels, &e) })
		})
		require.NoError(t, left.Append(t.Context(), "t", kept))
		if i%15 == 14 {
			require.NoError(t, all.Flush(t.Context()))
			require.NoError(t, left.Flush(t.Context()))
		}
	}
	seeing, want := query.New(query.Options{Source: all}), query.New(query.Options{Source: left})
	var questions []query.Params
	for _, expr := range []string{
		`{app=~".+"}`, `{app="1"}`, `{zone="0"} |= "user-number-3"`, `{app="0"} | logfmt | level="error"`, `{zone="1"} | trace="2"`,
		`count_over_time({app=~".+"}[10m])`, `sum(count_over_time({app=~".+"}[6h]))`, `sum by (app) (bytes_over_time({zone="0"}[1h]))`,
		`sum by (user) (rate({app=~".+"} | logfmt [30m]))`, `max_over_time({app="2"} | logfmt | unwrap duration(took) [1h]) by (zone)`,
		`sum by (trace) (count_over_time({app=~".+"}[2h]))`, `absent_over_time({app="1"}[1h])`,
	} {
		from := base + r.Int64N(span/2)
		questions = append(questions, query.Params{Tenant: "t", Expr: expr, Start: base, End: base + span + 1, Step: int64(20 * time.Minute)},
			query.Params{Tenant: "t", Expr: expr, Start: from, End: from + r.Int64N(span/2) + 1, Step: int64(7 * time.Minute), Limit: 20})
	}
	for _, q := range questions {
		_ = answer(t, seeing, q) // what it remembers must not be used later
	}
	for i, w := range wishes {
		_, err := all.CreateDelete(t.Context(), "t", deletes.Request{Query: w.query, Start: w.start, End: w.end, Created: int64(i + 1)})
		require.NoError(t, err)
	}
	for range 2 {
		for _, q := range questions {
			require.Equal(t, answer(t, want, q), answer(t, seeing, q), "seed %d: %s from %d to %d", seed, q.Expr, q.Start, q.End)
		}
	}
	s := query.Selection{Tenant: "t", Start: base, End: base + span}
	got, err := seeing.LabelValues(t.Context(), s, "app")
	require.NoError(t, err)
	expected, err := want.LabelValues(t.Context(), s, "app")
	require.NoError(t, err)
	require.Subset(t, got, expected)
	// Compaction carries the requests out; the answers stay.
	for range 2 {
		_, err := all.Maintain(t.Context())
		require.NoError(t, err)
		for _, q := range questions {
			require.Equal(t, answer(t, want, q), answer(t, seeing, q), "seed %d, erased: %s", seed, q.Expr)
		}
	}
}
