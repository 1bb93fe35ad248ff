package segment

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/cespare/xxhash/v2"
	"github.com/oklog/ulid/v2"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/stretchr/testify/require"
	"github.com/thanos-io/objstore"

	"github.com/cambium-logs/cambium/internal/race"
	"github.com/cambium-logs/cambium/pkg/storage"
	"github.com/cambium-logs/cambium/pkg/storage/chunk"
)

const testDay = int64(1_790_000_000_000_000_000) / nanosPerDay * nanosPerDay

// modelChunk and modelStream are what a test put into a segment.
type modelChunk struct {
	entries []chunk.Entry
	chunk   EncodedChunk
}

type modelStream struct {
	labels labels.Labels
	chunks []modelChunk
}

func encode(t testing.TB, entries []chunk.Entry, order uint64) modelChunk {
	t.Helper()
	data, meta, err := chunk.Encode(nil, chunk.EncodingPlain, entries, order)
	require.NoError(t, err)
	c := modelChunk{entries, EncodedChunk{Meta: meta, Data: data}}
	var e Encoder
	f := e.Filter(entries)
	c.chunk.Filter = &f
	return c
}

func randomStreams(t testing.TB, r *rand.Rand, n int) []modelStream {
	streams := map[string]labels.Labels{}
	for range n {
		b := labels.NewScratchBuilder(4)
		b.Add("app", fmt.Sprintf("app-%d", r.IntN(5)))
		if r.IntN(2) == 0 {
			b.Add("pod", fmt.Sprintf("pod-%d", r.IntN(1000)))
		}
		if r.IntN(3) == 0 {
			b.Add("level", []string{"info", "warn", "ünicode\xff"}[r.IntN(3)])
		}
		b.Sort()
		ls := b.Labels()
		streams[ls.String()] = ls
	}
	var out []modelStream
	order := uint64(0)
	for _, ls := range streams {
		s := modelStream{labels: ls}
		for range 1 + r.IntN(4) {
			var entries []chunk.Entry
			for range 1 + r.IntN(20) {
				entries = append(entries, chunk.Entry{Timestamp: testDay + r.Int64N(nanosPerDay), Line: fmt.Appendf(nil, "line %d of %s", r.Uint32(), ls)})
			}
			order += uint64(r.IntN(3))
			s.chunks = append(s.chunks, encode(t, chunk.Normalize(entries), order))
		}
		slices.SortStableFunc(s.chunks, func(a, b modelChunk) int {
			if a.chunk.Meta.MinT != b.chunk.Meta.MinT {
				if a.chunk.Meta.MinT < b.chunk.Meta.MinT {
					return -1
				}
				return 1
			}
			return int(a.chunk.Meta.Order) - int(b.chunk.Meta.Order)
		})
		out = append(out, s)
	}
	slices.SortFunc(out, func(a, b modelStream) int { return labels.Compare(a.labels, b.labels) })
	return out
}

func fill(streams []modelStream) func(*Writer) error {
	return func(w *Writer) error {
		for _, s := range streams {
			for _, c := range s.chunks {
				if err := w.Append(s.labels, c.chunk); err != nil {
					return err
				}
			}
		}
		return nil
	}
}

func create(t testing.TB, bucket objstore.Bucket, opts WriterOptions, streams []modelStream) *Reader {
	t.Helper()
	if opts.FiltersFrom == 0 {
		opts.FiltersFrom = 1
	}
	info, err := Create(t.Context(), bucket, t.TempDir(), opts, fill(streams))
	require.NoError(t, err)
	r, err := Open(t.Context(), bucket, info.Name, 0)
	require.NoError(t, err)
	require.Equal(t, info.Size, r.Size())
	require.Equal(t, info.Footer, r.Footer())
	return r
}

func matches(ls labels.Labels, matchers []*labels.Matcher) bool {
	for _, m := range matchers {
		if !m.Matches(ls.Get(m.Name)) {
			return false
		}
	}
	return true
}

// expected gives what the model holds for a selection: streams with chunks by order, and label names and values.
func expected(streams []modelStream, mint, maxt int64, matchers []*labels.Matcher) (out []modelStream) {
	for _, s := range streams {
		kept := modelStream{labels: s.labels}
		for _, c := range s.chunks {
			if c.chunk.Meta.MinT <= maxt && c.chunk.Meta.MaxT >= mint && matches(s.labels, matchers) {
				kept.chunks = append(kept.chunks, c)
			}
		}
		slices.SortStableFunc(kept.chunks, func(a, b modelChunk) int { return int(a.chunk.Meta.Order) - int(b.chunk.Meta.Order) })
		if len(kept.chunks) > 0 {
			out = append(out, kept)
		}
	}
	return out
}

func requireSelected(t testing.TB, want []modelStream, got []storage.Stream) {
	t.Helper()
	require.Len(t, got, len(want))
	for i := range want {
		require.Equal(t, want[i].labels.String(), got[i].Labels.String())
		require.Len(t, got[i].Chunks, len(want[i].chunks))
		for k, c := range got[i].Chunks {
			require.Equal(t, want[i].chunks[k].chunk.Meta, c.Meta())
			r, err := c.Open(t.Context())
			require.NoError(t, err)
			require.Equal(t, want[i].chunks[k].entries, chunk.ReadAll(nil, r))
			r.Close()
			for _, e := range want[i].chunks[k].entries[:1] {
				may, err := c.(storage.Filtered).MayContain(t.Context(), e.Line[:len(e.Line)-1])
				require.NoError(t, err)
				require.True(t, may)
			}
		}
	}
}

func TestSelect(t *testing.T) {
	for seed := range race.Cases(uint64(40)) {
		r := rand.New(rand.NewPCG(seed, 0))
		streams := randomStreams(t, r, 1+r.IntN(60)*int(1+seed%3))
		if seed%4 == 0 {
			// One chunk without a filter: the segment has none.
			streams[len(streams)/2].chunks[0].chunk.Filter = nil
		}
		reader := create(t, objstore.NewInMemBucket(), WriterOptions{Tenant: "t", Level: 1}, streams)
		require.NoError(t, reader.Verify(t.Context()))
		filters, err := reader.Filters(t.Context())
		require.NoError(t, err)
		if seed%4 == 0 {
			require.Empty(t, filters)
		} else {
			require.Len(t, filters, reader.Footer().Chunks)
		}
		for range 12 {
			mint := testDay + r.Int64N(nanosPerDay)
			maxt := mint + r.Int64N(nanosPerDay)
			if r.IntN(3) == 0 {
				mint, maxt = math.MinInt64, math.MaxInt64
			}
			var matchers []*labels.Matcher
			for range r.IntN(3) {
				matchers = append(matchers, labels.MustNewMatcher(labels.MatchType(r.IntN(4)),
					[]string{"app", "pod", "level", "none"}[r.IntN(4)], []string{"app-1", "", "pod-.*", "info|warn", "app-(1|2)"}[r.IntN(5)]))
			}
			want := expected(streams, mint, maxt, matchers)
			got, err := reader.Select(t.Context(), mint, maxt, matchers...)
			require.NoError(t, err)
			requireSelected(t, want, got)

			var names []string
			values := map[string][]string{}
			for _, s := range want {
				s.labels.Range(func(l labels.Label) {
					names = append(names, l.Name)
					values[l.Name] = append(values[l.Name], l.Value)
				})
			}
			slices.Sort(names)
			gotNames, err := reader.LabelNames(t.Context(), mint, maxt, matchers...)
			require.NoError(t, err)
			require.ElementsMatch(t, slices.Compact(names), gotNames)
			require.True(t, slices.IsSorted(gotNames))
			for _, name := range []string{"app", "pod", "none"} {
				slices.Sort(values[name])
				gotValues, err := reader.LabelValues(t.Context(), name, mint, maxt, matchers...)
				require.NoError(t, err)
				require.True(t, slices.IsSorted(gotValues))
				require.ElementsMatch(t, slices.Compact(values[name]), gotValues)
			}
		}
	}
}

// What comes whole with the first read needs no filter.
func TestSmallSegmentsHaveNoFilters(t *testing.T) {
	for _, streams := range []int{1, 20, 50, 90, 200} {
		var in []modelStream
		for i := range streams {
			line := make([]byte, 900)
			r := rand.New(rand.NewPCG(uint64(i), 3))
			for k := range line {
				line[k] = byte(r.Uint32())
			}
			in = append(in, modelStream{labels.FromStrings("id", fmt.Sprintf("%03d", i)), []modelChunk{encode(t, []chunk.Entry{{Timestamp: testDay, Line: line}}, 1)}})
		}
		bucket := &countingBucket{Bucket: objstore.NewInMemBucket()}
		info, err := Create(t.Context(), bucket, t.TempDir(), WriterOptions{Tenant: "t"}, fill(in))
		require.NoError(t, err)
		reader, err := Open(t.Context(), bucket, info.Name, info.Size)
		require.NoError(t, err)
		require.NoError(t, reader.Verify(t.Context()))
		got, err := reader.Select(t.Context(), math.MinInt64, math.MaxInt64)
		require.NoError(t, err)
		requireSelected(t, in, got)
		if info.Footer.Filters.Length == 0 {
			require.Equal(t, 1, bucket.ranges, "%d streams", streams)
		}
		require.Equal(t, streams > 80, info.Footer.Filters.Length > 0, "%d streams", streams)
	}
}

// countingBucket counts reads of ranges.
type countingBucket struct {
	objstore.Bucket
	ranges int
}

func (b *countingBucket) GetRange(ctx context.Context, name string, off, length int64) (io.ReadCloser, error) {
	b.ranges++
	return b.Bucket.GetRange(ctx, name, off, length)
}

// Filters find the chunk that holds a text, and next to no other.
func TestFilters(t *testing.T) {
	var streams []modelStream
	for i := range 200 {
		line := fmt.Appendf(nil, "request %016x from client, \\ escaped: %v", xxhash.Sum64String(fmt.Sprint(i)), i%2)
		if i%2 == 0 {
			line = fmt.Appendf(nil, "request %016x from client", xxhash.Sum64String(fmt.Sprint(i)))
		}
		streams = append(streams, modelStream{labels.FromStrings("id", fmt.Sprintf("%03d", i)), []modelChunk{encode(t, []chunk.Entry{{Timestamp: testDay, Line: line}}, 1)}})
	}
	reader := create(t, objstore.NewInMemBucket(), WriterOptions{Tenant: "t"}, streams)
	got, err := reader.Select(t.Context(), math.MinInt64, math.MaxInt64)
	require.NoError(t, err)
	found := 0
	for i := range 200 {
		for k, s := range got {
			may, err := s.Chunks[0].(storage.Filtered).MayContain(t.Context(), streams[i].chunks[0].entries[0].Line[8:24])
			require.NoError(t, err)
			require.True(t, may || k != i)
			if may {
				found++
			}
			verbatim, err := s.Chunks[0].(storage.Filtered).Verbatim(t.Context())
			require.NoError(t, err)
			require.Equal(t, k%2 == 0, verbatim)
		}
		may, err := got[i].Chunks[0].(storage.Filtered).MayContain(t.Context(), []byte("too short"))
		require.NoError(t, err)
		require.True(t, may)
	}
	require.Less(t, found, 200*200/10)
}

func TestWriterRefuses(t *testing.T) {
	a, b := labels.FromStrings("a", "1"), labels.FromStrings("b", "1")
	at := func(ts int64, order uint64) EncodedChunk {
		return encode(t, []chunk.Entry{{Timestamp: ts, Line: []byte("x")}}, order).chunk
	}
	short := at(testDay, 1)
	short.Data = short.Data[1:]
	type call struct {
		ls labels.Labels
		c  EncodedChunk
	}
	for name, calls := range map[string][]call{
		"streams out of order": {{b, at(testDay, 1)}, {a, at(testDay, 1)}},
		"another day":          {{a, at(testDay, 1)}, {a, at(testDay+nanosPerDay, 1)}},
		"wrong size":           {{a, short}},
	} {
		t.Run(name, func(t *testing.T) {
			w, err := NewWriter(io.Discard, WriterOptions{Tenant: "t"})
			require.NoError(t, err)
			for i, c := range calls {
				err := w.Append(c.ls, c.c)
				require.Equal(t, i == len(calls)-1, err != nil)
			}
			_, err = w.Close()
			require.Error(t, err)
		})
	}
	w, err := NewWriter(io.Discard, WriterOptions{Tenant: "t"})
	require.NoError(t, err)
	_, err = w.Close()
	require.ErrorIs(t, err, ErrEmpty)
	for _, tenant := range []string{"", ".", "..", "a/b", "a\x00"} {
		_, err = NewWriter(io.Discard, WriterOptions{Tenant: tenant})
		require.Error(t, err)
	}
}

// dump gives all that a reader shows, or the first error.
func dump(ctx context.Context, bucket objstore.Bucket, name Name) (out []string, err error) {
	r, err := Open(ctx, bucket, name, 0)
	if err != nil {
		return nil, err
	}
	streams, err := r.Select(ctx, math.MinInt64, math.MaxInt64)
	if err != nil {
		return nil, err
	}
	for _, s := range streams {
		for _, c := range s.Chunks {
			reader, err := c.Open(ctx)
			if err != nil {
				return nil, err
			}
			for _, e := range chunk.ReadAll(nil, reader) {
				out = append(out, fmt.Sprintf("%s %d %s", s.Labels, e.Timestamp, e.Line))
			}
			reader.Close()
			if _, err := c.(storage.Filtered).MayContain(ctx, []byte("line 12 of a text that is long enough")); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

// A damaged or missing byte anywhere is an error that names the object, or changes nothing, and Verify finds it in any case.
func TestDamage(t *testing.T) {
	streams := randomStreams(t, rand.New(rand.NewPCG(1, 1)), 4)
	for i := range streams {
		streams[i].chunks = streams[i].chunks[:1]
	}
	bucket := objstore.NewInMemBucket()
	reader := create(t, bucket, WriterOptions{Tenant: "t", Level: 2, Sources: []ulid.ULID{{1}}}, streams)
	name := reader.Name()
	want, err := dump(t.Context(), bucket, name)
	require.NoError(t, err)
	object, err := io.ReadAll(must(bucket.Get(t.Context(), name.Path())))
	require.NoError(t, err)

	check := func(what string, bad []byte) {
		b := objstore.NewInMemBucket()
		require.NoError(t, b.Upload(t.Context(), name.Path(), bytes.NewReader(bad)))
		got, err := dump(t.Context(), b, name)
		if err != nil {
			require.ErrorContains(t, err, name.Path(), what)
		} else {
			require.Equal(t, want, got, what)
			r, err := Open(t.Context(), b, name, 0)
			require.NoError(t, err)
			err = r.Verify(t.Context())
			require.ErrorContains(t, err, name.Path(), what)
			require.True(t, IsCorrupt(err), what)
		}
	}
	for at := range object {
		bad := bytes.Clone(object)
		bad[at] ^= byte(1 + at%255)
		check(fmt.Sprintf("byte %d", at), bad)
	}
	for size := range object {
		check(fmt.Sprintf("truncated to %d", size), object[:size])
	}
	check("longer", append(bytes.Clone(object), 0))
}

// Segments whose index, directory or footer do not fit into the first read are opened with further reads.
func TestLargeTail(t *testing.T) {
	if testing.Short() {
		t.Skip("makes 20,000 streams")
	}
	var streams []modelStream
	c := encode(t, []chunk.Entry{{Timestamp: testDay, Line: []byte("x")}}, 1)
	for i := range 20_000 {
		streams = append(streams, modelStream{labels.FromStrings("app", "a", "pod", fmt.Sprintf("pod-%06d", i)), []modelChunk{c}})
	}
	for _, sources := range []int{0, 5000} {
		bucket := objstore.NewInMemBucket()
		opts := WriterOptions{Tenant: "t", Level: 2}
		for i := range sources {
			opts.Sources = append(opts.Sources, ulid.ULID{byte(i), byte(i >> 8)})
		}
		reader := create(t, bucket, opts, streams)
		got, err := reader.Select(t.Context(), testDay, testDay, labels.MustNewMatcher(labels.MatchEqual, "pod", "pod-012345"))
		require.NoError(t, err)
		requireSelected(t, streams[12345:12346], got)
		_, err = reader.Select(canceled(t), testDay, testDay)
		require.ErrorIs(t, err, context.Canceled)
	}
}

func canceled(t *testing.T) context.Context {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx
}

// A segment that outgrows memory while it is built lies in a file, which is gone afterwards.
func TestCreateSpills(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 9))
	var s modelStream
	s.labels = labels.FromStrings("app", "a")
	for i := range 12 {
		line := make([]byte, 1<<20)
		for k := range line {
			line[k] = byte(r.Uint32())
		}
		s.chunks = append(s.chunks, encode(t, []chunk.Entry{{Timestamp: testDay + int64(i), Line: line}}, uint64(i)))
	}
	dir := t.TempDir()
	bucket := objstore.NewInMemBucket()
	info, err := Create(t.Context(), bucket, dir, WriterOptions{Tenant: "t", Level: 1}, fill([]modelStream{s}))
	require.NoError(t, err)
	reader, err := Open(t.Context(), bucket, info.Name, info.Size)
	require.NoError(t, err)
	require.NoError(t, reader.Verify(t.Context()))
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Empty(t, left)

	_, err = Create(t.Context(), bucket, dir, WriterOptions{Tenant: "t", Level: 1}, func(*Writer) error { return nil })
	require.ErrorIs(t, err, ErrEmpty)
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

const goldenFile = "testdata/v1.seg"

var goldenID = ulid.MustParseStrict("01K6F8QJ3N2V5W7X9YZABCDEFG")

func goldenStreams(t testing.TB) []modelStream {
	entries := func(from int64, lines ...string) (out []chunk.Entry) {
		for i, l := range lines {
			out = append(out, chunk.Entry{Timestamp: testDay + from + int64(i)*1e9, Line: []byte(l)})
		}
		return out
	}
	withMetadata := entries(5e9, "GET /", "POST /api", "")
	withMetadata[1].Metadata = []labels.Label{{Name: "trace_id", Value: "0af7651916cd43dd"}}
	return []modelStream{
		{labels.FromStrings("app", "api", "env", "prod"), []modelChunk{encode(t, withMetadata, 7), encode(t, entries(9e9, "GET /again"), 9)}},
		{labels.FromStrings("app", "db"), []modelChunk{encode(t, entries(0, "one", "\xff\x00two", "three"), 3)}},
	}
}

// The file was written by the first version of the format and is read for ever.
func TestGolden(t *testing.T) {
	streams := goldenStreams(t)
	name := Name{Tenant: "org-1", Day: DayOf(testDay), Level: 2, MinT: testDay, MaxT: testDay + 9e9, ID: goldenID}
	var buf bytes.Buffer
	w, err := NewWriter(&buf, WriterOptions{Tenant: "org-1", Level: 2, ID: goldenID, Sources: []ulid.ULID{{1}, {2}}, Deletes: []string{"d1"}})
	require.NoError(t, err)
	require.NoError(t, fill(streams)(w))
	info, err := w.Close()
	require.NoError(t, err)
	require.Equal(t, name, info.Name)
	if os.Getenv("CAMBIUM_WRITE_GOLDEN") != "" {
		require.NoError(t, os.MkdirAll(filepath.Dir(goldenFile), 0o755))
		require.NoError(t, os.WriteFile(goldenFile, buf.Bytes(), 0o644))
	}
	golden, err := os.ReadFile(goldenFile)
	require.NoError(t, err)
	bucket := objstore.NewInMemBucket()
	require.NoError(t, bucket.Upload(t.Context(), name.Path(), bytes.NewReader(golden)))
	r, err := Open(t.Context(), bucket, name, 0)
	require.NoError(t, err)
	require.NoError(t, r.Verify(t.Context()))
	require.Equal(t, []ulid.ULID{{1}, {2}}, r.Footer().Sources)
	require.Equal(t, []string{"d1"}, r.Footer().Deletes)
	got, err := r.Select(t.Context(), math.MinInt64, math.MaxInt64)
	require.NoError(t, err)
	requireSelectedEntries(t, streams, got)
}

// requireSelectedEntries compares entries and labels but not sizes, which another version of a compressor may change.
func requireSelectedEntries(t testing.TB, want []modelStream, got []storage.Stream) {
	t.Helper()
	require.Len(t, got, len(want))
	for i := range want {
		require.Equal(t, want[i].labels, got[i].Labels)
		for k, c := range got[i].Chunks {
			r, err := c.Open(t.Context())
			require.NoError(t, err)
			require.Equal(t, want[i].chunks[k].entries, chunk.ReadAll(nil, r))
			r.Close()
		}
	}
}
