package compact

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
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
	"go.uber.org/goleak"

	"github.com/cambium-logs/cambium/internal/race"
	"github.com/cambium-logs/cambium/pkg/storage"
	"github.com/cambium-logs/cambium/pkg/storage/bucket/buckettest"
	"github.com/cambium-logs/cambium/pkg/storage/catalog"
	"github.com/cambium-logs/cambium/pkg/storage/chunk"
	"github.com/cambium-logs/cambium/pkg/storage/segment"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m, buckettest.KnownGoroutines()...) }

var today = segment.DayOf(1_790_000_000_000_000_000)

// world is a bucket with a clock, and what queries on it have to show.
type world struct {
	t      testing.TB
	r      *rand.Rand
	bucket *faultyBucket
	mu     sync.Mutex // guards now
	now    time.Time
	want   map[string]int // app, time, line → 1
	next   int
	order  uint64
	// filtersFrom is half of the worlds 1, so that their small segments have filters.
	filtersFrom int64
}

func newWorld(t testing.TB, seed uint64) *world {
	return &world{
		t: t, r: rand.New(rand.NewPCG(seed, 11)), bucket: &faultyBucket{Bucket: objstore.NewInMemBucket()},
		now: time.Unix(0, today.Start()).Add(12 * time.Hour), want: map[string]int{},
		filtersFrom: int64(seed % 2),
	}
}

// clock may be read by several goroutines of a listing at once.
func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(time.Millisecond)
	return w.now
}

// pass lets time pass.
func (w *world) pass(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

func (w *world) catalog() *catalog.Catalog {
	return catalog.New(catalog.Options{Bucket: w.bucket, Now: w.clock, LiveStaleness: time.Nanosecond, ClosedStaleness: time.Nanosecond, Concurrency: 2})
}

func (w *world) compactor(change func(*Options)) *Compactor {
	opts := Options{Bucket: w.bucket, Catalog: w.catalog(), TempDir: w.t.TempDir(), Now: w.clock, MinSources: 3, FiltersFrom: w.filtersFrom, Interval: time.Nanosecond, ClosedInterval: time.Nanosecond}
	if change != nil {
		change(&opts)
	}
	c, err := New(opts)
	require.NoError(w.t, err)
	return c
}

func key(app string, ts int64, line string) string { return fmt.Sprintf("%s %d %s", app, ts, line) }

type streams map[string][]chunk.Entry

// write puts entries into a segment of level 1, in chunks of chunkRows entries.
func (w *world) write(in streams, chunkRows int) segment.Info {
	id, err := segment.NewID()
	require.NoError(w.t, err)
	require.NoError(w.t, id.SetTime(uint64(w.clock().UnixMilli())))
	info, err := segment.Create(w.t.Context(), w.bucket.Bucket, w.t.TempDir(), segment.WriterOptions{Tenant: "t", Level: 1, ID: id, FiltersFrom: w.filtersFrom}, func(sw *segment.Writer) error {
		for _, app := range slices.Sorted(maps.Keys(in)) {
			entries := in[app]
			for _, e := range entries {
				w.want[key(app, e.Timestamp, string(e.Line))] = 1
			}
			for part := range slices.Chunk(entries, chunkRows) {
				w.order++
				data, meta, err := chunk.Encode(nil, chunk.EncodingPlain, chunk.Normalize(slices.Clone(part)), w.order)
				require.NoError(w.t, err)
				if err := sw.Append(labels.FromStrings("app", app), segment.EncodedChunk{Meta: meta, Data: data}); err != nil {
					return err
				}
			}
		}
		return nil
	})
	require.NoError(w.t, err)
	return info
}

// push writes a segment with new entries, some of which repeat older ones.
func (w *world) push(day segment.Day) {
	in := streams{}
	for range 1 + w.r.IntN(30) {
		w.next++
		app := fmt.Sprintf("app-%d", w.r.IntN(4))
		e := chunk.Entry{Timestamp: day.Start() + w.r.Int64N(1000)*1e9, Line: fmt.Appendf(nil, "line %d", w.next)}
		if len(in[app]) > 0 && w.r.IntN(5) == 0 {
			e = in[app][w.r.IntN(len(in[app]))]
		}
		if w.r.IntN(4) == 0 {
			e.Timestamp, e.Line = day.Start()+w.r.Int64N(5), fmt.Appendf(nil, "often %d", w.r.IntN(5))
		}
		in[app] = append(in[app], e)
	}
	w.write(in, 1+w.r.IntN(10))
}

// read gives how often each entry is stored, as a new process sees it.
func (w *world) read() map[string]int {
	got := map[string]int{}
	snap, err := w.catalog().Snapshot(w.t.Context(), "t", (today - 40).Start(), today.End())
	require.NoError(w.t, err)
	defer snap.Close()
	all, err := snap.Select(w.t.Context(), (today - 40).Start(), today.End())
	require.NoError(w.t, err)
	for _, s := range all {
		for _, c := range s.Chunks {
			r, err := c.Open(w.t.Context())
			require.NoError(w.t, err)
			for _, e := range chunk.ReadAll(nil, r) {
				got[key(s.Labels.Get("app"), e.Timestamp, string(e.Line))]++
				may, err := c.(storage.Filtered).MayContain(w.t.Context(), e.Line)
				require.NoError(w.t, err)
				require.True(w.t, may)
			}
			r.Close()
		}
	}
	return got
}

// check holds what is there against what must be, however often it is there.
func (w *world) check() {
	w.t.Helper()
	got := w.read()
	for k := range got {
		got[k] = 1
	}
	require.Equal(w.t, w.want, got)
}

func (w *world) objects() (names []string) {
	require.NoError(w.t, w.bucket.Bucket.Iter(w.t.Context(), "", func(n string) error {
		names = append(names, n)
		return nil
	}, objstore.WithRecursiveIter()))
	return names
}

// faultyBucket stops working after some operations, as when the process is killed: some of them take effect without saying so.
type faultyBucket struct {
	objstore.Bucket
	mu    sync.Mutex // guards left and dead
	left  int        // operations until it stops; 0 = it works
	dead  bool
	after bool // the last operation takes effect
}

var errKilled = errors.New("killed")

func (b *faultyBucket) step(effect func() error) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.dead {
		return errKilled
	}
	if b.left > 0 {
		if b.left--; b.left == 0 {
			b.dead = true
			if b.after && effect != nil {
				_ = effect()
			}
			return errKilled
		}
	}
	return nil
}

func (b *faultyBucket) Upload(ctx context.Context, name string, r io.Reader, opts ...objstore.ObjectUploadOption) error {
	data, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	do := func() error { return b.Bucket.Upload(ctx, name, bytes.NewReader(data), opts...) }
	if err := b.step(do); err != nil {
		return err
	}
	return do()
}

func (b *faultyBucket) Delete(ctx context.Context, name string) error {
	do := func() error { return b.Bucket.Delete(ctx, name) }
	if err := b.step(do); err != nil {
		return err
	}
	return do()
}

func (b *faultyBucket) Get(ctx context.Context, name string) (io.ReadCloser, error) {
	if err := b.step(nil); err != nil {
		return nil, err
	}
	return b.Bucket.Get(ctx, name)
}

func (b *faultyBucket) GetRange(ctx context.Context, name string, off, length int64) (io.ReadCloser, error) {
	if err := b.step(nil); err != nil {
		return nil, err
	}
	return b.Bucket.GetRange(ctx, name, off, length)
}

func (b *faultyBucket) Iter(ctx context.Context, dir string, f func(string) error, opts ...objstore.IterOption) error {
	if err := b.step(nil); err != nil {
		return err
	}
	return b.Bucket.Iter(ctx, dir, f, opts...)
}

// Wherever compaction is interrupted, nothing is lost and nothing comes back; and when it is let alone it ends with one segment per day,
// every entry once, and nothing left over.
func TestInterruptedAnywhere(t *testing.T) {
	for seed := range race.Cases(uint64(30)) {
		w := newWorld(t, seed)
		for range 12 {
			for range w.r.IntN(5) {
				w.push(today - segment.Day(w.r.IntN(3)))
			}
			w.bucket.left, w.bucket.after = 1+w.r.IntN(60), w.r.IntN(2) == 0
			c := w.compactor(nil)
			for range 2 {
				if _, err := c.Pass(t.Context()); err != nil {
					require.ErrorIs(t, err, errKilled)
				}
				w.pass(time.Duration(w.r.IntN(20)) * time.Minute)
			}
			w.bucket.left, w.bucket.dead = 0, false
			w.check()
		}
		w.pass(48 * time.Hour)
		c := w.compactor(nil)
		for range 4 {
			_, err := c.Pass(t.Context())
			require.NoError(t, err)
			w.pass(time.Hour)
			w.check()
		}
		require.Equal(t, w.want, w.read(), "every entry once")
		days := map[string]int{}
		for _, n := range w.objects() {
			require.True(t, strings.HasSuffix(n, segment.Extension), n)
			days[strings.Split(n, "/")[1]]++
		}
		for d, n := range days {
			require.Equal(t, 1, n, d)
		}
	}
}

// Two compactors that know nothing of each other lose nothing.
func TestTwoCompactors(t *testing.T) {
	for seed := range race.Cases(uint64(20)) {
		w := newWorld(t, seed)
		a, b := w.compactor(nil), w.compactor(nil)
		for range 20 {
			w.push(today)
			for _, c := range []*Compactor{a, b} {
				if w.r.IntN(2) == 0 {
					w.bucket.left, w.bucket.after = w.r.IntN(40), w.r.IntN(2) == 0
					_, _ = c.Pass(t.Context())
					w.bucket.left, w.bucket.dead = 0, false
				}
			}
			w.pass(10 * time.Minute)
			w.check()
		}
	}
}

// Compaction and a catalog that is behind by less than the grace period agree: what the old snapshot pins can still be read.
func TestGrace(t *testing.T) {
	w := newWorld(t, 1)
	for range 8 {
		w.push(today)
	}
	snap, err := w.catalog().Snapshot(t.Context(), "t", today.Start(), today.End())
	require.NoError(t, err)
	old, err := snap.Select(t.Context(), today.Start(), today.End())
	require.NoError(t, err)
	c := w.compactor(func(o *Options) { o.Grace = 30 * time.Minute })
	result, err := c.Pass(t.Context())
	require.NoError(t, err)
	require.Positive(t, result.Merges)
	require.Equal(t, result.Sources, result.Waiting)
	w.pass(20 * time.Minute)
	_, err = c.Pass(t.Context())
	require.NoError(t, err)
	for _, s := range old {
		for _, ch := range s.Chunks {
			r, err := ch.Open(t.Context())
			require.NoError(t, err)
			r.Close()
		}
	}
	w.pass(20 * time.Minute)
	after, err := c.Pass(t.Context())
	require.NoError(t, err)
	require.Equal(t, result.Sources, after.Deleted)
	require.Zero(t, after.Waiting)
	w.check()
}

// TestSleepingMachine: a merge over which the machine slept is given up, because what is deleted meanwhile would come back with it, and made again.
func TestSleepingMachine(t *testing.T) {
	w := newWorld(t, 1)
	for range 4 {
		w.push(today)
	}
	c := w.compactor(nil)
	var asked atomic.Int64
	c.wall = func() time.Time {
		return w.now.Add(time.Duration(asked.Add(1)/3) * 5 * time.Hour) // between the first merge's beginning and its end
	}
	before := w.objects()
	_, err := c.Pass(t.Context())
	require.ErrorContains(t, err, "a merge took 5h0m0s, at most 1h0m0s are possible")
	require.Equal(t, before, w.objects())
	c.wall = w.clock
	result, err := c.Pass(t.Context())
	require.NoError(t, err)
	require.Equal(t, 1, result.Merges)
	w.check()
}

// sleepingBucket lets the machine sleep while a segment is uploaded, which goes on afterwards as long as it may.
type sleepingBucket struct {
	objstore.Bucket
	sleep func()
}

func (b *sleepingBucket) Upload(ctx context.Context, name string, r io.Reader, opts ...objstore.ObjectUploadOption) error {
	if strings.HasSuffix(name, segment.Extension) {
		b.sleep()
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(10 * time.Second):
		}
	}
	return b.Bucket.Upload(ctx, name, r, opts...)
}

// TestSleepingUpload: a merge is given up as well when the machine slept over its upload.
func TestSleepingUpload(t *testing.T) {
	w := newWorld(t, 1)
	for range 4 {
		w.push(today)
	}
	before := w.objects()
	var slept atomic.Int64
	c := w.compactor(func(o *Options) {
		o.Bucket = &sleepingBucket{o.Bucket, func() { slept.Store(int64(5 * time.Hour)) }}
	})
	c.wall = func() time.Time { return time.Unix(1_700_000_000, slept.Load()) }
	_, err := c.Pass(t.Context())
	require.ErrorIs(t, err, context.Canceled)
	require.Equal(t, before, w.objects())
}

// erase is a plan of a test: app-0 goes, of app-1 the lines with an even length go, app-2 stays.
type erase struct{ id string }

func (e erase) Plan(context.Context, string, segment.Day) (Plan, error)   { return e, nil }
func (e erase) Urgent(context.Context, string, segment.Day) (bool, error) { return false, nil }

func (e erase) Expired(n segment.Name) bool { return n.Day < today-20 }
func (e erase) Rewrite(_ context.Context, r *segment.Reader) (bool, error) {
	return !slices.Contains(r.Footer().Deletes, e.id), nil
}
func (e erase) Deletes() []string { return []string{e.id} }
func (e erase) Chunk(_ context.Context, ls labels.Labels, _ segment.ChunkRef) (Decision, KeepRow, error) {
	switch ls.Get("app") {
	case "app-0":
		return EraseAll, nil, nil
	case "app-1":
		return EraseRows, func(r chunk.Reader, row int) bool { return len(r.Line(row, nil))%2 == 1 }, nil
	}
	return KeepAll, nil, nil
}

func (e erase) keeps(k string) bool {
	app, rest, _ := strings.Cut(k, " ")
	_, line, _ := strings.Cut(rest, " ")
	return app != "app-0" && (app != "app-1" || len(line)%2 == 1)
}

// What is to be erased is gone from the objects after the grace period, and only that.
func TestErase(t *testing.T) {
	w := newWorld(t, 5)
	for range 9 {
		w.push(today)
		w.push(today - 30)
	}
	w.write(streams{"app-0": {{Timestamp: (today - 3).Start(), Line: []byte("all of a day")}}}, 1)
	e := erase{"d1"}
	c := w.compactor(func(o *Options) { o.Eraser = e })
	for range 3 {
		_, err := c.Pass(t.Context())
		require.NoError(t, err)
		w.pass(time.Hour)
	}
	for k := range w.want {
		ts := strings.Split(k, " ")[1]
		if !e.keeps(k) || ts < fmt.Sprint((today-20).Start()) {
			delete(w.want, k)
		}
	}
	w.check()
	for _, n := range w.objects() {
		require.True(t, strings.HasPrefix(n, segment.DayDir("t", today)), "%s is left", n)
	}
	before := w.objects()
	result, err := c.Pass(t.Context())
	require.NoError(t, err)
	require.Zero(t, result.Merges, "what was written with the plan is not written again")
	require.Equal(t, before, w.objects())
}

// Large chunks are copied byte for byte, small ones become 1–4 MiB.
func TestChunkSizes(t *testing.T) {
	w := newWorld(t, 7)
	ts := today.Start()
	entries := func(bytes int) (out []chunk.Entry) {
		for n := 0; n < bytes; n += 1000 {
			ts += 1e6
			line := make([]byte, 1000)
			for i := range line {
				line[i] = "0123456789abcdef"[w.r.IntN(16)]
			}
			out = append(out, chunk.Entry{Timestamp: ts, Line: line})
		}
		return out
	}
	large := map[uint64]chunk.Meta{}
	for i := range 6 {
		in := streams{"large": entries(2500 << 10), "small": entries(300 << 10), "tiny": entries(1000)}
		w.write(in, 1<<20)
		large[w.order-2] = chunk.Meta{}
		_ = i
	}
	c := w.compactor(nil)
	result, err := c.Pass(t.Context())
	require.NoError(t, err)
	require.Equal(t, 1, result.Merges)
	w.check()
	snap, err := w.catalog().Snapshot(t.Context(), "t", today.Start(), today.End())
	require.NoError(t, err)
	all, err := snap.Select(t.Context(), today.Start(), today.End())
	require.NoError(t, err)
	for _, s := range all {
		switch s.Labels.Get("app") {
		case "large":
			require.Len(t, s.Chunks, 6)
			for _, ch := range s.Chunks {
				require.Contains(t, large, ch.Meta().Order)
				require.Equal(t, chunk.EncodingPlain, ch.Meta().Encoding)
			}
		case "small":
			require.Len(t, s.Chunks, 1)
		case "tiny":
			require.Len(t, s.Chunks, 1)
		}
		for _, ch := range s.Chunks {
			require.LessOrEqual(t, ch.Meta().RawBytes, int64(4<<20))
		}
	}
}

// A damaged segment does not keep the others from being merged, and stays.
func TestDamagedSource(t *testing.T) {
	w := newWorld(t, 9)
	for range 8 {
		w.push(today)
	}
	victim := w.objects()[3]
	data, err := io.ReadAll(must(w.bucket.Bucket.Get(t.Context(), victim)))
	require.NoError(t, err)
	data[20] ^= 1
	require.NoError(t, w.bucket.Bucket.Upload(t.Context(), victim, bytes.NewReader(data)))
	c := w.compactor(nil)
	for range 3 {
		_, err = c.Pass(t.Context())
		require.NoError(t, err)
		w.pass(time.Hour)
	}
	left := w.objects()
	require.Len(t, left, 2)
	require.Contains(t, left, victim)
}

// TestLease: who has something to do takes the lease, and the others leave it to them; who has nothing to do takes and writes nothing.
func TestLease(t *testing.T) {
	w := newWorld(t, 3)
	lease := func(owner string) func(*Options) {
		return func(o *Options) { o.Owner, o.Interval, o.MinSources = owner, time.Minute, 2 }
	}
	a, b := w.compactor(lease("a")), w.compactor(lease("b"))
	pass := func(c *Compactor) (works bool, merges int) {
		r, err := c.Pass(t.Context())
		require.NoError(t, err)
		return !r.Elsewhere, r.Merges
	}
	idle := func(c *Compactor) {
		works, merges := pass(c)
		require.True(t, works)
		require.Zero(t, merges)
	}
	busy := func(c *Compactor) {
		for range 3 {
			w.push(today)
		}
		works, merges := pass(c)
		require.True(t, works)
		require.Positive(t, merges)
	}
	elsewhere := func(c *Compactor) {
		works, _ := pass(c)
		require.False(t, works)
	}
	idle(a)
	idle(b)
	require.NotContains(t, w.objects(), LeaseName)
	busy(a)
	elsewhere(b)
	idle(a)
	elsewhere(b)
	w.pass(4 * time.Minute)
	idle(b)
	busy(a)
	w.pass(4 * time.Minute)
	busy(b)
	elsewhere(a)
	require.NoError(t, w.bucket.Upload(t.Context(), LeaseName, strings.NewReader("rubbish")))
	idle(a)
}

func TestPick(t *testing.T) {
	opts, err := Options{Bucket: objstore.NewInMemBucket(), Catalog: catalog.New(catalog.Options{})}.withDefaults()
	require.NoError(t, err)
	const mib = 1 << 20
	for name, c := range map[string]struct {
		sizes   []int64
		settled bool
		want    []int64
	}{
		"too few":             {[]int64{1 * mib, 1 * mib, 1 * mib}, false, nil},
		"enough":              {[]int64{3 * mib, 2 * mib, 4 * mib, 3 * mib, 1 * mib}, false, []int64{3 * mib, 2 * mib, 4 * mib, 3 * mib}},
		"of one tier":         {[]int64{1, 60 * mib, 2, 60 * mib, 3, 60 * mib, 4}, false, []int64{1, 2, 3, 4}},
		"settled":             {[]int64{1 * mib, 2 * mib}, true, []int64{1 * mib, 2 * mib}},
		"settled, one":        {[]int64{1 * mib}, true, nil},
		"settled, unbalanced": {[]int64{100 * mib, 1 * mib, 1 * mib}, true, []int64{1 * mib, 1 * mib}},
		"settled, not worth":  {[]int64{100 * mib, 1 * mib}, true, nil},
		"settled, large":      {[]int64{200 * mib, 200 * mib}, true, nil},
		"settled, not all":    {[]int64{120 * mib, 110 * mib, 100 * mib}, true, []int64{100 * mib, 110 * mib}},
	} {
		t.Run(name, func(t *testing.T) {
			var all []candidate
			for i, s := range c.sizes {
				n := segment.Name{}
				n.ID[5] = byte(i)
				all = append(all, candidate{name: n, size: s})
			}
			var got []int64
			for _, j := range pick(all, c.settled, &opts) {
				got = append(got, j.size)
			}
			require.Equal(t, c.want, got)
		})
	}
}

func TestRunStops(t *testing.T) {
	w := newWorld(t, 4)
	for range 6 {
		w.push(today)
	}
	c := w.compactor(func(o *Options) { o.Interval, o.Now = time.Millisecond, nil })
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		c.Run(ctx)
		close(done)
	}()
	time.Sleep(20 * time.Millisecond)
	cancel()
	<-done
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
