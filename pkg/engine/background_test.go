package engine

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/stretchr/testify/require"
	"github.com/thanos-io/objstore"

	"github.com/cambium-logs/cambium/pkg/ingest"
	"github.com/cambium-logs/cambium/pkg/storage/chunk"
	"github.com/cambium-logs/cambium/pkg/storage/deletes"
	"github.com/cambium-logs/cambium/pkg/storage/head"
	"github.com/cambium-logs/cambium/pkg/storage/segment"
	"github.com/cambium-logs/cambium/pkg/tenant"
)

// shiftedClock is the clock, put forward.
type shiftedClock struct{ offset atomic.Int64 }

func (c *shiftedClock) now() time.Time          { return time.Now().Add(time.Duration(c.offset.Load())) }
func (c *shiftedClock) advance(d time.Duration) { c.offset.Add(int64(d)) }

// wish is a delete request as the model understands it.
type wish struct {
	id         string
	query      string
	start, end int64
	selects    func(ls labels.Labels, e *chunk.Entry) bool
	processed  bool
}

func (w *wish) hides(ls labels.Labels, e *chunk.Entry) bool {
	return e.Timestamp >= w.start && e.Timestamp <= w.end && w.selects(ls, e)
}

func randomWish(r *rand.Rand, clock int64) *wish {
	app, text := fmt.Sprint(r.IntN(4)), fmt.Sprint(r.IntN(4))
	w := &wish{start: clock - r.Int64N(int64(72*time.Hour)), end: clock - r.Int64N(int64(time.Hour))}
	if w.end < w.start {
		w.start, w.end = w.end, w.start
	}
	switch r.IntN(4) {
	case 0:
		w.query = `{app="` + app + `"}`
		w.selects = func(ls labels.Labels, _ *chunk.Entry) bool { return ls.Get("app") == app }
	case 1:
		w.query = `{app=~".*"} |= "line line" |= "` + text + `"`
		w.selects = func(_ labels.Labels, e *chunk.Entry) bool {
			return bytes.Contains(e.Line, []byte("line line")) && bytes.Contains(e.Line, []byte(text))
		}
	case 2:
		w.query = `{level="error"} | trace="` + text + `"`
		w.selects = func(ls labels.Labels, e *chunk.Entry) bool {
			return ls.Get("level") == "error" && slices.Contains(e.Metadata, labels.Label{Name: "trace", Value: text})
		}
	default:
		w.query = `{app!="` + app + `"} |= "line line line line line"`
		w.selects = func(ls labels.Labels, e *chunk.Entry) bool {
			return ls.Get("app") != app && bytes.Contains(e.Line, []byte("line line line line line"))
		}
	}
	return w
}

// without is a model without what wishes hide.
func (m model) without(t testing.TB, tenant string, wishes []*wish) model {
	out := model{tenant: {}}
	for k, arrivals := range m[tenant] {
		ls := parseLabels(t, k)
		for i := range arrivals {
			if !slices.ContainsFunc(wishes, func(w *wish) bool { return w.hides(ls, &arrivals[i]) }) {
				out[tenant][k] = append(out[tenant][k], arrivals[i])
			}
		}
	}
	return out
}

func parseLabels(t testing.TB, text string) labels.Labels {
	q, err := CompileDelete(text)
	require.NoError(t, err)
	b := labels.NewScratchBuilder(4)
	for _, m := range q.Matchers() {
		b.Add(m.Name, m.Value)
	}
	b.Sort()
	return b.Labels()
}

// storedRows calls f with every row of every segment in the bucket, marked or not.
func storedRows(t testing.TB, b objstore.Bucket, f func(name string, ls labels.Labels, e chunk.Entry)) {
	t.Helper()
	err := b.Iter(t.Context(), "", func(path string) error {
		if !strings.HasSuffix(path, segment.Extension) {
			return nil
		}
		name, err := segment.ParsePath(path)
		if err != nil {
			return err
		}
		r, err := segment.Open(t.Context(), b, name, 0)
		if err != nil {
			return err
		}
		return r.Streams(t.Context(), func(s segment.Stream) error {
			for _, c := range s.Chunks {
				cr, err := c.Open(t.Context())
				if err != nil {
					return err
				}
				for _, e := range chunk.ReadAll(nil, cr) {
					f(path, s.Labels, e)
				}
				cr.Close()
			}
			return nil
		})
	}, objstore.WithRecursiveIter())
	require.NoError(t, err)
}

// deleting is a random history of one tenant with its model.
type deleting struct {
	t      *testing.T
	r      *rand.Rand
	clock  *shiftedClock
	opts   Options
	e      *Engine
	events int64 // the timestamps' clock
	m      model
	wishes []*wish
	ended  int
}

func (d *deleting) push() {
	s := randomStreams(d.r, &d.events)
	for i := range s {
		// What comes into a range whose request is processed may stay or go.
		s[i].Entries = slices.DeleteFunc(s[i].Entries, func(e chunk.Entry) bool {
			return slices.ContainsFunc(d.wishes, func(w *wish) bool { return w.processed && w.hides(s[i].Labels, &e) })
		})
	}
	require.NoError(d.t, d.e.Append(context.Background(), "t", s))
	d.m.add("t", s)
}

func (d *deleting) ask() {
	w := randomWish(d.r, d.events)
	var err error
	w.id, err = d.e.CreateDelete(context.Background(), "t", deletes.Request{Query: w.query, Start: w.start, End: w.end})
	require.NoError(d.t, err)
	d.wishes = append(d.wishes, w)
}

func (d *deleting) cancel() {
	if len(d.wishes) == 0 {
		return
	}
	i := d.r.IntN(len(d.wishes))
	switch err := d.e.CancelDelete(context.Background(), "t", d.wishes[i].id, false); {
	case err == nil:
		d.wishes = slices.Delete(d.wishes, i, i+1)
	default:
		require.Contains(d.t, []error{ErrDeleteStarted, ErrDeleteProcessed}, err)
	}
}

// maintain makes a round, and takes over what became of the requests.
func (d *deleting) maintain() {
	_, err := d.e.Maintain(context.Background())
	require.NoError(d.t, err)
	list, err := d.e.Deletes(context.Background(), "t")
	require.NoError(d.t, err)
	for _, s := range list {
		i := slices.IndexFunc(d.wishes, func(w *wish) bool { return w.id == s.ID })
		if i < 0 {
			require.NotZero(d.t, s.Ended, "only ended requests are forgotten by the model")
			continue
		}
		w := d.wishes[i]
		if s.Processed != 0 && !w.processed {
			w.processed = true
			storedRows(d.t, d.e.bucket, func(name string, ls labels.Labels, e chunk.Entry) {
				require.False(d.t, w.hides(ls, &e), "%s is processed, but %s holds %s %s", w.query, name, ls, e.Line)
			})
		}
		if s.Ended != 0 {
			d.m = d.m.without(d.t, "t", []*wish{w})
			d.wishes = slices.Delete(d.wishes, i, i+1)
			d.ended++
		}
	}
}

func (d *deleting) check(e *Engine) {
	d.t.Helper()
	want := d.m.without(d.t, "t", d.wishes)
	requireSame(d.t, want.contents("t", math.MinInt64, math.MaxInt64), contents(d.t, e, "t", math.MinInt64, math.MaxInt64))
	from := d.events - d.r.Int64N(int64(60*time.Hour))
	to := from + d.r.Int64N(int64(20*time.Hour))
	requireSame(d.t, want.contents("t", from, to), contents(d.t, e, "t", from, to))
}

func (d *deleting) run(steps int, restart func()) {
	for range steps {
		switch n := d.r.IntN(20); {
		case n < 9:
			d.push()
		case n < 10:
			require.NoError(d.t, d.e.Flush(context.Background()))
		case n < 12:
			d.ask()
		case n < 13:
			d.cancel()
		case n < 17:
			d.clock.advance(time.Duration(d.r.Int64N(int64(2 * time.Hour))))
			d.maintain()
		case n < 18:
			restart()
		default:
			d.check(d.e)
		}
	}
	for round := 0; len(d.wishes) > 0; round++ {
		require.Less(d.t, round, 60, "requests end: %v", d.wishes)
		d.clock.advance(time.Hour)
		d.maintain()
		d.check(d.e)
	}
	d.clock.advance(keepEnded + time.Hour)
	d.maintain()
	list, err := d.e.Deletes(context.Background(), "t")
	require.NoError(d.t, err)
	require.Empty(d.t, list, "ended requests are forgotten in the end")
}

// TestDeletesAreTheModel: random pushes, delete requests, cancellations, rounds of compaction and restarts. Queries show what a simple model
// holds; what a processed request selects is in no object; nothing deleted comes back.
func TestDeletesAreTheModel(t *testing.T) {
	onStores(t, func(t *testing.T, st store) {
		for seed := range st.seeds(5) {
			t.Run(fmt.Sprint(seed), func(t *testing.T) { deletesAreTheModel(t, seed, st) })
		}
	})
}

func deletesAreTheModel(t *testing.T, seed uint64, st store) {
	r := rand.New(rand.NewPCG(seed, 5))
	clock := &shiftedClock{}
	opts := Options{
		DataDir: t.TempDir(), Bucket: st.open(t), Head: head.Options{ChunkBytes: 1 + r.Int64N(800)}, FlushBytes: 1000 + r.Int64N(20_000), now: clock.now,
		Compaction: Compaction{CancelPeriod: time.Duration(r.IntN(3)) * time.Hour, Settle: time.Nanosecond, MaxSegmentBytes: 1 << 20},
	}
	d := &deleting{t: t, r: r, clock: clock, opts: opts, e: open(t, opts), events: 1_700_000_000e9, m: model{"t": {}}}
	d.run(st.steps(150), func() {
		closeEngine(t, d.e)
		d.e = open(t, opts)
	})
	t.Logf("%d requests ended", d.ended)
}

// TestManyProcessesDelete is the same with three engines on one bucket, of which any pushes, deletes and compacts.
func TestManyProcessesDelete(t *testing.T) {
	onShared(t, func(t *testing.T, st store) {
		for seed := range st.seeds(16) {
			t.Run(fmt.Sprint(seed), func(t *testing.T) { manyProcessesDelete(t, seed, st) })
		}
	})
}

func manyProcessesDelete(t *testing.T, seed uint64, st store) {
	r := rand.New(rand.NewPCG(seed, 6))
	clock := &shiftedClock{}
	opts := sharing(st.open(t))
	opts.now = clock.now
	opts.Compaction = Compaction{CancelPeriod: time.Duration(r.IntN(3)) * time.Hour, Settle: time.Nanosecond, Interval: time.Nanosecond}
	engines := []*Engine{open(t, opts), open(t, opts), open(t, opts)}
	d := &deleting{t: t, r: r, clock: clock, opts: opts, e: engines[0], events: 1_700_000_000e9, m: model{"t": {}}}
	d.run(st.steps(150), func() {
		clock.advance(3 * time.Minute) // listings are at most that old
		i := r.IntN(len(engines))
		if r.IntN(4) == 0 {
			closeEngine(t, engines[i])
			engines[i] = open(t, opts)
		}
		d.e = engines[r.IntN(len(engines))]
		d.check(d.e)
	})
}

// TestDeletedBytesAreGone: after processing no object holds what was deleted, neither plainly nor in any chunk.
func TestDeletedBytesAreGone(t *testing.T) { onStores(t, testDeletedBytesAreGone) }

func testDeletedBytesAreGone(t *testing.T, st store) {
	clock := &shiftedClock{}
	opts := Options{DataDir: t.TempDir(), Bucket: st.open(t), now: clock.now, Compaction: Compaction{CancelPeriod: time.Hour}}
	e := open(t, opts)
	ctx := context.Background()
	const secret = "card=4111-1111-1111-1111"
	day := time.Now().Add(-48 * time.Hour).UnixNano()
	app, other := labels.FromStrings("app", "shop"), labels.FromStrings("app", "other")
	push := func(n int) {
		var entries, others []chunk.Entry
		for i := range 200 {
			text := fmt.Sprintf("level=info order=%d user=u%d", n*1000+i, i%7)
			if i%10 == 3 {
				text += " " + secret
			}
			entries = append(entries, entry(day+int64(n*1000+i), text))
			others = append(others, entry(day+int64(n*1000+i), text))
		}
		require.NoError(t, e.Append(ctx, "t", []ingest.Stream{{Labels: app, Entries: entries}, {Labels: other, Entries: others}}))
	}
	push(0)
	require.NoError(t, e.Flush(ctx))
	push(1) // stays in the log
	const query = `{app=~"shop|other"} | logfmt | card=~"4111.*"`
	id, err := e.CreateDelete(ctx, "t", deletes.Request{Query: query, Start: 0, End: time.Now().UnixNano()})
	require.NoError(t, err)
	status := func() deletes.Status {
		list, err := e.Deletes(ctx, "t")
		require.NoError(t, err)
		require.Len(t, list, 1)
		require.Equal(t, id, list[0].ID)
		return list[0]
	}
	visible := func() {
		got := contents(t, e, "t", 0, math.MaxInt64)
		require.Len(t, got[app.String()], 360)
		require.NotContains(t, fmt.Sprint(got), secret)
	}
	holds := func() (held int) {
		require.NoError(t, e.bucket.Iter(ctx, "", func(name string) error {
			body, err := e.bucket.Get(ctx, name)
			require.NoError(t, err)
			data, err := io.ReadAll(body)
			require.NoError(t, err)
			require.NoError(t, body.Close())
			if bytes.Contains(data, []byte(secret)) {
				held++
			}
			return nil
		}, objstore.WithRecursiveIter()))
		storedRows(t, e.bucket, func(_ string, _ labels.Labels, en chunk.Entry) {
			if bytes.Contains(en.Line, []byte(secret)) {
				held++
			}
		})
		return held
	}
	visible()
	_, err = e.Maintain(ctx)
	require.NoError(t, err)
	require.Zero(t, status().Progress, "the cancel period is not over")
	require.Positive(t, holds())
	clock.advance(2 * time.Hour)
	_, err = e.Maintain(ctx)
	require.NoError(t, err)
	require.ErrorIs(t, e.CancelDelete(ctx, "t", id, false), ErrDeleteStarted)
	visible()
	require.Zero(t, status().Processed, "the replaced objects wait for queries that read them")
	clock.advance(time.Hour)
	_, err = e.Maintain(ctx)
	require.NoError(t, err)
	require.NotZero(t, status().Processed)
	require.Equal(t, 1.0, status().Progress)
	require.ErrorIs(t, e.CancelDelete(ctx, "t", id, true), ErrDeleteProcessed)
	require.Zero(t, holds())
	visible()
	closeEngine(t, e)
	e = open(t, opts)
	visible()
}

// TestDeletionModes: filter-only hides and keeps; a cancelled request shows everything again.
func TestDeletionModes(t *testing.T) { onStores(t, testDeletionModes) }

func testDeletionModes(t *testing.T, st store) {
	clock := &shiftedClock{}
	limits := tenant.DefaultLimits()
	limits.DeletionMode = tenant.DeletionFilterOnly
	e := open(t, Options{Bucket: st.open(t), now: clock.now, Limits: func(string) *tenant.Limits { return &limits }})
	ctx := context.Background()
	require.NoError(t, e.Append(ctx, "t", stream(labels.FromStrings("a", "b"), entry(1, "one"), entry(2, "two"))))
	_, err := e.CreateDelete(ctx, "t", deletes.Request{Query: `{a="b"} |`, End: 5})
	require.ErrorIs(t, err, ErrInvalid)
	id, err := e.CreateDelete(ctx, "t", deletes.Request{Query: `{a="b"} |= "two"`, End: 5})
	require.NoError(t, err)
	for range 5 {
		clock.advance(24 * time.Hour)
		_, err = e.Maintain(ctx)
		require.NoError(t, err)
	}
	require.Len(t, contents(t, e, "t", 0, 10)[`{a="b"}`], 1)
	require.ErrorIs(t, e.CancelDelete(ctx, "t", id, false), ErrDeleteStarted)
	require.NoError(t, e.CancelDelete(ctx, "t", id, true))
	require.ErrorIs(t, e.CancelDelete(ctx, "t", id, true), ErrDeleteUnknown)
	require.Len(t, contents(t, e, "t", 0, 10)[`{a="b"}`], 2)
}

// TestRetentionIsTheModel: entries stay at least as long as the rule for their stream says; those of days that are past it go.
func TestRetentionIsTheModel(t *testing.T) {
	onStores(t, func(t *testing.T, st store) {
		for seed := range st.seeds(4) {
			retentionIsTheModel(t, seed, st)
		}
	})
}

func retentionIsTheModel(t *testing.T, seed uint64, st store) {
	r := rand.New(rand.NewPCG(seed, 7))
	clock := &shiftedClock{}
	limits := tenant.DefaultLimits()
	days := func(n int) tenant.Duration { return tenant.Duration(time.Duration(n) * 24 * time.Hour) }
	limits.RetentionPeriod = days(r.IntN(3) * 8)
	limits.RetentionStream = []tenant.StreamRetention{
		{Selector: `{app="1"}`, Priority: 1, Period: days(3)},
		{Selector: `{app=~"1|2", level="error"}`, Priority: 2, Period: days(6)},
		{Selector: `{app="2", level!="info"}`, Priority: 2, Period: days(4)},
	}
	period := func(ls labels.Labels) time.Duration {
		app, level := ls.Get("app"), ls.Get("level")
		switch {
		case app == "2" && level == "error":
			return time.Duration(days(4))
		case app == "1" && level == "error":
			return time.Duration(days(6))
		case app == "1":
			return time.Duration(days(3))
		}
		return time.Duration(limits.RetentionPeriod)
	}
	e := open(t, Options{Bucket: st.open(t), now: clock.now, Head: head.Options{ChunkBytes: 500}, Compaction: Compaction{Settle: time.Nanosecond},
		Limits: func(string) *tenant.Limits { return &limits }})
	m := model{}
	for range st.steps(60) {
		s := randomStreams(r, new(int64))
		for i := range s {
			for k := range s[i].Entries {
				s[i].Entries[k].Timestamp = clock.now().UnixNano() - r.Int64N(int64(30*time.Hour))
			}
		}
		require.NoError(t, e.Append(t.Context(), "t", s))
		m.add("t", s)
		if r.IntN(3) == 0 {
			require.NoError(t, e.Flush(t.Context()))
		}
		clock.advance(time.Duration(r.Int64N(int64(12 * time.Hour))))
		_, err := e.Maintain(t.Context())
		require.NoError(t, err)
	}
	require.NoError(t, e.Flush(t.Context()))
	for range 3 {
		clock.advance(2 * time.Hour)
		_, err := e.Maintain(t.Context())
		require.NoError(t, err)
	}
	now := clock.now()
	got := contents(t, e, "t", math.MinInt64, math.MaxInt64)
	gone := 0
	for k, all := range m["t"] {
		keep := period(parseLabels(t, k))
		shown := map[string]bool{}
		for _, line := range got[k] {
			shown[line] = true
		}
		for _, en := range all {
			text := showAll([]chunk.Entry{en})[0]
			switch end := segment.DayOf(en.Timestamp).End(); {
			case !expired(en.Timestamp, keep, now):
				require.True(t, shown[text], "%s %s is not past %s", k, text, keep)
			case expired(end, keep, now.Add(-6*time.Hour)):
				require.False(t, shown[text], "%s %s is past %s", k, text, keep)
				gone++
			}
		}
	}
	require.Positive(t, gone)
}

func TestRetentionRules(t *testing.T) {
	hours := func(n int) tenant.Duration { return tenant.Duration(time.Duration(n) * time.Hour) }
	limits := &tenant.Limits{RetentionPeriod: hours(168), RetentionStream: []tenant.StreamRetention{
		{Selector: `{container="loki"}`, Priority: 1, Period: hours(72)},
		{Selector: `{ns="prod"}`, Priority: 2, Period: hours(336)},
		{Selector: `{ns="prod", app="x"}`, Priority: 2, Period: hours(24)},
	}}
	r, err := newRetention(limits, 0)
	require.NoError(t, err)
	require.Equal(t, 336*time.Hour, r.longest)
	require.Equal(t, 24*time.Hour, r.shortest)
	for text, want := range map[string]int{
		`{ns="prod", container="loki"}`: 336, `{ns="x", container="loki"}`: 72, `{ns="x"}`: 168, `{ns="prod", app="x"}`: 24,
	} {
		require.Equal(t, time.Duration(want)*time.Hour, r.of(parseLabels(t, text)), text)
	}
	limits.RetentionPeriod = 0
	r, err = newRetention(limits, 0)
	require.NoError(t, err)
	require.Zero(t, r.longest, "what no rule matches is kept for ever")
	limits.RetentionStream[0].Selector = "{"
	r, err = newRetention(limits, 0)
	require.Error(t, err)
	require.Equal(t, keepForever, r, "nothing is lost to a typing error")
}

// TestSetRetention: what was set outlives the process that was told, and counts in place of the limits.
func TestSetRetention(t *testing.T) { onStores(t, testSetRetention) }

func testSetRetention(t *testing.T, st store) {
	clock := &shiftedClock{}
	limits := tenant.DefaultLimits()
	limits.RetentionPeriod = tenant.Duration(48 * time.Hour)
	opts := Options{DataDir: t.TempDir(), Bucket: st.open(t), now: clock.now, Limits: func(string) *tenant.Limits { return &limits }}
	e := open(t, opts)
	require.NoError(t, e.Append(t.Context(), "t", stream(labels.FromStrings("a", "b"), entry(clock.now().UnixNano(), "x"))))
	require.NoError(t, e.Flush(t.Context()))
	require.NoError(t, e.SetRetention(t.Context(), "t", 10*24*time.Hour))
	require.NoError(t, e.SetRetention(t.Context(), "t", 10*24*time.Hour))
	closeEngine(t, e)
	e = open(t, opts)
	left := func(after time.Duration) int {
		clock.advance(after)
		_, err := e.Maintain(t.Context())
		require.NoError(t, err)
		return len(contents(t, e, "t", 0, math.MaxInt64))
	}
	require.Equal(t, 1, left(9*24*time.Hour))
	require.NoError(t, e.bucket.Upload(t.Context(), "t/retention.json", strings.NewReader("{")))
	clock.advance(24 * time.Hour)
	_, err := e.Maintain(t.Context())
	require.ErrorContains(t, err, "t/retention.json")
	require.Len(t, contents(t, e, "t", 0, math.MaxInt64), 1, "nothing goes by guess")
	require.NoError(t, e.SetRetention(t.Context(), "t", 30*24*time.Hour))
	require.Equal(t, 1, left(10*24*time.Hour))
	require.NoError(t, e.SetRetention(t.Context(), "t", 0))
	require.Zero(t, left(time.Hour))
}

// TestEverythingAtOnce: engines on one bucket push, query, delete and compact at the same time without agreement. What was asked to be deleted
// is never seen again by the engine that was asked, and soon by none; everything else stays.
func TestEverythingAtOnce(t *testing.T) { onShared(t, testEverythingAtOnce) }

func testEverythingAtOnce(t *testing.T, st store) {
	t.Parallel()
	b := st.open(t)
	opts := sharing(b)
	opts.Compaction = Compaction{Enabled: true, Interval: 3 * time.Millisecond, Grace: 4 * time.Second, Settle: time.Nanosecond}
	engines := []*Engine{open(t, opts), open(t, opts), open(t, opts)}
	ctx := context.Background()
	base := time.Now().Add(-time.Hour).UnixNano()
	var mu sync.Mutex
	kept, deleted := map[string]bool{}, map[string]bool{}
	var wg sync.WaitGroup
	for i, e := range engines {
		wg.Go(func() {
			ls := labels.FromStrings("app", fmt.Sprint(i%2))
			for n := range st.steps(60) {
				text := fmt.Sprintf("engine %d push number %d of many", i, n)
				if err := e.Append(ctx, "t", stream(ls, entry(base+int64(n)*1e6, text+" a"), entry(base+int64(n)*1e6, text+" b"))); err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				kept[text+" a"], kept[text+" b"] = true, true
				mu.Unlock()
				if n%7 != 3 {
					continue
				}
				if _, err := e.CreateDelete(ctx, "t", deletes.Request{Query: `{app=~".*"} |= "` + text + ` b"`, Start: base, End: base + int64(time.Hour)}); err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				deleted[text+" b"] = true
				delete(kept, text+" b")
				mu.Unlock()
				if got := fmt.Sprint(contents(t, e, "t", 0, math.MaxInt64)); strings.Contains(got, text+" b") {
					t.Errorf("%s is still seen", text)
				}
			}
		})
	}
	wg.Wait()
	lines := func(e *Engine) map[string]bool {
		out := map[string]bool{}
		for _, list := range contents(t, e, "t", 0, math.MaxInt64) {
			for _, l := range list {
				_, text, _ := strings.Cut(l, " ")
				text = strings.TrimSuffix(text, " []")
				require.False(t, out[text], "%s is there twice", text)
				out[text] = true
			}
		}
		return out
	}
	for _, e := range append(engines, open(t, opts)) {
		require.Eventually(t, func() bool { return fmt.Sprint(lines(e)) == fmt.Sprint(kept) }, 10*time.Second, 50*time.Millisecond)
	}
	require.NotEmpty(t, deleted)
	require.Eventually(t, func() bool {
		left := false
		storedRows(t, copyOf(t, b), func(_ string, _ labels.Labels, e chunk.Entry) { left = left || deleted[string(e.Line)] })
		return !left
	}, 30*time.Second, 100*time.Millisecond, "everything deleted is erased")
	require.Equal(t, kept, lines(engines[0]))
}

// copyOf is a bucket as it is at one moment, more or less, so that reading it meets no object that is deleted meanwhile.
func copyOf(t testing.TB, b objstore.Bucket) objstore.Bucket {
	out := objstore.NewInMemBucket()
	for _, name := range objects(t, b) {
		body, err := b.Get(t.Context(), name)
		if err == nil {
			var data []byte
			data, err = io.ReadAll(body)
			require.NoError(t, body.Close())
			require.NoError(t, out.Upload(t.Context(), name, bytes.NewReader(data)))
		}
		require.True(t, err == nil || b.IsObjNotFoundErr(err), err)
	}
	return out
}

// TestTakenBackWhileClocksDiffer: what can be taken back is there again, although another process on the bucket, whose clock is ahead, compacts.
func TestTakenBackWhileClocksDiffer(t *testing.T) {
	onShared(t, func(t *testing.T, st store) {
		clock := &shiftedClock{}
		ahead := func() time.Time { return clock.now().Add(maxSkew) }
		opts := Options{DataDir: t.TempDir(), Bucket: st.open(t), now: clock.now, Compaction: Compaction{CancelPeriod: time.Hour}}
		other := opts
		other.DataDir, other.now = t.TempDir(), ahead
		e, o := open(t, opts), open(t, other)
		ls := labels.FromStrings("app", "a")
		require.NoError(t, e.Append(t.Context(), "t", stream(ls, entry(1, "kept after all"))))
		require.NoError(t, e.Flush(t.Context()))
		id, err := e.CreateDelete(t.Context(), "t", deletes.Request{Query: `{app="a"}`, Start: 0, End: 10})
		require.NoError(t, err)
		clock.advance(time.Hour - time.Minute)
		_, err = o.Maintain(t.Context())
		require.NoError(t, err)
		require.NoError(t, e.CancelDelete(t.Context(), "t", id, false))
		clock.advance(4 * time.Hour)
		_, err = o.Maintain(t.Context())
		require.NoError(t, err)
		for _, e := range []*Engine{e, o} {
			require.Equal(t, []string{"1 kept after all []"}, contents(t, e, "t", 0, 10)[ls.String()])
		}
	})
}
