package requests

import (
	"context"
	"fmt"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/stretchr/testify/require"
	"github.com/thanos-io/objstore"

	"github.com/cambium-logs/cambium/pkg/engine"
	"github.com/cambium-logs/cambium/pkg/ingest"
	"github.com/cambium-logs/cambium/pkg/query"
	"github.com/cambium-logs/cambium/pkg/storage/bucket"
	"github.com/cambium-logs/cambium/pkg/storage/chunk"
	"github.com/cambium-logs/cambium/pkg/storage/deletes"
	"github.com/cambium-logs/cambium/pkg/storage/faultbucket"
	"github.com/cambium-logs/cambium/pkg/trials"
)

const tenant = "org-1"

// lines are n entries in each of some streams, one a millisecond up to a time.
func lines(streams, n int, until time.Time) []ingest.Stream {
	var out []ingest.Stream
	for s := range streams {
		st := ingest.Stream{Labels: labels.FromStrings("app", fmt.Sprint(s), "job", "trial")}
		for i := range n {
			at := until.UnixNano() - int64(n-i)*int64(time.Millisecond)
			st.Entries = append(st.Entries, chunk.Entry{Timestamp: at, Line: fmt.Appendf(nil,
				"level=info caller=handler.go:%d method=GET path=/api/v1/items/%d status=%d duration=%dms trace=%016x", at%977, at/1e6%9973, 200+at/1e6%7*50, at/1e6%1999, uint64(at)*0x9e3779b97f4a7c15)})
		}
		out = append(out, st)
	}
	return out
}

// bench is an engine on a bucket whose requests are counted.
type bench struct {
	t      *testing.T
	conn   *faultbucket.Bucket
	engine *engine.Engine
	query  *query.Engine
	before faultbucket.Counts
}

func start(t *testing.T, store *faultbucket.Store, cacheDir string, opts engine.Options) *bench {
	b := &bench{t: t, conn: store.Connect(1)}
	wrapped := bucket.Wrap(b.conn, bucket.Limits{}, nil)
	var err error
	if cacheDir != "" {
		wrapped, err = wrapped.Cached(bucket.CacheOptions{Dir: cacheDir, MaxBytes: 1 << 30}, nil)
		require.NoError(t, err)
	}
	opts.Bucket = wrapped
	opts.DataDir = t.TempDir()
	b.engine, err = engine.Open(context.Background(), opts)
	require.NoError(t, err)
	b.query = query.New(query.Options{Source: b.engine})
	return b
}

func (b *bench) close() { require.NoError(b.t, b.engine.Close(context.Background())) }

// took tells what was asked of the bucket since the last call.
func (b *bench) took(what string) faultbucket.Counts {
	now := b.conn.Counts()
	c := now.Sub(b.before)
	b.before = now
	b.t.Logf("%-60s %s", what, c)
	return c
}

func (b *bench) read(expr string, back time.Duration) int {
	now := time.Now()
	r, err := b.query.Query(context.Background(), query.Params{Tenant: tenant, Expr: expr, Start: now.Add(-back).UnixNano(), End: now.UnixNano(), Limit: 100})
	require.NoError(b.t, err)
	return len(r.Entries)
}

// TestRequests counts requests, and holds the numbers that a bill is made of within bounds.
func TestRequests(t *testing.T) {
	// One simulation for all, and pools of memory emptied behind it: what was pooled in it must not be used outside.
	defer runtime.GC()
	defer runtime.GC()
	synctest.Test(t, func(t *testing.T) {
		idle(t)
		operations(t)
	})
}

func operations(t *testing.T) {
	time.Sleep(12 * time.Hour) // the middle of the day
	store := faultbucket.NewStore(objstore.NewInMemBucket())
	cache := t.TempDir()
	b := start(t, store, cache, engine.Options{WALLocation: engine.WALInBucket, Compaction: engine.Compaction{Enabled: true}})
	push := func() {
		require.NoError(t, b.engine.Append(context.Background(), tenant, lines(20, 50, time.Now())))
	}
	b.took("start")
	push()
	c := b.took("one push")
	require.EqualValues(t, 1, c.Requests[faultbucket.Upload])
	require.Zero(t, c.Requests[faultbucket.List]+c.Requests[faultbucket.Get])

	time.Sleep(time.Hour)
	c = b.took("an hour with nothing to do")
	require.LessOrEqual(t, c.Requests[faultbucket.Upload], int64(2*60), "the lease alone is written")

	for range 3600 / 15 {
		push()
		time.Sleep(15*time.Second - 250*time.Millisecond)
	}
	c = b.took("an hour with a push of 1,000 lines every 15 s")
	require.LessOrEqual(t, c.Requests[faultbucket.Upload], int64(240+240+240))

	require.Equal(t, 100, b.read(`{app="3"}`, 30*time.Minute))
	b.took("the last 100 lines of a stream")
	time.Sleep(5 * time.Second)
	require.Equal(t, 100, b.read(`{app="3"}`, 30*time.Minute))
	c = b.took("the same 5 s later")
	require.Zero(t, c.Requests[faultbucket.Get])
	b.read(`{app=~".+"} |= "no such text"`, 2*time.Hour)
	b.took("a text that is nowhere, in everything")

	_, err := b.engine.CreateDelete(context.Background(), tenant, deletes.Request{Query: `{app="3"}`, Start: 0, End: time.Now().UnixNano()})
	require.NoError(t, err)
	b.took("a delete request")
	_, err = b.engine.Maintain(context.Background())
	require.NoError(t, err)
	b.took("carrying it out")
	b.close()

	for _, what := range []string{"cold", "warm"} {
		b = start(t, store, cache, engine.Options{WALLocation: engine.WALInBucket})
		require.Zero(t, b.read(`{app="3"}`, 2*time.Hour), "it is deleted")
		b.took("restart and query, " + what)
		require.Equal(t, 100, b.read(`{app="4"}`, 2*time.Hour))
		c = b.took("another stream, " + what)
		n, err := trials.Count(context.Background(), b.query, tenant, time.Now().Add(-2*time.Hour).UnixNano(), time.Now().UnixNano())
		require.NoError(t, err)
		require.Positive(t, n)
		c = b.took("counting everything, " + what)
		if what == "warm" {
			require.Zero(t, c.Requests[faultbucket.Get], "the disk has it all")
		}
		b.close()
	}
}

// idle: without background work nothing is asked of the bucket by a process that nobody asks anything.
func idle(t *testing.T) {
	store := faultbucket.NewStore(objstore.NewInMemBucket())
	b := start(t, store, "", engine.Options{WALLocation: engine.WALInBucket})
	time.Sleep(24 * time.Hour)
	require.Equal(t, faultbucket.Counts{}, b.took("a day with nothing to do, without background work"))
	b.close()
}
