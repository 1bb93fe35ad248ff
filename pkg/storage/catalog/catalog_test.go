package catalog

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
	"testing"
	"time"

	"github.com/cespare/xxhash/v2"
	"github.com/oklog/ulid/v2"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/stretchr/testify/require"
	"github.com/thanos-io/objstore"

	"github.com/cambium-logs/cambium/pkg/internal/idle"
	"github.com/cambium-logs/cambium/pkg/storage"
	"github.com/cambium-logs/cambium/pkg/storage/chunk"
	"github.com/cambium-logs/cambium/pkg/storage/segment"
)

const nanosPerDay = int64(24 * time.Hour)

// today is the day on which all tests run.
var today = segment.DayOf(1_790_000_000_000_000_000)

// pagedBucket lists as stores do: page by page, while others write, and in any order, as directories are read. Between pages it calls between.
type pagedBucket struct {
	objstore.Bucket
	mu       sync.Mutex
	pageSize int // 0 = all at once
	between  func()
	fail     error
	listed   int
}

func (b *pagedBucket) Iter(ctx context.Context, dir string, f func(string) error, opts ...objstore.IterOption) error {
	b.mu.Lock()
	b.listed++
	fail, pageSize, between := b.fail, b.pageSize, b.between
	b.mu.Unlock()
	if fail != nil {
		return fail
	}
	for after := uint64(0); ; {
		byHash := map[uint64]string{}
		if err := b.Bucket.Iter(ctx, dir, func(n string) error {
			if h := xxhash.Sum64String(n); h > after {
				byHash[h] = n
			}
			return nil
		}, opts...); err != nil {
			return err
		}
		page := slices.Sorted(maps.Keys(byHash))
		if pageSize > 0 && len(page) > pageSize {
			page = page[:pageSize]
		}
		for _, h := range page {
			after = h
			if err := f(byHash[h]); err != nil {
				return err
			}
		}
		if pageSize == 0 || len(page) < pageSize {
			return nil
		}
		between()
	}
}

// store writes segments as engines and compactions do, and remembers what queries have to show.
type store struct {
	t       testing.TB
	bucket  objstore.Bucket
	next    int
	want    map[string]struct{} // lines
	written []ulid.ULID
	live    map[ulid.ULID]segment.Info
	gone    map[ulid.ULID]segment.Info // replaced, but not deleted yet
}

func newStore(t testing.TB, b objstore.Bucket) *store {
	return &store{t: t, bucket: b, want: map[string]struct{}{}, live: map[ulid.ULID]segment.Info{}, gone: map[ulid.ULID]segment.Info{}}
}

type streamLines map[string][]chunk.Entry // by app

func (s *store) write(opts segment.WriterOptions, lines streamLines) segment.Info {
	opts.Tenant = "t"
	info, err := segment.Create(s.t.Context(), s.bucket, s.t.TempDir(), opts, func(w *segment.Writer) error {
		for _, app := range slices.Sorted(maps.Keys(lines)) {
			data, meta, err := chunk.Encode(nil, chunk.EncodingPlain, chunk.Normalize(lines[app]), uint64(s.next))
			require.NoError(s.t, err)
			if err := w.Append(labels.FromStrings("app", app), segment.EncodedChunk{Meta: meta, Data: data}); err != nil {
				return err
			}
		}
		return nil
	})
	require.NoError(s.t, err)
	s.live[info.Name.ID] = info
	s.written = append(s.written, info.Name.ID)
	return info
}

// push writes a segment with new lines.
func (s *store) push(r *rand.Rand, day segment.Day) segment.Info {
	lines := streamLines{}
	for range 1 + r.IntN(4) {
		s.next++
		app := fmt.Sprintf("app-%d", r.IntN(3))
		line := fmt.Sprintf("%s line %d", app, s.next)
		s.want[line] = struct{}{}
		lines[app] = append(lines[app], chunk.Entry{Timestamp: day.Start() + r.Int64N(nanosPerDay), Line: []byte(line)})
	}
	return s.write(segment.WriterOptions{Level: r.IntN(2)}, lines)
}

// merge writes a segment that replaces others, without marking them.
func (s *store) merge(sources []segment.Info) segment.Info {
	lines := streamLines{}
	opts := segment.WriterOptions{Level: segment.LevelMerged}
	for _, src := range sources {
		opts.Sources = append(opts.Sources, src.Name.ID)
		opts.Level = min(max(opts.Level, src.Name.Level+1), 99)
		r, err := segment.Open(s.t.Context(), s.bucket, src.Name, src.Size)
		require.NoError(s.t, err)
		require.NoError(s.t, r.Streams(s.t.Context(), func(st segment.Stream) error {
			for _, c := range st.Chunks {
				cr, err := c.Open(s.t.Context())
				require.NoError(s.t, err)
				lines[st.Labels.Get("app")] = chunk.ReadAll(lines[st.Labels.Get("app")], cr)
				cr.Close()
			}
			return nil
		}))
	}
	return s.write(opts, lines)
}

func (s *store) mark(infos []segment.Info) {
	for _, i := range infos {
		if _, ok := s.live[i.Name.ID]; !ok {
			continue
		}
		require.NoError(s.t, s.bucket.Upload(s.t.Context(), i.Name.GonePath(), strings.NewReader("{}")))
		delete(s.live, i.Name.ID)
		s.gone[i.Name.ID] = i
	}
}

// sweep deletes marked segments and their markers.
func (s *store) sweep() {
	for id, i := range s.gone {
		require.NoError(s.t, s.bucket.Delete(s.t.Context(), i.Name.Path()))
		require.NoError(s.t, s.bucket.Delete(s.t.Context(), i.Name.GonePath()))
		delete(s.gone, id)
	}
}

// liveOf gives some of the unmarked segments of one day.
func (s *store) liveOf(r *rand.Rand, day segment.Day) (out []segment.Info) {
	for _, id := range s.written {
		if i, ok := s.live[id]; ok && i.Name.Day == day && r.IntN(2) == 0 {
			out = append(out, i)
		}
	}
	return out
}

func lines(t testing.TB, snap storage.Snapshot) map[string]struct{} {
	t.Helper()
	got := map[string]struct{}{}
	streams, err := snap.Select(t.Context(), (today - 40).Start(), (today + 2).End())
	require.NoError(t, err)
	for _, st := range streams {
		for _, c := range st.Chunks {
			r, err := c.Open(t.Context())
			require.NoError(t, err)
			for _, e := range chunk.ReadAll(nil, r) {
				require.True(t, strings.HasPrefix(string(e.Line), st.Labels.Get("app")))
				got[string(e.Line)] = struct{}{}
			}
			r.Close()
		}
	}
	return got
}

func (s *store) check(c *Catalog) {
	s.t.Helper()
	snap, err := c.Snapshot(s.t.Context(), "t", (today - 40).Start(), (today + 2).End())
	require.NoError(s.t, err)
	defer snap.Close()
	got := lines(s.t, snap)
	require.Equal(s.t, s.want, got)
}

// testCatalog has a clock of its own, which every look moves on, so that no listing is fresh unless a test wants it.
func testCatalog(b objstore.BucketReader, opts Options) (*Catalog, *time.Time) {
	now := time.Unix(0, today.Start()).Add(time.Hour)
	var mu sync.Mutex
	opts.Bucket = b
	opts.Now = func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		now = now.Add(time.Millisecond)
		return now
	}
	c := New(opts)
	c.idle = idle.NewSet[place](2) // what there is nothing of is forgotten soon
	return c, &now
}

// Whatever is written, compacted, marked and deleted, also between the pages of a listing: every catalog shows every line,
// whether it wrote the segments itself or finds them by listing.
func TestRandomOperations(t *testing.T) {
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 1))
		inner := objstore.NewInMemBucket()
		b := &pagedBucket{Bucket: inner, pageSize: 1 + r.IntN(3)}
		s := newStore(t, inner)
		fresh := Options{Concurrency: 1, LiveStaleness: time.Nanosecond, ClosedStaleness: time.Nanosecond, ReaderMemory: int64(1 + r.IntN(200_000))}
		writer, _ := testCatalog(b, Options{Exclusive: true, Concurrency: 1})
		late, _ := testCatalog(b, fresh)
		days := []segment.Day{today, today - 1, today - 30}
		var pending [][]segment.Info // merged but not marked
		step := func() {
			day := days[r.IntN(len(days))]
			askForNothing(t, r, writer)
			switch r.IntN(6) {
			case 0, 1:
				writer.Add(s.push(r, day))
			case 2:
				if sources := s.liveOf(r, day); len(sources) > 0 {
					writer.Add(s.merge(sources))
					pending = append(pending, sources)
				}
			case 3:
				for _, sources := range pending {
					s.mark(sources)
					for _, i := range sources {
						writer.Remove(i.Name)
					}
				}
				pending = nil
			case 4:
				s.sweep()
			}
		}
		// While a listing runs nothing is deleted whose replacement is younger than the listing: the grace period sees to that.
		b.between = func() {
			day := days[r.IntN(len(days))]
			switch r.IntN(8) {
			case 0:
				if sources := s.liveOf(r, day); len(sources) > 0 {
					writer.Add(s.merge(sources))
					s.mark(sources)
					for _, i := range sources {
						writer.Remove(i.Name)
					}
				}
			case 1:
				if sources := s.liveOf(r, day); len(sources) > 0 {
					writer.Add(s.merge(sources))
					pending = append(pending, sources)
				}
			}
		}
		for range 40 {
			step()
			switch r.IntN(3) {
			case 0:
				s.check(late)
			case 1:
				s.check(writer)
			}
		}
		s.check(late)
		s.check(writer)
		started, _ := testCatalog(b, fresh)
		s.check(started)
	}
}

func TestSnapshotIsPinned(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	s := newStore(t, objstore.NewInMemBucket())
	c, _ := testCatalog(s.bucket, Options{})
	a, b := s.push(r, today), s.push(r, today)
	c.Add(a)
	c.Add(b)
	snap, err := c.Snapshot(t.Context(), "t", today.Start(), today.End())
	require.NoError(t, err)
	want := maps.Clone(s.want)
	c.Add(s.push(r, today))
	require.Equal(t, want, lines(t, snap), "what came later is not in it")

	// A reader that is slower than the grace period finds the same lines in what replaced its segments.
	slow, _ := testCatalog(s.bucket, Options{})
	snap, err = slow.Snapshot(t.Context(), "t", today.Start(), today.End())
	require.NoError(t, err)
	s.merge([]segment.Info{a, b})
	s.mark([]segment.Info{a, b})
	s.sweep()
	require.Equal(t, s.want, lines(t, snap))
}

func TestListsOnlyWhatIsNeeded(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 2))
	b := &pagedBucket{Bucket: objstore.NewInMemBucket()}
	s := newStore(t, b)
	for d := range segment.Day(30) {
		s.push(r, today-d)
	}
	c, now := testCatalog(b, Options{LiveStaleness: time.Second, ClosedStaleness: time.Minute})
	snapshot := func(from, to segment.Day) int {
		snap, err := c.Snapshot(t.Context(), "t", from.Start(), to.End())
		require.NoError(t, err)
		return len(snap.Segments())
	}
	require.Zero(t, b.listed)
	require.Equal(t, 1, snapshot(today, today))
	require.Equal(t, 1, b.listed)
	require.Equal(t, 1, snapshot(today, today))
	require.Equal(t, 1, b.listed, "fresh enough")
	*now = now.Add(2 * time.Second)
	require.Equal(t, 1, snapshot(today, today))
	require.Equal(t, 2, b.listed, "live days are listed again")
	require.Equal(t, 1, snapshot(today-20, today-20))
	require.Equal(t, 3, b.listed)
	*now = now.Add(20 * time.Second)
	require.Equal(t, 1, snapshot(today-20, today-20))
	require.Equal(t, 3, b.listed, "closed days are not")
	require.Equal(t, 30, snapshot(today-100_000, today+100_000))
	require.Equal(t, 3+1+29, b.listed, "one listing of days, one per day that exists and is not fresh")
	tenants, err := c.Tenants(t.Context())
	require.NoError(t, err)
	require.Equal(t, []string{"t"}, tenants)
	require.InDelta(t, 1+3+1+29, testutil.ToFloat64(c.metrics.listings), 0)

	exclusive, enow := testCatalog(b, Options{Exclusive: true, Concurrency: 1})
	b.listed = 0
	for range 3 {
		snap, err := exclusive.Snapshot(t.Context(), "t", today.Start(), today.End())
		require.NoError(t, err)
		require.Len(t, snap.Segments(), 1)
		*enow = enow.Add(time.Hour)
	}
	require.Equal(t, 1, b.listed)
}

func TestDamagedSegmentFailsOnlyWhoNeedsIt(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	s := newStore(t, objstore.NewInMemBucket())
	s.push(r, today-1)
	want := maps.Clone(s.want)
	bad := s.merge([]segment.Info{s.push(r, today)})
	require.NoError(t, s.bucket.Upload(t.Context(), bad.Name.Path(), bytes.NewReader([]byte("not a segment at all, but long enough"))))
	require.NoError(t, s.bucket.Upload(t.Context(), segment.DayDir("t", today)+"foreign.seg", strings.NewReader("x")))
	c, _ := testCatalog(s.bucket, Options{})
	snap, err := c.Snapshot(t.Context(), "t", (today - 1).Start(), (today - 1).End())
	require.NoError(t, err)
	require.Equal(t, want, lines(t, snap))
	snap, err = c.Snapshot(t.Context(), "t", (today - 1).Start(), today.End())
	require.NoError(t, err)
	_, err = snap.Select(t.Context(), 0, today.End())
	require.ErrorContains(t, err, bad.Name.Path())
	require.True(t, segment.IsCorrupt(err))
	_, err = snap.LabelNames(t.Context(), 0, today.End())
	require.ErrorContains(t, err, bad.Name.Path())
	require.InDelta(t, 1, testutil.ToFloat64(c.metrics.unknownObjects), 0)
}

func TestListingFails(t *testing.T) {
	b := &pagedBucket{Bucket: objstore.NewInMemBucket(), fail: errors.New("store is down")}
	c, _ := testCatalog(b, Options{})
	_, err := c.Snapshot(t.Context(), "t", today.Start(), today.End())
	require.ErrorContains(t, err, "store is down")
	_, err = c.Days(t.Context(), "t")
	require.ErrorContains(t, err, "store is down")
	_, err = c.Snapshot(t.Context(), "../t", today.Start(), today.End())
	require.Error(t, err)
	b.fail = nil
	_, err = c.Snapshot(t.Context(), "t", today.Start(), today.End())
	require.NoError(t, err)
}

// slowBucket lets opens wait until they are released.
type slowBucket struct {
	objstore.Bucket
	release chan struct{}
	mu      sync.Mutex
	reads   int
}

func (b *slowBucket) GetRange(ctx context.Context, name string, off, length int64) (io.ReadCloser, error) {
	b.mu.Lock()
	b.reads++
	b.mu.Unlock()
	select {
	case <-b.release:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	return b.Bucket.GetRange(ctx, name, off, length)
}

func TestReadersAreShared(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 4))
	b := &slowBucket{Bucket: objstore.NewInMemBucket(), release: make(chan struct{})}
	s := newStore(t, b)
	info := s.push(r, today)
	c, _ := testCatalog(b, Options{})
	c.Add(info)

	// The first caller gives up; the others get what one of them opens.
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	first := make(chan error, 1)
	wg.Go(func() {
		_, err := c.Reader(ctx, info.Name)
		first <- err
	})
	for {
		b.mu.Lock()
		n := b.reads
		b.mu.Unlock()
		if n > 0 {
			break
		}
		time.Sleep(time.Millisecond)
	}
	readers := make([]*segment.Reader, 8)
	for i := range readers {
		wg.Go(func() {
			var err error
			readers[i], err = c.Reader(t.Context(), info.Name)
			if err != nil {
				t.Error(err)
			}
		})
	}
	cancel()
	require.ErrorIs(t, <-first, context.Canceled)
	close(b.release)
	wg.Wait()
	for _, got := range readers {
		require.Same(t, readers[0], got)
	}
}
