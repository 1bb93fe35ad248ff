package engine

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/stretchr/testify/require"

	"github.com/cambium-logs/cambium/pkg/ingest"
	"github.com/cambium-logs/cambium/pkg/storage/segment"
)

// TestManyStreamsAreAFewObjects: however many streams there are, a flush makes one object for each day, their memory is within what 200,000 of
// them may take in all, and labels come from the index.
func TestManyStreamsAreAFewObjects(t *testing.T) {
	onShared(t, func(t *testing.T, st store) {
		t.Run("log on disk", func(t *testing.T) { testManyStreams(t, st, Options{}) })
		t.Run("log in bucket", func(t *testing.T) {
			testManyStreams(t, st, Options{WALLocation: WALInBucket, CommitInterval: 20 * time.Second})
		})
	})
}

func testManyStreams(t *testing.T, st store, opts Options) {
	const streams, batch = 20_000, 2000
	const mayTake = (1 << 30) / 200_000 * streams
	opts.Bucket = st.open(t)
	e := open(t, opts)
	before := heapBytes()
	pushed := make(chan error, streams/batch)
	midnight := int64(1_700_006_400e9)
	for n := 0; n < streams; n += batch {
		var push []ingest.Stream
		for i := n; i < n+batch; i++ {
			ls := labels.FromStrings("app", fmt.Sprint("app-", i%50), "pod", fmt.Sprint("pod-", i))
			push = append(push, stream(ls, entry(midnight-int64(i), fmt.Sprint("before midnight ", i)), entry(midnight+int64(i), fmt.Sprint("after midnight ", i)))...)
		}
		go func() { pushed <- e.Append(t.Context(), "t", push) }()
	}
	require.Eventually(t, func() bool { return e.ActiveStreams("t") == streams }, time.Minute, time.Millisecond)
	if opts.WALLocation == WALOnDisk {
		for range streams / batch {
			require.NoError(t, <-pushed)
		}
	}
	require.Less(t, heapBytes()-before, int64(mayTake), "in the head")
	require.NoError(t, e.Flush(t.Context()))
	if opts.WALLocation == WALInBucket {
		for range streams / batch {
			require.NoError(t, <-pushed)
		}
		require.NoError(t, e.Flush(t.Context()))
	}
	segments := 0
	for _, name := range objects(t, opts.Bucket) {
		if strings.HasSuffix(name, segment.Extension) {
			segments++
		}
	}
	require.LessOrEqual(t, segments, 4, "one for each day, twice when a push came while the first were written")
	require.Less(t, heapBytes()-before, int64(mayTake), "flushed")

	snap, err := e.Snapshot(t.Context(), "t", 0, 2*midnight)
	require.NoError(t, err)
	defer snap.Close()
	apps, err := snap.LabelValues(t.Context(), "app", 0, 2*midnight)
	require.NoError(t, err)
	require.Len(t, apps, 50)
	pods, err := snap.LabelValues(t.Context(), "pod", 0, 2*midnight, labels.MustNewMatcher(labels.MatchEqual, "app", "app-7"))
	require.NoError(t, err)
	require.Len(t, pods, streams/50)
	found, err := snap.Select(t.Context(), 0, 2*midnight, labels.MustNewMatcher(labels.MatchEqual, "pod", "pod-777"))
	require.NoError(t, err)
	require.Len(t, found, 1)
	require.Len(t, found[0].Chunks, 2)
}

// heapBytes is what is reachable.
func heapBytes() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
