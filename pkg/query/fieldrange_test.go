package query_test

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/stretchr/testify/require"

	"github.com/cambium-logs/cambium/pkg/query"
	"github.com/cambium-logs/cambium/pkg/storage/chunk"
	"github.com/cambium-logs/cambium/pkg/storage/storagetest"
)

// fieldLine makes a line of one of some kinds.
func fieldLine(r *rand.Rand) string {
	words := []string{"alice", "bob", "", "true", "12", "1.5", "3ms", "17KB", "null"}
	word := func() string { return words[r.IntN(len(words))] }
	switch r.IntN(9) {
	case 0:
		return fmt.Sprintf(`{"user":"%s","n":%d,"took":"%dms","deep":{"a b":%d,"ok":%t}}`, word(), r.IntN(50), r.IntN(9), r.IntN(5), r.IntN(2) == 0)
	case 1:
		return fmt.Sprintf(`{"app":"x%d","token":%s,"list":[1,%d]}`, r.IntN(3), []string{"null", "1", "true"}[r.IntN(3)], r.IntN(4))
	case 2:
		return fmt.Sprintf(`level=info user=%s n=%d q="two words" took=%dms`, strings.TrimSpace(word()), r.IntN(50), r.IntN(9))
	case 3:
		return fmt.Sprintf(`request %d of 10.0.0.%d:80 failed after %d tries`, r.IntN(1000), r.IntN(9), r.IntN(3))
	case 4:
		return fmt.Sprintf(`took %d done=%d of port:%d`, r.IntN(9), r.IntN(9), r.IntN(9))
	case 5:
		return fmt.Sprintf(`{"broken":%d, "user":"%s"`, r.IntN(9), word())
	case 6:
		return fmt.Sprintf(`{"only":%s}`, []string{"null", "7"}[r.IntN(2)])
	case 7:
		return fmt.Sprintf(`a=%d a=%d b=x=%d`, r.IntN(3), r.IntN(3), r.IntN(3))
	}
	return fmt.Sprintf(`{"dup":%d,"dup":%d,"trace":"%08x"}`, r.IntN(3), r.IntN(3), r.Uint32())
}

// TestFieldsOfTheRange: what templates and columns tell of the fields of a range is what parsing every line of it tells.
func TestFieldsOfTheRange(t *testing.T) {
	ctx := context.Background()
	exprs := []string{`{app="a"}`, `{app=~".+"}`, `{app="a"} | json`, `{app="a"} | logfmt`, `{app="a"} | logfmt --strict`, `{app="a"} |= "1"`, `{app=~".+"} | json | n > 10`}
	for seed := range uint64(30) {
		r := rand.New(rand.NewPCG(seed, 12))
		stores := map[string]*storagetest.Memory{
			"head": {}, "plain": {ChunkRows: 70, Encoding: chunk.EncodingPlain}, "columnar": {ChunkRows: 150, Encoding: chunk.EncodingColumnar},
		}
		for i := range int64(400) {
			e := entry(i, fieldLine(r))
			if r.IntN(3) == 0 {
				e.Metadata = []labels.Label{{Name: []string{"user", "detected_level", "pod", "n", "n_extracted", "__error__"}[r.IntN(6)], Value: fmt.Sprint("m", r.IntN(4))}}
			}
			ls := labels.FromStrings("app", []string{"a", "b"}[r.IntN(2)], "n", "stream")
			for _, s := range stores {
				s.Add(ls, e)
			}
		}
		for _, s := range stores {
			s.Cut()
		}
		expr := exprs[seed%uint64(len(exprs))]
		from, to := r.Int64N(100)*1e9, (300+r.Int64N(100))*1e9
		params := query.FieldsParams{Params: query.Params{Expr: expr, Start: from, End: to}, LineLimit: 1 << 20}
		oracle := query.New(query.Options{Source: stores["plain"]})
		want, err := oracle.DetectedFields(ctx, params)
		require.NoError(t, err)
		params.All = true
		params.Sampled = func(int) { t.Error("lines were left out") }
		for name, s := range stores {
			engine := query.New(query.Options{Source: s})
			got, err := engine.DetectedFields(ctx, params)
			require.NoError(t, err)
			require.Len(t, got, len(want), "%s %s seed %d: %v, want %v", name, expr, seed, got, want)
			for i, w := range want {
				g := got[i]
				slices.Sort(w.Parsers)
				slices.Sort(g.Parsers)
				require.Equal(t, w.Label, g.Label)
				require.Equal(t, w.Cardinality, g.Cardinality, "%s %s seed %d: %s", name, expr, seed, w.Label)
				require.Equal(t, w.Parsers, g.Parsers, "%s %s seed %d: %s", name, expr, seed, w.Label)
				require.Equal(t, w.JSONPath, g.JSONPath, "%s %s: %s", name, expr, w.Label)
				require.Contains(t, []string{w.Type, "string"}, g.Type, "%s %s: %s", name, expr, w.Label)
				p := params
				p.All = false
				values, err := oracle.DetectedFieldValues(ctx, p, w.Label)
				require.NoError(t, err)
				shown, err := engine.DetectedFieldValues(ctx, params, w.Label)
				require.NoError(t, err)
				require.Equal(t, values, shown, "%s %s: %s", name, expr, w.Label)
			}
		}
	}
}

// TestManyFieldValues: what is kept of a field with many values is bounded: its cardinality becomes an estimate, and the first values are shown.
func TestManyFieldValues(t *testing.T) {
	ctx := context.Background()
	s := &storagetest.Memory{ChunkRows: 8192, Encoding: chunk.EncodingColumnar}
	r := rand.New(rand.NewPCG(1, 2))
	const lines = 60_000
	for i := range int64(lines) {
		s.Add(labels.FromStrings("app", "a"), chunk.Entry{Timestamp: i * 1e6, Line: fmt.Appendf(nil, `{"id":"%016x","n":%d}`, r.Uint64(), i)})
	}
	s.Cut()
	engine := query.New(query.Options{Source: s})
	p := query.FieldsParams{Params: query.Params{Expr: `{app="a"}`, End: lines * 1e6}, All: true}
	got, err := engine.DetectedFields(ctx, p)
	require.NoError(t, err)
	require.Len(t, got, 2)
	slices.SortFunc(got, func(a, b query.DetectedField) int { return cmp.Compare(a.Label, b.Label) })
	for i, kind := range []string{"string", "int"} {
		require.Equal(t, kind, got[i].Type)
		require.InDelta(t, lines, got[i].Cardinality, lines/10)
	}
	blocked := p
	blocked.Limits.Blocked = []query.BlockedQuery{{Pattern: `{app="a"}`}}
	_, err = engine.DetectedFields(ctx, blocked)
	require.ErrorIs(t, err, query.ErrBlocked)
	metric := p
	metric.Expr = `rate({app="a"}[1m])`
	_, err = engine.DetectedFields(ctx, metric)
	require.ErrorIs(t, err, query.ErrNotLogQuery)
	p.FieldLimit = 5
	values, err := engine.DetectedFieldValues(ctx, p, "n")
	require.NoError(t, err)
	require.Equal(t, []string{"0", "1", "10", "100", "1000"}, values)
}
