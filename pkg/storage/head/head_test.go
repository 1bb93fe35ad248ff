package head

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/cambium-logs/cambium/pkg/storage/chunk"
	"github.com/cambium-logs/cambium/pkg/storage/segment"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func newHead(t testing.TB, opts Options) *Head {
	h := New(opts)
	t.Cleanup(h.Close)
	return h
}

// push reserves, resolves and applies.
func push(t testing.TB, h *Head, tenant string, streams ...pushed) {
	t.Helper()
	var n int
	var raw int64
	sets := make([]labels.Labels, len(streams))
	batches := make([]Batch, len(streams))
	for i, s := range streams {
		sets[i], batches[i].Entries = s.labels, s.entries
		n += len(s.entries)
		for _, e := range s.entries {
			raw += int64(len(e.Line))
		}
	}
	room, err := h.Reserve(n, raw)
	require.NoError(t, err)
	for i, s := range h.Resolve(tenant, sets) {
		batches[i].Series = s
	}
	h.Apply(tenant, room, batches)
}

type pushed struct {
	labels  labels.Labels
	entries []chunk.Entry
}

func line(ts int64, text string, md ...string) chunk.Entry {
	e := chunk.Entry{Timestamp: ts, Line: []byte(text)}
	for i := 0; i+1 < len(md); i += 2 {
		e.Metadata = append(e.Metadata, labels.Label{Name: md[i], Value: md[i+1]})
	}
	return e
}

// contents reads a snapshot: per stream its entries in order, each once, as a query shows them.
func contents(t testing.TB, snap *Snapshot, mint, maxt int64, ms ...*labels.Matcher) map[string][]string {
	t.Helper()
	streams, err := snap.Select(context.Background(), mint, maxt, ms...)
	require.NoError(t, err)
	out := map[string][]string{}
	for i, s := range streams {
		if i > 0 {
			require.Negative(t, labels.Compare(streams[i-1].Labels, s.Labels))
		}
		var all []chunk.Entry
		for k, c := range s.Chunks {
			m := c.Meta()
			if k > 0 {
				require.LessOrEqual(t, s.Chunks[k-1].Meta().Order, m.Order)
			}
			all = append(all, checkChunk(t, c.Meta(), mustOpen(t, c))...)
		}
		for _, e := range chunk.Normalize(all) {
			if e.Timestamp >= mint && e.Timestamp <= maxt {
				out[s.Labels.String()] = append(out[s.Labels.String()], show(e))
			}
		}
	}
	return out
}

func mustOpen(t testing.TB, c interface {
	Open(context.Context) (chunk.Reader, error)
}) chunk.Reader {
	r, err := c.Open(context.Background())
	require.NoError(t, err)
	return r
}

// checkChunk holds a chunk to the contract of chunk.Reader and chunk.Meta.
func checkChunk(t testing.TB, m chunk.Meta, r chunk.Reader) []chunk.Entry {
	t.Helper()
	defer r.Close()
	entries := chunk.ReadAll(nil, r)
	for i := range entries { // views share the head's memory; what outlives the test's snapshot must not
		entries[i].Line = bytes.Clone(entries[i].Line)
	}
	want, err := chunk.DescribeEntries(slices.Clone(entries), m.Order)
	require.NoError(t, err)
	want.Encoding, want.StoredBytes = m.Encoding, m.StoredBytes
	require.Equal(t, want, m)
	require.Len(t, chunk.Normalize(slices.Clone(entries)), len(entries), "no two rows are equal")
	return entries
}

func show(e chunk.Entry) string {
	if len(e.Metadata) == 0 {
		return fmt.Sprintf("%d %s", e.Timestamp, e.Line)
	}
	return fmt.Sprintf("%d %s %v", e.Timestamp, e.Line, e.Metadata)
}

// model is the same store, simply.
type model map[string][]chunk.Entry

func (m model) add(ls labels.Labels, entries []chunk.Entry) {
	for _, e := range entries {
		m[ls.String()] = append(m[ls.String()], chunk.Entry{Timestamp: e.Timestamp, Line: bytes.Clone(e.Line), Metadata: e.Metadata})
	}
}

func (m model) clone() model {
	out := model{}
	for k, v := range m {
		out[k] = slices.Clone(v)
	}
	return out
}

func (m model) contents(mint, maxt int64) map[string][]string {
	out := map[string][]string{}
	for k, v := range m {
		for _, e := range chunk.Normalize(slices.Clone(v)) {
			if e.Timestamp >= mint && e.Timestamp <= maxt {
				out[k] = append(out[k], show(e))
			}
		}
	}
	return out
}

func randomPush(r *rand.Rand, clock *int64) pushed {
	p := pushed{labels: labels.FromStrings("app", fmt.Sprint(r.IntN(4)), "level", []string{"info", "error"}[r.IntN(2)])}
	for range r.IntN(12) {
		switch r.IntN(10) {
		case 0: // late
			p.entries = append(p.entries, line(*clock-r.Int64N(int64(40*time.Hour)), fmt.Sprint("late ", r.IntN(5))))
			continue
		case 1, 2, 3: // the same nanosecond
		default:
			*clock += r.Int64N(int64(10 * time.Minute))
		}
		e := line(*clock, strings.Repeat("x", r.IntN(40))+fmt.Sprint(r.IntN(3)))
		if r.IntN(4) == 0 {
			e.Metadata = []labels.Label{{Name: "trace", Value: fmt.Sprint(r.IntN(3))}}
		}
		p.entries = append(p.entries, e)
		if r.IntN(8) == 0 {
			p.entries = append(p.entries, e)
		}
	}
	return p
}

// TestSnapshotsShowTheirInstant: random pushes, seals, encodings and drops; every snapshot, whenever it is read, shows what a simple model
// held when it was taken, and what is flushed together with what is left is everything.
func TestSnapshotsShowTheirInstant(t *testing.T) {
	for seed := range uint64(30) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 1))
			h := newHead(t, Options{ChunkBytes: 1 + r.Int64N(600), Encoders: 2})
			clock := int64(1_700_000_000e9)
			everything, current := model{}, model{}
			flushed := model{}
			var sealed *Generation
			var inSealed model
			type taken struct {
				snap *Snapshot
				want model
			}
			var snaps []taken
			for range 150 {
				switch r.IntN(12) {
				case 0:
					want := current.clone()
					for k, v := range inSealed {
						want[k] = append(slices.Clone(v), want[k]...)
					}
					snaps = append(snaps, taken{h.Snapshot("t"), want})
				case 1:
					if sealed == nil {
						sealed, inSealed = h.Seal(), current
						current = model{}
					}
				case 2:
					if sealed != nil {
						collect(t, sealed, flushed)
						sealed.Drop("t")
						sealed, inSealed = nil, nil
					}
				case 3:
					if len(snaps) > 0 {
						i := r.IntN(len(snaps))
						checkSnapshot(t, r, snaps[i].snap, snaps[i].want, clock)
						if r.IntN(2) == 0 {
							snaps[i].snap.Close()
							snaps = slices.Delete(snaps, i, i+1)
						}
					}
				default:
					p := randomPush(r, &clock)
					push(t, h, "t", p)
					current.add(p.labels, p.entries)
					everything.add(p.labels, p.entries)
				}
			}
			for _, s := range snaps {
				checkSnapshot(t, r, s.snap, s.want, clock)
				s.snap.Close()
			}
			if sealed != nil {
				collect(t, sealed, flushed)
				sealed.Drop("t")
			}
			last := h.Seal()
			collect(t, last, flushed)
			last.Drop("t")
			requireSame(t, everything.contents(math.MinInt64, math.MaxInt64), flushed.contents(math.MinInt64, math.MaxInt64))
			require.Zero(t, h.Memory())
			require.Zero(t, h.RawBytes())
			for _, d := range h.tenant("t").pinned {
				t.Error("pinned without a snapshot", d)
			}
		})
	}
}

func checkSnapshot(t *testing.T, r *rand.Rand, snap *Snapshot, want model, clock int64) {
	t.Helper()
	mint, maxt := int64(math.MinInt64), int64(math.MaxInt64)
	if r.IntN(2) == 0 {
		mint, maxt = clock-r.Int64N(int64(20*time.Hour)), clock-r.Int64N(int64(10*time.Hour))
	}
	requireSame(t, want.contents(mint, maxt), contents(t, snap, mint, maxt))
	m := labels.MustNewMatcher(labels.MatchEqual, "app", "1")
	want = want.clone()
	for k := range want {
		if !strings.Contains(k, `app="1"`) {
			delete(want, k)
		}
	}
	requireSame(t, want.contents(mint, maxt), contents(t, snap, mint, maxt, m))
}

// collect adds a sealed generation's chunks to a model and checks what segments rely on.
func collect(t *testing.T, g *Generation, into model) {
	t.Helper()
	days, err := g.Encode(context.Background(), "t")
	require.NoError(t, err)
	for _, d := range days {
		byOrder := slices.Clone(d.Chunks)
		slices.SortStableFunc(byOrder, func(a, b StreamChunk) int { return cmp.Compare(a.Chunk.Meta.Order, b.Chunk.Meta.Order) })
		for _, c := range byOrder {
			r, err := chunk.Open(c.Chunk.Data, c.Chunk.Meta)
			require.NoError(t, err)
			into.add(c.Labels, checkChunk(t, c.Chunk.Meta, r))
		}
		for i, c := range d.Chunks {
			require.Equal(t, d.Day, segment.DayOf(c.Chunk.Meta.MinT))
			require.Equal(t, d.Day, segment.DayOf(c.Chunk.Meta.MaxT))
			if i > 0 {
				require.LessOrEqual(t, labels.Compare(d.Chunks[i-1].Labels, c.Labels), 0)
			}
		}
	}
}

// requireSame compares contents and shows the first difference only.
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
	return append(s[i:min(i+1, len(s)):min(i+1, len(s))], "nothing")[0]
}

func TestCollidingHashesAreDifferentStreams(t *testing.T) {
	h := newHead(t, Options{Hash: func(labels.Labels) uint64 { return 7 }, StreamIdle: time.Nanosecond})
	for i := range 20 {
		push(t, h, "t", pushed{labels.FromStrings("n", fmt.Sprint(i%10)), []chunk.Entry{line(int64(i), fmt.Sprint(i))}})
	}
	require.Equal(t, 10, h.ActiveStreams("t"))
	snap := h.Snapshot("t")
	got := contents(t, snap, 0, 100)
	snap.Close()
	require.Len(t, got, 10)
	require.Equal(t, []string{"3 3", "13 13"}, got[`{n="3"}`])

	h.Seal().Drop("t")
	push(t, h, "t", pushed{labels.FromStrings("n", "4"), []chunk.Entry{line(1, "x")}})
	g := h.Seal() // forgets the idle ones, of which nothing is left
	require.Equal(t, 1, h.ActiveStreams("t"))
	require.True(t, h.HasStream("t", labels.FromStrings("n", "4")))
	require.False(t, h.HasStream("t", labels.FromStrings("n", "5")))
	g.Drop("t")
}

func TestFullHeadRefuses(t *testing.T) {
	h := newHead(t, Options{MaxBytes: 10_000})
	_, err := h.Reserve(1, 20_000)
	require.ErrorIs(t, err, ErrTooLarge)
	accepted := 0
	for ; ; accepted++ {
		room, err := h.Reserve(1, 1000)
		if err != nil {
			require.ErrorIs(t, err, ErrFull)
			break
		}
		s := h.Resolve("t", []labels.Labels{labels.FromStrings("a", "b")})
		h.Apply("t", room, []Batch{{s[0], []chunk.Entry{line(int64(accepted), strings.Repeat("x", 1000))}}})
	}
	require.Greater(t, accepted, 2)
	require.LessOrEqual(t, h.RawBytes(), int64(10_000))
	h.Seal().Drop("t")
	_, err = h.Reserve(1, 1000)
	require.NoError(t, err)
}

func TestLabelQueries(t *testing.T) {
	h := newHead(t, Options{})
	push(t, h, "t",
		pushed{labels.FromStrings("app", "a", "env", "x"), []chunk.Entry{line(10, "1")}},
		pushed{labels.FromStrings("app", "b"), []chunk.Entry{line(20, "2")}})
	snap := h.Snapshot("t")
	defer snap.Close()
	push(t, h, "t", pushed{labels.FromStrings("new", "c"), []chunk.Entry{line(10, "1")}})
	ctx := context.Background()
	names, err := snap.LabelNames(ctx, 0, 100)
	require.NoError(t, err)
	require.Equal(t, []string{"app", "env"}, names)
	names, err = snap.LabelNames(ctx, 15, 100)
	require.NoError(t, err)
	require.Equal(t, []string{"app"}, names)
	values, err := snap.LabelValues(ctx, "app", 0, 100, labels.MustNewMatcher(labels.MatchEqual, "env", ""))
	require.NoError(t, err)
	require.Equal(t, []string{"b"}, values)
	other := h.Snapshot("somebody else")
	values, err = other.LabelValues(ctx, "app", 0, 100)
	require.NoError(t, err)
	require.Empty(t, values)
	other.Close()
}

// recorder is a Listener that keeps what it hears.
type recorder struct {
	mu     sync.Mutex
	orders []uint64
	lines  []string
}

func (r *recorder) Wants(s *Series) bool { return s.Labels().Get("skip") == "" }

func (r *recorder) Applied(order uint64, batches []Batch) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.orders = append(r.orders, order)
	for _, b := range batches {
		for _, e := range b.Entries {
			r.lines = append(r.lines, show(e))
		}
	}
}

// TestListenersContinueSnapshots: with pushes going on, snapshot and listener together hear every entry once.
func TestListenersContinueSnapshots(t *testing.T) {
	h := newHead(t, Options{ChunkBytes: 500})
	var wg sync.WaitGroup
	stop := make(chan struct{})
	for g := range 2 {
		wg.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
					e := line(int64(i), fmt.Sprintf("%d/%d", g, i), "k", "v")
					push(t, h, "t", pushed{labels.FromStrings("g", fmt.Sprint(g)), []chunk.Entry{e}}, pushed{labels.FromStrings("skip", "me"), []chunk.Entry{e}})
					clear(e.Line) // the push's memory is its own
					time.Sleep(100 * time.Microsecond)
				}
			}
		})
	}
	for range 20 {
		var rec recorder
		snap, end := h.Listen("t", &rec)
		time.Sleep(time.Millisecond)
		end()
		after := h.Snapshot("t")
		seen := flatten(contents(t, snap, 0, math.MaxInt64, labels.MustNewMatcher(labels.MatchNotEqual, "g", "")))
		rec.mu.Lock()
		require.True(t, slices.IsSorted(rec.orders))
		if len(rec.orders) > 0 {
			require.Greater(t, rec.orders[0], snap.Order())
		}
		seen = append(seen, rec.lines...)
		rec.mu.Unlock()
		snap.Close()
		slices.Sort(seen)
		require.Len(t, slices.Compact(slices.Clone(seen)), len(seen), "nothing twice")
		all := flatten(contents(t, after, 0, math.MaxInt64, labels.MustNewMatcher(labels.MatchNotEqual, "g", "")))
		slices.Sort(all)
		missing := 0
		for _, s := range seen {
			if _, ok := slices.BinarySearch(all, s); !ok {
				missing++
			}
		}
		require.Zero(t, missing)
		after.Close()
	}
	close(stop)
	wg.Wait()
}

func flatten(m map[string][]string) []string {
	var out []string
	for _, v := range m {
		out = append(out, v...)
	}
	return out
}
