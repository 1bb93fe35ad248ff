package engine

import (
	"fmt"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/stretchr/testify/require"
	"github.com/thanos-io/objstore"
)

// TestWhatIsNotThereTakesNoMemory: questions for tenants and days of which there is nothing leave nothing behind, however many they are.
func TestWhatIsNotThereTakesNoMemory(t *testing.T) {
	for name, opts := range map[string]Options{"own directory": {}, "bucket": {Bucket: objstore.NewInMemBucket(), WALLocation: WALInBucket}} {
		t.Run(name, func(t *testing.T) {
			e := open(t, opts)
			day := int64(24 * time.Hour)
			require.NoError(t, e.Append(t.Context(), "t", stream(labels.FromStrings("app", "a"), entry(day, "a line"))))
			require.NoError(t, e.Flush(t.Context()))
			ask := func(tenant string, mint, maxt int64) {
				snap, err := e.Snapshot(t.Context(), tenant, mint, maxt)
				require.NoError(t, err)
				snap.Close()
			}
			const n, mayTake = 15_000, 15 << 20
			before := heapBytes()
			for i := range int64(n) {
				ask(fmt.Sprint("nobody-", i), 0, day)
				ask(fmt.Sprint("none-", i), 0, 100*day)
				ask("t", i*day, i*day)
			}
			require.Less(t, heapBytes()-before, int64(mayTake), "queries")
			for i := range n {
				_, err := e.Deletes(t.Context(), fmt.Sprint("no-requests-", i))
				require.NoError(t, err)
				require.ErrorIs(t, e.CancelDelete(t.Context(), fmt.Sprint("no-such-", i), "00000000", true), ErrDeleteUnknown)
				_, err = e.Stats(t.Context(), fmt.Sprint("no-stats-", i))
				require.NoError(t, err)
			}
			require.Less(t, heapBytes()-before, int64(mayTake), "delete requests and statistics")
			for i := range n {
				snap, sub, err := e.SnapshotAndSubscribe(t.Context(), fmt.Sprint("no-tail-", i), 0, 1, 0)
				require.NoError(t, err)
				snap.Close()
				sub.Close()
			}
			require.Less(t, heapBytes()-before, int64(mayTake), "tails")
			ask("t", 0, 2*day)
		})
	}
}

// TestStatisticsOfWhatIsGoneAreForgotten: of segments that were replaced nothing stays in memory, whether anybody asks for statistics or not.
func TestStatisticsOfWhatIsGoneAreForgotten(t *testing.T) {
	e := open(t, Options{})
	for range 3 * maxWritten {
		e.segmentStats.wrote(e.batches.next(), segmentStats{1, 1, 1})
	}
	require.LessOrEqual(t, len(e.segmentStats.written), maxWritten)
	day := int64(24 * time.Hour)
	for i := range int64(8) {
		require.NoError(t, e.Append(t.Context(), "t", stream(labels.FromStrings("app", "a"), entry(day+i, "a line"))))
		require.NoError(t, e.Flush(t.Context()))
		before, err := e.Stats(t.Context(), "t")
		require.NoError(t, err)
		_, err = e.Maintain(t.Context())
		require.NoError(t, err)
		after, err := e.Stats(t.Context(), "t")
		require.NoError(t, err)
		require.Equal(t, i+1, after.Entries)
		require.Equal(t, before.RawBytes, after.RawBytes)
		require.Len(t, e.segmentStats.found["t"], after.Segments)
	}
}
