package engine

import (
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/stretchr/testify/require"
	"github.com/thanos-io/objstore"

	"github.com/cambium-logs/cambium/pkg/storage/deletes"
	"github.com/cambium-logs/cambium/pkg/storage/faultbucket"
)

// TestIdleEnginesAskLittle: while there is nothing to do, rounds of background work are far between, and they are close again when something
// comes in.
func TestIdleEnginesAskLittle(t *testing.T) {
	// Pools of memory are emptied behind the simulation: what was pooled in it must not be used outside.
	defer runtime.GC()
	defer runtime.GC()
	synctest.Test(t, func(t *testing.T) {
		conn := faultbucket.NewStore(objstore.NewInMemBucket()).Connect(1)
		e := open(t, Options{Bucket: conn, WALLocation: WALInBucket, Compaction: Compaction{Enabled: true}})
		push := func() {
			require.NoError(t, e.Append(t.Context(), "t", stream(labels.FromStrings("a", "b"), entry(time.Now().UnixNano(), "x"))))
		}
		round := func() int64 {
			e.maintenance.token <- struct{}{}
			defer func() { <-e.maintenance.token }()
			return e.maintenance.round
		}
		rounds := func(d time.Duration) int64 {
			before := conn.Counts()
			start := round()
			time.Sleep(d)
			synctest.Wait()
			t.Log(conn.Counts().Sub(before))
			return round() - start
		}
		push()
		time.Sleep(6 * time.Hour)
		require.LessOrEqual(t, rounds(6*time.Hour), int64(6*60/(8/2)), "one in eight minutes, give or take half")
		before := conn.Counts()
		require.LessOrEqual(t, rounds(24*time.Hour), int64(24*60/(8/2)))
		require.Zero(t, conn.Counts().Sub(before).Requests[faultbucket.Upload], "idle, nothing is written")
		for range 30 {
			push()
			require.Positive(t, rounds(2*time.Minute), "while something comes in")
		}
		time.Sleep(6 * time.Hour)
		_, err := e.CreateDelete(t.Context(), "t", deletes.Request{Query: `{a="b"}`, End: time.Now().UnixNano()})
		require.NoError(t, err)
		require.Positive(t, rounds(2*time.Minute), "there is something to erase, or to wait for")
		closeEngine(t, e)
	})
}
