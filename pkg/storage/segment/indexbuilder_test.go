package segment

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/prometheus/prometheus/model/labels"
	promstorage "github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb/chunks"
	"github.com/prometheus/prometheus/tsdb/index"
	"github.com/stretchr/testify/require"
)

// The index is byte for byte what Prometheus' own writer makes.
func TestIndexIsPrometheus(t *testing.T) {
	for seed := range uint64(12) {
		streams := randomStreams(t, rand.New(rand.NewPCG(seed, 5)), 1+int(seed)*40)
		b := newIndexBuilder()
		path := filepath.Join(t.TempDir(), "index")
		w, err := index.NewWriter(t.Context(), path)
		require.NoError(t, err)
		var symbols []string
		for _, s := range streams {
			s.labels.Range(func(l labels.Label) { symbols = append(symbols, l.Name, l.Value) })
		}
		slices.Sort(symbols)
		for _, s := range slices.Compact(symbols) {
			require.NoError(t, w.AddSymbol(s))
		}
		first := 0
		for i, s := range streams {
			b.add(s.labels, first)
			minT, maxT := s.chunks[0].chunk.Meta.MinT, int64(0)
			for _, c := range s.chunks {
				b.extend(c.chunk.Meta.MinT, c.chunk.Meta.MaxT)
				maxT = max(maxT, c.chunk.Meta.MaxT)
			}
			require.NoError(t, w.AddSeries(promstorage.SeriesRef(i), s.labels, chunks.Meta{Ref: chunks.ChunkRef(first), MinTime: minT, MaxTime: maxT}))
			first += len(s.chunks)
		}
		require.NoError(t, w.Close())
		want, err := os.ReadFile(path)
		require.NoError(t, err)
		got, err := b.encode()
		require.NoError(t, err)
		require.Equal(t, want, got, "seed %d", seed)
	}
}
