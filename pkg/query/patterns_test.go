package query

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/stretchr/testify/require"

	"github.com/cambium-logs/cambium/internal/race"
	"github.com/cambium-logs/cambium/pkg/storage/chunk"
	"github.com/cambium-logs/cambium/pkg/storage/storagetest"
)

// patternLine makes lines that have much in common, in every grammar, with words that stand where numbers do.
func patternLine(r *rand.Rand) string {
	who := []string{"alice", "bob", "u-17", "deadbeef", "\xff", "a\x00b", "", "x y"}[r.IntN(8)]
	switch r.IntN(8) {
	case 0:
		return fmt.Sprintf(`{"level":"info","msg":"user %s logged in","n":%d,"id":"%08x"}`, who, r.IntN(1000), r.Uint32())
	case 1:
		return fmt.Sprintf(`level=warn msg="disk %d full" dur=%dms who=%s`, r.IntN(9), r.IntN(900), who)
	case 2:
		return fmt.Sprintf("GET /api/v%d/users/%s 10.0.%d.%d %d", r.IntN(3), who, r.IntN(9), r.IntN(9), 200+100*r.IntN(4))
	case 3:
		return fmt.Sprintf("connection %x from %s closed after %d.%02d s", r.Uint64(), who, r.IntN(60), r.IntN(100))
	case 4:
		return "nothing varies here"
	}
	return templatedLine(r)
}

// TestPatternsOfTemplates: what templates and columns give is what the lines themselves give, and every line is counted in some bucket.
func TestPatternsOfTemplates(t *testing.T) {
	for seed := range race.Cases(uint64(60)) {
		r := rand.New(rand.NewPCG(seed, 5))
		rows := 20 + r.IntN(500)
		stores := []*storagetest.Memory{
			{ChunkRows: rows}, {ChunkRows: rows, Encoding: chunk.EncodingPlain}, {ChunkRows: rows, Encoding: chunk.EncodingColumnar}, {ChunkRows: 2 * rows, Encoding: chunk.EncodingColumnar},
		}
		streams := []labels.Labels{labels.FromStrings("app", "a"), labels.FromStrings("app", "b", "detected_level", "debug")}
		start, end := r.Int64N(40)*second, (60+r.Int64N(60))*second
		lines := 0
		for i := range 800 {
			at := int64(i) * second / 8
			e := chunk.Entry{Timestamp: at, Line: []byte(patternLine(r))}
			if r.IntN(3) == 0 {
				e.Metadata = []labels.Label{{Name: "detected_level", Value: []string{"info", "warn"}[r.IntN(2)]}}
			}
			if at >= start && at <= end {
				lines++
			}
			ls := streams[r.IntN(2)]
			for _, m := range stores {
				m.Add(ls, e)
			}
		}
		p := PatternParams{Selection: Selection{Start: start, End: end}, Step: 10 * second}
		var want []Pattern
		for i, m := range stores {
			got, err := New(Options{Source: m, Workers: 1 + i}).Patterns(context.Background(), p)
			require.NoError(t, err)
			require.Zero(t, m.OpenNow())
			if i == 0 {
				want = got
			}
			require.Equal(t, want, got, "seed %d, store %d", seed, i)
		}
		counted := 0.0
		for _, pattern := range want {
			for _, point := range pattern.Points {
				counted += point.Value
			}
		}
		if len(want) < maxPatterns {
			require.EqualValues(t, lines, counted)
		}
	}
}

// TestSignaturesAreBounded: lines that have nothing in common are made one somewhere, and none is lost.
// TestDictionariesAreCountedWhole: of lines whose words come from few values every one is counted, also where of others every k-th is.
func TestDictionariesAreCountedWhole(t *testing.T) {
	m := &storagetest.Memory{ChunkRows: 600, Encoding: chunk.EncodingColumnar}
	r := rand.New(rand.NewPCG(1, 9))
	want := map[string]float64{}
	for i := range int64(600) {
		who, what := []string{"alice", "bob", "carol"}[r.IntN(3)], []string{"came", "went"}[r.IntN(2)]
		m.Add(labels.FromStrings("app", "a"), chunk.Entry{Timestamp: i * second, Line: fmt.Appendf(nil, `{"n":%d,"user":"%s","what":"%s"}`, i, who, what)})
		want[who+what]++
	}
	m.Cut()
	snap, err := m.Snapshot(context.Background(), "", 0, 600*second)
	require.NoError(t, err)
	defer snap.Close()
	streams, err := snap.Select(context.Background(), 0, 600*second)
	require.NoError(t, err)
	runs := streamRuns(0, streams[0])
	require.Len(t, runs, 1)
	w := newPatternWalk(1000*second, 7, 0)
	require.NoError(t, w.walk(context.Background(), &runs[0], 0, 600*second, nil))
	var got, all []float64
	for _, sig := range w.found.list() {
		got = append(got, sig.total)
	}
	for _, n := range want {
		all = append(all, n)
	}
	require.ElementsMatch(t, all, got)
}

func TestSignaturesAreBounded(t *testing.T) {
	s := newSignatures(second)
	r := rand.New(rand.NewPCG(1, 2))
	word := func() string {
		b := make([]byte, 6)
		for i := range b {
			b[i] = byte('a' + r.IntN(26))
		}
		return string(b)
	}
	const lines = 3 * maxSignatures
	for range lines {
		line := "a b " + word() + " " + word() + " c d e f g"
		s.get("", reduce(nil, []byte(line))).add(5*second, second, 1)
		if s.full() {
			s.fold()
		}
		require.LessOrEqual(t, len(s.byKey), maxSignatures)
	}
	found := s.patterns()
	require.Equal(t, []Pattern{{Pattern: "a b <_> <_> c d e f g", Points: []Point{{5 * second, lines}}}}, found)
}

func FuzzSignature(f *testing.F) {
	f.Add([]byte(`{"a":"b 17","c":1.5}`), 3, 9)
	f.Add([]byte("a\x00\x01 7\xff"), 0, 2)
	f.Fuzz(func(t *testing.T, line []byte, from, to int) {
		text := reduce(nil, line)
		require.LessOrEqual(t, len(text), maxSignatureBytes+4*maxPatternTokens)
		c := cluster{tokens: tokens(string(text))}
		require.Equal(t, string(text), string(c.signature()), "tokens lose nothing")
		if from < 0 || to > len(line) || from > to {
			return
		}
		other := append(stripped(line[:from:from], line[from:to]), line[to:]...)
		require.Equal(t, string(text), string(reduce(nil, other)), "what is stripped does not show")
	})
}

func BenchmarkPatterns(b *testing.B) {
	for name, encoding := range map[string]chunk.Encoding{"plain": chunk.EncodingPlain, "columnar": chunk.EncodingColumnar} {
		b.Run(name, func(b *testing.B) {
			r := rand.New(rand.NewPCG(3, 5))
			m := &storagetest.Memory{ChunkRows: 20_000, Encoding: encoding}
			bytes := 0
			for i := range 100_000 {
				line := fmt.Sprintf(`{"level":"info","msg":"request done","path":"/api/v1/users/%d","status":%d,"dur":"%dms","trace":"%016x"}`, r.IntN(5000), 200+r.IntN(4)*100, r.IntN(900), r.Uint64())
				bytes += len(line)
				m.Add(labels.FromStrings("app", "a"), chunk.Entry{Timestamp: int64(i) * 1e6, Line: []byte(line)})
			}
			e := New(Options{Source: m})
			b.SetBytes(int64(bytes))
			for b.Loop() {
				if _, err := e.Patterns(context.Background(), PatternParams{Selection: Selection{End: 1e15}, Step: 10 * second}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// The chunks that patterns are found in count for the memory of a query.
func TestPatternsAreBounded(t *testing.T) {
	m := &storagetest.Memory{Encoding: chunk.EncodingColumnar}
	for i := range int64(100) {
		m.Add(labels.FromStrings("app", "a"), chunk.Entry{Timestamp: i * second, Line: fmt.Appendf(nil, "took %d ms", i)})
	}
	p := PatternParams{Selection: Selection{Start: 0, End: 100 * second, Limits: Limits{MaxMemory: 100}}, Step: second}
	_, err := New(Options{Source: m}).Patterns(t.Context(), p)
	require.ErrorContains(t, err, "memory")
	p.Limits.MaxMemory = 1 << 20
	found, err := New(Options{Source: m}).Patterns(t.Context(), p)
	require.NoError(t, err)
	require.Len(t, found, 1)
}
