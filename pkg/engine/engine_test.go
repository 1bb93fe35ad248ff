package engine

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/stretchr/testify/require"
	"github.com/thanos-io/objstore"
	"go.uber.org/goleak"

	"github.com/cambium-logs/cambium/pkg/ingest"
	"github.com/cambium-logs/cambium/pkg/storage"
	"github.com/cambium-logs/cambium/pkg/storage/bucket/buckettest"
	"github.com/cambium-logs/cambium/pkg/storage/chunk"
	"github.com/cambium-logs/cambium/pkg/storage/head"
	"github.com/cambium-logs/cambium/pkg/trials/s3server"
)

func open(t testing.TB, opts Options) *Engine {
	t.Helper()
	if opts.DataDir == "" {
		opts.DataDir = t.TempDir()
	}
	e, err := Open(context.Background(), opts)
	require.NoError(t, err)
	t.Cleanup(func() { closeEngine(t, e) })
	return e
}

func closeEngine(t testing.TB, e *Engine) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	require.NoError(t, e.Close(ctx))
}

func entry(ts int64, text string) chunk.Entry { return chunk.Entry{Timestamp: ts, Line: []byte(text)} }

func stream(ls labels.Labels, entries ...chunk.Entry) []ingest.Stream {
	return []ingest.Stream{{Labels: ls, Entries: entries}}
}

// contents reads everything of a tenant between two times: per stream the entries as a query shows them.
func contents(t testing.TB, e *Engine, tenant string, mint, maxt int64) map[string][]string {
	t.Helper()
	snap, err := e.Snapshot(context.Background(), tenant, mint, maxt)
	require.NoError(t, err)
	defer snap.Close()
	return read(t, snap, mint, maxt)
}

func read(t testing.TB, snap storage.Snapshot, mint, maxt int64) map[string][]string {
	t.Helper()
	streams, err := snap.Select(context.Background(), mint, maxt)
	require.NoError(t, err)
	out := map[string][]string{}
	for _, s := range streams {
		var all []chunk.Entry
		for _, c := range s.Chunks {
			r, err := c.Open(context.Background())
			require.NoError(t, err)
			if !c.Meta().Inexact {
				require.Equal(t, c.Meta().Rows, r.Len())
			}
			for _, e := range chunk.ReadAll(nil, r) {
				e.Line = bytes.Clone(e.Line)
				if e.Timestamp >= mint && e.Timestamp <= maxt {
					all = append(all, e)
				}
			}
			r.Close()
		}
		if len(all) > 0 {
			out[s.Labels.String()] = showAll(chunk.Normalize(all))
		}
	}
	return out
}

func showAll(entries []chunk.Entry) []string {
	out := make([]string, len(entries))
	for i, e := range entries {
		out[i] = fmt.Sprintf("%d %s %v", e.Timestamp, e.Line, e.Metadata)
	}
	return out
}

// model is the same database, simply: arrivals by tenant and stream.
type model map[string]map[string][]chunk.Entry

func (m model) add(tenant string, streams []ingest.Stream) {
	if m[tenant] == nil {
		m[tenant] = map[string][]chunk.Entry{}
	}
	for _, s := range streams {
		for _, e := range s.Entries {
			m[tenant][s.Labels.String()] = append(m[tenant][s.Labels.String()], chunk.Entry{Timestamp: e.Timestamp, Line: bytes.Clone(e.Line), Metadata: e.Metadata})
		}
	}
}

func (m model) contents(tenant string, mint, maxt int64) map[string][]string {
	out := map[string][]string{}
	for k, arrivals := range m[tenant] {
		all := chunk.Normalize(slices.Clone(arrivals))
		all = slices.DeleteFunc(all, func(e chunk.Entry) bool { return e.Timestamp < mint || e.Timestamp > maxt })
		if len(all) > 0 {
			out[k] = showAll(all)
		}
	}
	return out
}

func requireSame(t testing.TB, want, got map[string][]string) {
	t.Helper()
	for k := range want {
		for i := range max(len(want[k]), len(got[k])) {
			if i >= len(want[k]) || i >= len(got[k]) || want[k][i] != got[k][i] {
				t.Fatalf("%s differs at %d of %d and %d: want %q, got %q", k, i, len(want[k]), len(got[k]), at(want[k], i), at(got[k], i))
			}
		}
	}
	require.Len(t, got, len(want))
}

func at(s []string, i int) string {
	if i < len(s) {
		return s[i]
	}
	return "nothing"
}

func randomStreams(r *rand.Rand, clock *int64) []ingest.Stream {
	var out []ingest.Stream
	for range 1 + r.IntN(3) {
		s := ingest.Stream{Labels: labels.FromStrings("app", fmt.Sprint(r.IntN(4)), "level", []string{"info", "error"}[r.IntN(2)])}
		for range r.IntN(10) {
			*clock += r.Int64N(int64(5*time.Minute)) * int64(r.IntN(2))
			e := entry(*clock, strings.Repeat("line ", r.IntN(9))+fmt.Sprint(r.IntN(4)))
			if r.IntN(10) == 0 {
				e.Timestamp -= r.Int64N(int64(40 * time.Hour))
			}
			if r.IntN(4) == 0 {
				e.Metadata = []labels.Label{{Name: "trace", Value: fmt.Sprint(r.IntN(3))}}
			}
			s.Entries = append(s.Entries, e)
		}
		out = append(out, s)
	}
	return out
}

// TestEngineIsTheModel: random pushes, flushes, reads and restarts; the same entries come out in the same order, each once.
func TestEngineIsTheModel(t *testing.T) {
	onStores(t, func(t *testing.T, st store) {
		for seed := range st.seeds(12) {
			t.Run(fmt.Sprint(seed), func(t *testing.T) { engineIsTheModel(t, seed, st.open(t)) })
		}
	})
}

func engineIsTheModel(t *testing.T, seed uint64, b objstore.Bucket) {
	r := rand.New(rand.NewPCG(seed, 2))
	opts := Options{DataDir: t.TempDir(), Bucket: b, Head: head.Options{ChunkBytes: 1 + r.Int64N(800)}, FlushBytes: 1000 + r.Int64N(20_000)}
	e := open(t, opts)
	clock := int64(1_700_000_000e9)
	m := model{}
	var last []ingest.Stream
	for range 120 {
		tenant := []string{"org-1", "org-2"}[r.IntN(2)]
		switch r.IntN(25) {
		case 0:
			require.NoError(t, e.Flush(context.Background()))
		case 1:
			closeEngine(t, e)
			e = open(t, opts)
		case 2:
			mint, maxt := int64(math.MinInt64), int64(math.MaxInt64)
			if r.IntN(2) == 0 {
				mint, maxt = clock-r.Int64N(int64(20*time.Hour)), clock-r.Int64N(int64(10*time.Hour))
			}
			requireSame(t, m.contents(tenant, mint, maxt), contents(t, e, tenant, mint, maxt))
		case 3: // a client that repeats its push
			if last != nil {
				require.NoError(t, e.Append(context.Background(), "org-1", last))
				m.add("org-1", last)
			}
		default:
			last = randomStreams(r, &clock)
			require.NoError(t, e.Append(context.Background(), tenant, last))
			m.add(tenant, last)
		}
	}
	for range 2 {
		for _, tenant := range []string{"org-1", "org-2", "nobody"} {
			requireSame(t, m.contents(tenant, math.MinInt64, math.MaxInt64), contents(t, e, tenant, math.MinInt64, math.MaxInt64))
		}
		require.NoError(t, e.Flush(context.Background()))
		require.Zero(t, e.head.RawBytes())
	}
	closeEngine(t, e)
	e = open(t, opts)
	require.Zero(t, e.Replayed().Entries, "a flush leaves nothing to replay")
	requireSame(t, m.contents("org-1", math.MinInt64, math.MaxInt64), contents(t, e, "org-1", math.MinInt64, math.MaxInt64))
}

// TestSnapshotsDuringFlushes: with pushes and flushes going on, every snapshot has every entry acknowledged before it, stored in one place.
func TestSnapshotsDuringFlushes(t *testing.T) { onStores(t, testSnapshotsDuringFlushes) }

func testSnapshotsDuringFlushes(t *testing.T, st store) {
	e := open(t, Options{Bucket: st.open(t), Head: head.Options{ChunkBytes: 2000}, FlushBytes: 1 << 40})
	ctx := context.Background()
	ls := labels.FromStrings("app", "a")
	stop := make(chan struct{})
	var wg sync.WaitGroup
	var mu sync.Mutex
	acked := 0
	wg.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
			}
			if err := e.Append(ctx, "t", stream(ls, entry(int64(i), fmt.Sprint("line ", i)))); err != nil {
				t.Error(err)
				return
			}
			mu.Lock()
			acked = i + 1
			mu.Unlock()
			time.Sleep(50 * time.Microsecond)
		}
	})
	wg.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				if err := e.Flush(ctx); err != nil {
					t.Error(err)
					return
				}
			}
		}
	})
	for range 60 {
		mu.Lock()
		least := acked
		mu.Unlock()
		snap, err := e.Snapshot(ctx, "t", 0, math.MaxInt64)
		require.NoError(t, err)
		streams, err := snap.Select(ctx, 0, math.MaxInt64)
		require.NoError(t, err)
		rows := 0
		for _, s := range streams {
			for _, c := range s.Chunks {
				rows += c.Meta().Rows
			}
		}
		got := read(t, snap, 0, math.MaxInt64)[ls.String()]
		snap.Close()
		require.GreaterOrEqual(t, len(got), least)
		require.Equal(t, len(got), rows, "each entry is in one place")
		for i, s := range got {
			require.True(t, strings.HasPrefix(s, fmt.Sprintf("%d line %d ", i, i)), s)
		}
	}
	close(stop)
	wg.Wait()
}

func TestConcurrentPushersAndReaders(t *testing.T) { onStores(t, testConcurrentPushersAndReaders) }

func testConcurrentPushersAndReaders(t *testing.T, st store) {
	e := open(t, Options{Bucket: st.open(t), Head: head.Options{ChunkBytes: 10_000}, FlushBytes: 50_000})
	ctx := context.Background()
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			ls := labels.FromStrings("g", fmt.Sprint(g%2))
			for i := range 100 {
				var entries []chunk.Entry
				for k := range 10 {
					entries = append(entries, entry(int64(i*10+k), fmt.Sprintf("%d/%d %s", g, i, strings.Repeat("x", 50))))
				}
				if err := e.Append(ctx, "t", stream(ls, entries...)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for range 20 {
		contents(t, e, "t", 0, math.MaxInt64)
	}
	wg.Wait()
	got := contents(t, e, "t", 0, math.MaxInt64)
	require.Len(t, got[`{g="0"}`], 2000)
	require.Len(t, got[`{g="1"}`], 2000)
	require.Equal(t, 2, e.ActiveStreams("t"))
	require.True(t, e.HasStream("t", labels.FromStrings("g", "1")))
	require.False(t, e.HasStream("t", labels.FromStrings("g", "2")))
}

func TestStats(t *testing.T) { onStores(t, testStats) }

func testStats(t *testing.T, st store) {
	e := open(t, Options{Bucket: st.open(t)})
	ctx := context.Background()
	require.NoError(t, e.Append(ctx, "t", stream(labels.FromStrings("a", "b"), entry(1e18, "hello"), entry(2e18, "world"))))
	require.NoError(t, e.Flush(ctx))
	require.NoError(t, e.Append(ctx, "t", stream(labels.FromStrings("a", "b"), entry(3e18, "again"))))
	s, err := e.Stats(ctx, "t")
	require.NoError(t, err)
	require.Equal(t, 2, s.Segments, "one for each day")
	require.Positive(t, s.StoredBytes)
	require.WithinDuration(t, time.Now(), s.LastReceived, time.Minute)
	s.StoredBytes, s.LastReceived = 0, time.Time{}
	require.Equal(t, Stats{Segments: 2, RawBytes: 15, Entries: 3, HeadRawBytes: 5, Streams: 1, Oldest: time.Unix(0, 1e18), Newest: time.Unix(0, 3e18)}, s)
}

func TestInvalidEntriesAreRefused(t *testing.T) { onStores(t, testInvalidEntriesAreRefused) }

func testInvalidEntriesAreRefused(t *testing.T, st store) {
	e := open(t, Options{Bucket: st.open(t), Head: head.Options{MaxBytes: 1 << 20}})
	ctx := context.Background()
	bad := entry(1, "x")
	bad.Metadata = []labels.Label{{Name: "b", Value: "1"}, {Name: "a", Value: "2"}}
	require.ErrorIs(t, e.Append(ctx, "t", stream(labels.FromStrings("a", "b"), bad)), ErrInvalid)
	require.ErrorIs(t, e.Append(ctx, "t", stream(labels.FromStrings("a", "b"), entry(1, strings.Repeat("x", 2<<20)))), ErrTooLarge)
	require.NoError(t, e.Append(ctx, "t", nil))
	require.Empty(t, contents(t, e, "t", 0, 10))
	require.Zero(t, e.head.Memory())
}

func TestPushesAreNotKept(t *testing.T) { onStores(t, testPushesAreNotKept) }

func testPushesAreNotKept(t *testing.T, st store) {
	e := open(t, Options{Bucket: st.open(t)})
	body := []byte("some line")
	md := []labels.Label{{Name: "k", Value: "v"}}
	en := chunk.Entry{Timestamp: 1, Line: body, Metadata: md}
	require.NoError(t, e.Append(context.Background(), "t", stream(labels.FromStrings("a", "b"), en)))
	clear(body)
	md[0].Value = "changed"
	require.Equal(t, []string{"1 some line [{k v}]"}, contents(t, e, "t", 0, 10)[`{a="b"}`])
}

func TestClosedEngineRefuses(t *testing.T) { onStores(t, testClosedEngineRefuses) }

func testClosedEngineRefuses(t *testing.T, st store) {
	e := open(t, Options{Bucket: st.open(t)})
	ctx := context.Background()
	sub := e.Subscribe("t", 0)
	require.NoError(t, e.Append(ctx, "t", stream(labels.FromStrings("a", "b"), entry(1, "x"))))
	closeEngine(t, e)
	closeEngine(t, e)
	err := e.Append(ctx, "t", stream(labels.FromStrings("a", "b"), entry(2, "x")))
	require.ErrorIs(t, err, ErrClosed)
	require.ErrorIs(t, err, ErrUnavailable)
	events, _, err := sub.Next(ctx)
	require.NoError(t, err)
	require.Len(t, events, 1)
	_, _, err = sub.Next(ctx)
	require.ErrorIs(t, err, ErrUnsubscribed)
}

// TestSubscriptionsContinueSnapshots: snapshot and subscription together have every entry once.
func TestSubscriptionsContinueSnapshots(t *testing.T) {
	onStores(t, testSubscriptionsContinueSnapshots)
}

func testSubscriptionsContinueSnapshots(t *testing.T, st store) {
	e := open(t, Options{Bucket: st.open(t), FlushBytes: 2000})
	ctx := context.Background()
	stop := make(chan struct{})
	var wg sync.WaitGroup
	var total int
	wg.Go(func() {
		for ; ; total++ {
			select {
			case <-stop:
				return
			default:
			}
			for _, app := range []string{"a", "b"} {
				if err := e.Append(ctx, "t", stream(labels.FromStrings("app", app), entry(int64(total), fmt.Sprint(total)))); err != nil {
					t.Error(err)
				}
			}
		}
	})
	var subs []*Subscription
	var seen [][]string
	for range 10 {
		snap, sub, err := e.SnapshotAndSubscribe(ctx, "t", 0, math.MaxInt64, 1<<20, labels.MustNewMatcher(labels.MatchEqual, "app", "a"))
		require.NoError(t, err)
		seen = append(seen, read(t, snap, 0, math.MaxInt64)[`{app="a"}`])
		snap.Close()
		subs = append(subs, sub)
	}
	close(stop)
	wg.Wait()
	for i, sub := range subs {
		sub.Close()
		for {
			events, dropped, err := sub.Next(ctx)
			if err != nil {
				require.ErrorIs(t, err, ErrUnsubscribed)
				break
			}
			require.Zero(t, dropped)
			for _, ev := range events {
				require.Greater(t, ev.Sequence, sub.Start())
				require.Equal(t, `{app="a"}`, ev.Labels.String())
				seen[i] = append(seen[i], showAll(ev.Entries)...)
			}
		}
		require.Len(t, seen[i], total)
		for k, s := range seen[i] {
			require.Equal(t, fmt.Sprintf("%d %d []", k, k), s)
		}
	}
}

func TestSlowSubscribersLoseEntries(t *testing.T) { onStores(t, testSlowSubscribersLoseEntries) }

func testSlowSubscribersLoseEntries(t *testing.T, st store) {
	e := open(t, Options{Bucket: st.open(t)})
	ctx := context.Background()
	sub := e.Subscribe("t", 5)
	defer sub.Close()
	for i := range 20 {
		require.NoError(t, e.Append(ctx, "t", stream(labels.FromStrings("a", "b"), entry(int64(i), "x"))))
	}
	events, dropped, err := sub.Next(ctx)
	require.NoError(t, err)
	require.Len(t, events, 5)
	require.EqualValues(t, 15, dropped)
	canceled, cancel := context.WithCancel(ctx)
	cancel()
	_, _, err = sub.Next(canceled)
	require.ErrorIs(t, err, context.Canceled)
}

func TestMain(m *testing.M) {
	switch {
	case os.Getenv(maintainingChildEnv) != "":
		os.Exit(runMaintainingChild())
	case os.Getenv(childEnv) != "":
		os.Exit(runChild())
	}
	code := m.Run()
	s3server.StopShared()
	if err := goleak.Find(buckettest.KnownGoroutines()...); err != nil && code == 0 {
		fmt.Fprintln(os.Stderr, "goroutines are left over:", err)
		code = 1
	}
	os.Exit(code)
}
