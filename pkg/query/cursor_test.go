package query

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sort"
	"testing"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/stretchr/testify/require"

	"github.com/cambium-logs/cambium/pkg/storage/chunk"
	"github.com/cambium-logs/cambium/pkg/storage/storagetest"
)

type row struct {
	ts   int64
	line string
	meta string
}

func rowOf(ts int64, line []byte, meta []labels.Label) row {
	return row{ts, string(line), fmt.Sprint(meta)}
}

// walk reads a store's only stream through runs and cursors.
func walk(t *testing.T, m *storagetest.Memory, mint, maxt int64, backward bool) []row {
	t.Helper()
	ctx := context.Background()
	snap, err := m.Snapshot(ctx, "", mint, maxt)
	require.NoError(t, err)
	streams, err := snap.Select(ctx, mint, maxt)
	require.NoError(t, err)
	var out []row
	for i, st := range streams {
		runs := streamRuns(i, st)
		if backward {
			slices.Reverse(runs)
		}
		for j := range runs {
			cur := newCursor(ctx, &runs[j], mint, maxt, backward, nil, &counters{}, nil)
			for cur.next() {
				out = append(out, rowOf(cur.ts, cur.line(), cur.metadata()))
			}
			require.NoError(t, cur.close())
		}
	}
	require.Zero(t, m.OpenNow(), "every chunk is closed")
	return out
}

// TestCursorShowsEachEntryOnce: whatever the cut into chunks, a walk gives the distinct entries in time, equal times in order of arrival,
// and backward the exact reverse.
func TestCursorShowsEachEntryOnce(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for range 400 {
		m := &storagetest.Memory{ChunkRows: 1 + r.IntN(12)}
		ls := labels.FromStrings("app", "x")
		var arrived []chunk.Entry
		spread := 1 + r.Int64N(60)
		for i := range r.IntN(80) {
			e := chunk.Entry{Timestamp: int64(i/2) + r.Int64N(spread), Line: fmt.Appendf(nil, "l%d", r.IntN(4))}
			if r.IntN(3) == 0 {
				e.Metadata = []labels.Label{{Name: "k", Value: fmt.Sprint(r.IntN(2))}}
			}
			arrived = append(arrived, e)
			m.Add(ls, e)
			if r.IntN(15) == 0 {
				m.Cut()
			}
		}
		mint, maxt := r.Int64N(40), r.Int64N(100)
		var want []row
		seen := map[row]bool{}
		for _, e := range arrived {
			k := rowOf(e.Timestamp, e.Line, e.Metadata)
			if e.Timestamp >= mint && e.Timestamp <= maxt && !seen[k] {
				seen[k] = true
				want = append(want, k)
			}
		}
		sort.SliceStable(want, func(i, j int) bool { return want[i].ts < want[j].ts })
		require.Equal(t, want, walk(t, m, mint, maxt, false))
		slices.Reverse(want)
		require.Equal(t, want, walk(t, m, mint, maxt, true))
	}
}

func TestCursorOpensOnlyWhatOverlaps(t *testing.T) {
	m := &storagetest.Memory{ChunkRows: 10}
	for i := range 100 {
		m.Add(labels.FromStrings("a", "b"), chunk.Entry{Timestamp: int64(i)})
	}
	snap, err := m.Snapshot(context.Background(), "", 0, math.MaxInt64)
	require.NoError(t, err)
	streams, err := snap.Select(context.Background(), 25, 44)
	require.NoError(t, err)
	require.Len(t, streams, 1)
	require.Len(t, streamRuns(0, streams[0]), 3)
	require.Len(t, walk(t, m, 25, 44, false), 20)
	require.EqualValues(t, 3, m.Opened())
}

func TestCursorStopsWithItsContext(t *testing.T) {
	m := &storagetest.Memory{ChunkRows: 10_000}
	for i := range 5000 {
		m.Add(labels.FromStrings("a", "b"), chunk.Entry{Timestamp: int64(i)})
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	snap, _ := m.Snapshot(ctx, "", 0, 10_000)
	streams, err := snap.Select(ctx, 0, 10_000)
	require.NoError(t, err)
	runs := streamRuns(0, streams[0])
	cur := newCursor(ctx, &runs[0], 0, 10_000, false, nil, &counters{}, nil)
	n := 0
	for cur.next() {
		if n++; n == 100 {
			cancel()
		}
	}
	require.ErrorIs(t, cur.close(), context.Canceled)
	require.LessOrEqual(t, n, 101+bytesPerCheck/rowBytes)
	require.Zero(t, m.OpenNow())
}
