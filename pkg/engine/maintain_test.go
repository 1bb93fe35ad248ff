package engine

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/stretchr/testify/require"
	"github.com/thanos-io/objstore"

	"github.com/cambium-logs/cambium/pkg/storage/chunk"
	"github.com/cambium-logs/cambium/pkg/storage/wal"
)

// TestCloseInterruptsCompaction: a merge that would take hours does not hold up a stop, and leaves nothing behind that does harm.
func TestCloseInterruptsCompaction(t *testing.T) { onStores(t, testCloseInterruptsCompaction) }

func testCloseInterruptsCompaction(t *testing.T, st store) {
	opts := Options{DataDir: t.TempDir(), Bucket: st.open(t), Compaction: Compaction{Enabled: true, Interval: time.Millisecond, BytesPerSecond: 1, Settle: time.Nanosecond}}
	e := open(t, opts)
	ls := labels.FromStrings("a", "b")
	for i := range 6 {
		require.NoError(t, e.Append(t.Context(), "t", stream(ls, entry(int64(1_700_000_000e9)+int64(i), fmt.Sprint(i)))))
		require.NoError(t, e.Flush(t.Context()))
	}
	want := contents(t, e, "t", 0, math.MaxInt64)
	require.Eventually(t, func() bool { return len(e.maintenance.token) == 1 }, 10*time.Second, time.Millisecond)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second) // what Grafana gives a plugin
	defer cancel()
	require.NoError(t, e.Close(ctx))
	opts.Compaction.BytesPerSecond = 0
	e = open(t, opts)
	requireSame(t, want, contents(t, e, "t", 0, math.MaxInt64))
	require.Eventually(t, func() bool {
		s, err := e.Stats(t.Context(), "t")
		require.NoError(t, err)
		return s.Segments == 1
	}, 20*time.Second, time.Millisecond, "what was interrupted is done again")
	requireSame(t, want, contents(t, e, "t", 0, math.MaxInt64))
}

// BenchmarkMaintain makes a round of compaction after every fourth flush of ten streams, then rounds until nothing is left to do: small
// flushes are those of a quiet tenant, large ones have chunks that are copied. The rate is of raw bytes pushed; amplification is what
// compaction wrote over what is there in the end.
func BenchmarkMaintain(b *testing.B) {
	b.Run("small", func(b *testing.B) { benchmarkMaintain(b, 64, 100) })
	b.Run("large", func(b *testing.B) { benchmarkMaintain(b, 16, 15_000) })
}

func benchmarkMaintain(b *testing.B, flushes, rows int) {
	r := rand.New(rand.NewPCG(1, 9))
	var raw, written, left int64
	for b.Loop() {
		b.StopTimer()
		e := open(b, Options{DataDir: b.TempDir(), Bucket: objstore.NewInMemBucket(), WALSync: wal.SyncNone})
		raw, written, left = 0, 0, 0
		maintain := func() (merges int) {
			b.StartTimer()
			result, err := e.Maintain(b.Context())
			b.StopTimer()
			require.NoError(b, err)
			written += result.WrittenBytes
			return result.Merges
		}
		ts := time.Now().Add(-48 * time.Hour).UnixNano()
		for n := range flushes {
			for s := range 10 {
				entries := make([]chunk.Entry, rows)
				for i := range entries {
					ts += 1e6
					entries[i] = chunk.Entry{Timestamp: ts, Line: fmt.Appendf(nil,
						`level=info ts=%d caller=main.go:%d msg="request done" id=%016x path=/api/v1/items/%d duration=%dms`,
						ts, r.IntN(40), r.Uint64(), r.IntN(100_000), r.IntN(5000))}
					raw += int64(len(entries[i].Line))
				}
				require.NoError(b, e.Append(b.Context(), "t", stream(labels.FromStrings("app", fmt.Sprint(s)), entries...)))
			}
			require.NoError(b, e.Flush(b.Context()))
			if n%4 == 3 {
				maintain()
			}
		}
		for maintain() > 0 {
		}
		stats, err := e.Stats(b.Context(), "t")
		require.NoError(b, err)
		left = stats.StoredBytes
		closeEngine(b, e)
		b.StartTimer()
	}
	b.SetBytes(raw)
	b.ReportMetric(float64(written)/float64(left), "amplification")
	b.ReportMetric(float64(raw)/float64(left), "compression")
}
