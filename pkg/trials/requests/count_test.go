package requests

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
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

// outDir is where the benchmarks want the tables; "" = they are not wanted, and less is measured.
var outDir = os.Getenv("CAMBIUM_BENCH_OUT")

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

// row is what one operation, or one time, asked of the bucket.
type row struct {
	what string
	faultbucket.Counts
}

// bench is an engine on a bucket whose requests are counted.
type bench struct {
	t      *testing.T
	conn   *faultbucket.Bucket
	engine *engine.Engine
	query  *query.Engine
	before faultbucket.Counts
	rows   *[]row
}

// start opens an engine with the disk cache of an instance, where a directory is given for it.
func start(t *testing.T, store *faultbucket.Store, cacheDir string, opts engine.Options, rows *[]row) *bench {
	b := &bench{t: t, conn: store.Connect(1), rows: rows}
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
	t.Cleanup(b.close) // a simulation does not end before its goroutines do
	b.query = query.New(query.Options{Source: b.engine, CacheBytes: -1})
	return b
}

func (b *bench) close() {
	require.NoError(b.t, b.engine.Close(context.Background()))
}

// took tells what was asked of the bucket since the last call, and puts it into the table.
func (b *bench) took(what string) faultbucket.Counts {
	c := b.since()
	b.t.Logf("%-72s %s", what, c)
	*b.rows = append(*b.rows, row{what, c})
	return c
}

// since tells what was asked of the bucket since the last call.
func (b *bench) since() faultbucket.Counts {
	now := b.conn.Counts()
	c := now.Sub(b.before)
	b.before = now
	return c
}

func (b *bench) push(streams, n int) {
	require.NoError(b.t, b.engine.Append(context.Background(), tenant, lines(streams, n, time.Now())))
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
	var inBucket, onDisk []row
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(12*time.Hour + time.Minute) // the middle of a day
		idle(t)
		operations(t, engine.WALInBucket, &inBucket)
		tenants(t, &inBucket)
		reading(t, &inBucket)
		operations(t, engine.WALOnDisk, &onDisk)
	})
	if outDir != "" && !t.Failed() {
		require.NoError(t, os.WriteFile(filepath.Join(outDir, "requests.md"), []byte(table("wal.location: bucket", inBucket)+table("wal.location: disk", onDisk)), 0o600))
	}
}

func table(title string, rows []row) string {
	var s strings.Builder
	fmt.Fprintf(&s, "| %s | PUT | GET | LIST | HEAD | DELETE | uploaded | read |\n| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n", title)
	for _, r := range rows {
		n := r.Requests
		fmt.Fprintf(&s, "| %s | %d | %d | %d | %d | %d | %.1f kB | %.1f kB |\n", r.what, n[faultbucket.Upload], n[faultbucket.Get], n[faultbucket.List],
			n[faultbucket.Attributes], n[faultbucket.Delete], float64(r.In)/1e3, float64(r.Out)/1e3)
	}
	return s.String() + "\n"
}

// idle: without background work nothing is asked of the bucket by a process that nobody asks anything.
func idle(t *testing.T) {
	b := start(t, faultbucket.NewStore(objstore.NewInMemBucket()), "", engine.Options{WALLocation: engine.WALInBucket}, &[]row{})
	time.Sleep(24 * time.Hour)
	require.Equal(t, faultbucket.Counts{}, b.since())
	b.close()
}

// idleAfter is when a process that has nothing to do has noticed that: its background work has become rare.
const idleAfter = time.Hour

// busyTime is how much of an hour is simulated in which pushes come all the time: all of it for the table.
func busyTime() time.Duration {
	if outDir != "" {
		return time.Hour
	}
	return 2 * time.Minute
}

// operations counts what an instance asks that stores, compacts and deletes.
func operations(t *testing.T, location engine.WALLocation, rows *[]row) {
	inBucket := location == engine.WALInBucket
	ctx := context.Background()
	store := faultbucket.NewStore(objstore.NewInMemBucket())
	b := start(t, store, t.TempDir(), engine.Options{WALLocation: location, Compaction: engine.Compaction{Enabled: true}}, rows)
	b.took("start")
	b.push(20, 50)
	c := b.took("push of 1,000 lines")
	if !inBucket {
		require.Equal(t, faultbucket.Counts{}, c)
		require.NoError(t, b.engine.Flush(ctx))
		c = b.took("flush")
	}
	require.EqualValues(t, 1, c.Requests[faultbucket.Upload])
	require.Zero(t, c.Requests[faultbucket.Get])

	time.Sleep(idleAfter)
	b.since()
	time.Sleep(time.Hour)
	c = b.took("hour, idle")
	most := int64(0) // an idle process writes nothing, but for how far its own log has come
	if !inBucket {
		most = 2 // at both ends of the hour
	}
	require.LessOrEqual(t, c.Requests[faultbucket.Upload], most)
	require.LessOrEqual(t, c.Requests[faultbucket.List], int64(120))
	require.LessOrEqual(t, c.Requests[faultbucket.Get], int64(30))

	beside := start(t, store, t.TempDir(), engine.Options{WALLocation: location, Compaction: engine.Compaction{Enabled: true}}, rows)
	time.Sleep(idleAfter)
	beside.since()
	time.Sleep(time.Hour)
	c = beside.took("hour, idle, of a second process on the bucket")
	require.LessOrEqual(t, c.Requests[faultbucket.Get], int64(30), "it looks who compacts")
	beside.close()
	b.since()

	hour := busyTime()
	pushes := func(every time.Duration) faultbucket.Counts {
		for end := time.Now().Add(hour); time.Now().Before(end); {
			next := time.Now().Add(every)
			b.push(20, 10)
			time.Sleep(time.Until(next))
		}
		return b.took(fmt.Sprintf("%s with a push every %s", inWords(hour), every))
	}
	c = pushes(15 * time.Second)
	if n := int64(hour / (15 * time.Second)); inBucket {
		require.LessOrEqual(t, c.Requests[faultbucket.Upload], 3*n+int64(2*hour/time.Minute), "each segment is written, marked and merged once or a little more")
	} else {
		require.LessOrEqual(t, c.Requests[faultbucket.Upload], int64(2*hour/time.Minute)+40)
	}
	c = pushes(time.Second)
	if inBucket {
		require.LessOrEqual(t, c.Requests[faultbucket.Upload], 3*int64(hour/time.Second))
	}
	if inBucket {
		c = pushes(250 * time.Millisecond)
		require.LessOrEqual(t, c.Requests[faultbucket.Upload], 3*int64(hour/(250*time.Millisecond)), "one segment per commit interval, however much is pushed")
	}

	time.Sleep(10 * time.Minute) // what was pushed is merged
	b.since()
	_, err := b.engine.CreateDelete(ctx, tenant, deletes.Request{Query: `{app="3"}`, Start: 0, End: time.Now().UnixNano()})
	require.NoError(t, err)
	b.took("delete request")
	_, err = b.engine.Maintain(ctx)
	require.NoError(t, err)
	b.took("carrying it out")
	b.close()
	if inBucket {
		following(t, store, rows)
	}
}

// following counts what a process asks that shows a tail of what another one accepts.
func following(t *testing.T, store *faultbucket.Store, rows *[]row) {
	other := start(t, store, "", engine.Options{WALLocation: engine.WALInBucket}, rows)
	b := start(t, store, t.TempDir(), engine.Options{WALLocation: engine.WALInBucket}, rows)
	snap, sub, err := b.engine.SnapshotAndSubscribe(context.Background(), tenant, 0, time.Now().UnixNano(), 0)
	require.NoError(t, err)
	snap.Close()
	var shown sync.WaitGroup
	shown.Go(func() {
		for {
			if _, _, err := sub.Next(context.Background()); err != nil {
				return
			}
		}
	})
	b.took("beginning of a tail")
	time.Sleep(busyTime())
	c := b.took(inWords(busyTime()) + " of a tail, nothing comes")
	require.LessOrEqual(t, c.Requests[faultbucket.List], int64(2*busyTime()/time.Second))
	require.Zero(t, c.Requests[faultbucket.Upload])
	for range 60 {
		other.push(1, 10)
		time.Sleep(time.Second)
	}
	c = b.took("minute of a tail, another process takes a push every second")
	require.LessOrEqual(t, c.Requests[faultbucket.List], int64(3*60), "new segments, and what is to be deleted")
	sub.Close()
	shown.Wait()
	b.close()
	other.close()
}

func inWords(d time.Duration) string {
	if d == time.Hour {
		return "hour"
	}
	return d.String()
}

// reading counts what queries ask: of a process that has just started, with nothing on its disk and with what it read before.
func reading(t *testing.T, rows *[]row) {
	store := faultbucket.NewStore(objstore.NewInMemBucket())
	cache := t.TempDir()
	b := start(t, store, cache, engine.Options{WALLocation: engine.WALInBucket}, rows)
	for range 40 {
		b.push(20, 50)
		time.Sleep(time.Minute)
	}
	require.Equal(t, 100, b.read(`{app="3"}`, 30*time.Minute))
	b.since()
	time.Sleep(5 * time.Second)
	require.Equal(t, 100, b.read(`{app="3"}`, 30*time.Minute))
	c := b.took("the last 100 lines of a stream, again after 5 s")
	require.Zero(t, c.Requests[faultbucket.Get])
	require.LessOrEqual(t, c.Requests[faultbucket.List], int64(4))
	_, err := b.engine.Maintain(context.Background())
	require.NoError(t, err)
	b.took("compaction of 40 segments of 1,000 lines")
	b.close()

	asks := []struct {
		what string
		run  func(b *bench) int
		want int
	}{
		{"start, and the last 100 lines of a stream", func(b *bench) int { return b.read(`{app="4"}`, 2*time.Hour) }, 100},
		{"start, and a text that is nowhere, in all lines", func(b *bench) int { return b.read(`{app=~".+"} |= "no such text"`, 2*time.Hour) }, 0},
		{"start, and a field of all lines", func(b *bench) int { return b.read(`{app=~".+"} | logfmt | status > 1000`, 2*time.Hour) }, 0},
		{"start, and a count of all lines", func(b *bench) int {
			n, err := trials.Count(context.Background(), b.query, tenant, time.Now().Add(-2*time.Hour).UnixNano(), time.Now().UnixNano())
			require.NoError(t, err)
			return n
		}, 40 * 1000},
	}
	for _, ask := range asks {
		require.NoError(t, os.RemoveAll(cache))
		for _, state := range []string{"cold", "warm"} {
			b = start(t, store, cache, engine.Options{WALLocation: engine.WALInBucket}, rows)
			require.Equal(t, ask.want, ask.run(b))
			c = b.took(ask.what + ", " + state)
			if state == "warm" {
				require.Zero(t, c.Requests[faultbucket.Get], "the disk has it all")
			}
			b.close()
		}
	}
}

// tenants counts what many tenants ask of whom nobody asks anything.
func tenants(t *testing.T, rows *[]row) {
	b := start(t, faultbucket.NewStore(objstore.NewInMemBucket()), t.TempDir(), engine.Options{WALLocation: engine.WALInBucket, Compaction: engine.Compaction{Enabled: true}}, rows)
	const n = 10
	for i := range n {
		require.NoError(t, b.engine.Append(context.Background(), fmt.Sprint("org-", i), lines(1, 10, time.Now())))
	}
	time.Sleep(idleAfter)
	b.since()
	time.Sleep(time.Hour)
	c := b.took(fmt.Sprintf("hour, idle, with %d tenants that pushed today", n))
	require.LessOrEqual(t, c.Requests[faultbucket.List], int64(100*n))
	b.close()
}
