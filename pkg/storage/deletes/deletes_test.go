package deletes

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/stretchr/testify/require"
	"github.com/thanos-io/objstore"
	"go.uber.org/goleak"

	"github.com/cambium-logs/cambium/pkg/storage/bucket/buckettest"
	"github.com/cambium-logs/cambium/pkg/storage/chunk"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m, buckettest.KnownGoroutines()...) }

// textQuery selects lines of the streams app=~"app.*" that contain a text; all of them when it is empty.
type textQuery string

func compileText(text string) (Query, error) {
	if text == "bad" {
		return nil, errors.New("not a query")
	}
	return textQuery(text), nil
}

func (q textQuery) Matchers() []*labels.Matcher {
	return []*labels.Matcher{labels.MustNewMatcher(labels.MatchRegexp, "app", "app.*")}
}
func (q textQuery) Texts() [][][]byte       { return [][][]byte{{[]byte(q)}} }
func (q textQuery) Everything() bool        { return q == "" }
func (q textQuery) Rows(labels.Labels) Rows { return q }
func (q textQuery) Selects(_ int64, line []byte, _ []labels.Label) bool {
	return bytes.Contains(line, []byte(q))
}

type clock struct{ at time.Time }

func (c *clock) now() time.Time {
	c.at = c.at.Add(time.Microsecond)
	return c.at
}

func newStore(b objstore.Bucket, c *clock) *Store {
	return NewStore(Options{Bucket: b, Compile: compileText, Now: c.now})
}

func ids(t *testing.T, s *Store) (out []string) {
	t.Helper()
	active, err := s.Active(t.Context(), "t", math.MinInt64, math.MaxInt64)
	require.NoError(t, err)
	for _, a := range active {
		out = append(out, a.ID)
	}
	return out
}

// Processes on one bucket see each other's requests, and that they are taken back, within a second.
func TestProcessesSeeRequests(t *testing.T) {
	b := objstore.NewInMemBucket()
	c := &clock{at: time.Unix(1_700_000_000, 0)}
	one, two := newStore(b, c), newStore(b, c)
	require.Empty(t, ids(t, one))
	require.Empty(t, ids(t, two))
	first, err := one.Create(t.Context(), "t", Request{Query: "a", Start: 5, End: 9, Created: 1})
	require.NoError(t, err)
	require.Len(t, first, 8)
	require.Equal(t, []string{first}, ids(t, one), "at once where it was made")
	c.at = c.at.Add(time.Second)
	require.Equal(t, []string{first}, ids(t, two))
	second, err := two.Create(t.Context(), "t", Request{Query: "b", Start: 0, End: 3, Created: 2})
	require.NoError(t, err)
	c.at = c.at.Add(time.Second)
	require.Equal(t, []string{first, second}, ids(t, one), "oldest first")
	for _, r := range []struct {
		mint, maxt int64
		want       int
	}{{9, 20, 1}, {10, 20, 0}, {3, 5, 2}, {4, 4, 0}} {
		active, err := one.Active(t.Context(), "t", r.mint, r.maxt)
		require.NoError(t, err)
		require.Len(t, active, r.want, r)
	}
	require.NoError(t, one.SetState(t.Context(), "t", second, State{Progress: 0.25}))
	list, err := two.List(t.Context(), "t")
	require.NoError(t, err)
	require.Len(t, list, 2)
	require.Equal(t, 0.25, list[1].Progress)
	require.NoError(t, one.End(t.Context(), "t", second))
	require.Equal(t, []string{first}, ids(t, one))
	require.NoError(t, two.Remove(t.Context(), "t", first))
	require.Empty(t, ids(t, newStore(b, c)))
	c.at = c.at.Add(time.Second)
	require.Empty(t, ids(t, one))
	list, err = one.List(t.Context(), "t")
	require.NoError(t, err)
	require.Len(t, list, 1, "ended ones stay in lists")
	require.NotZero(t, list[0].Ended)
	require.ErrorIs(t, one.Remove(t.Context(), "t", first), ErrUnknown)
	require.ErrorIs(t, one.Remove(t.Context(), "t", "../../x"), ErrUnknown)
	require.NoError(t, one.Remove(t.Context(), "t", second))
	require.Empty(t, b.Objects())
}

// What cannot be read hides nothing by itself, so nothing is shown.
func TestUnreadableRequestsAreErrors(t *testing.T) {
	for name, content := range map[string]string{
		"no JSON": "{", "another's": `{"id":"00000001","query":"a"}`, "no query": `{"id":"0a0b0c0d","query":"bad"}`,
	} {
		t.Run(name, func(t *testing.T) {
			b := objstore.NewInMemBucket()
			s := newStore(b, &clock{at: time.Unix(1_700_000_000, 0)})
			require.NoError(t, b.Upload(t.Context(), Path("t", "0a0b0c0d"), strings.NewReader(content)))
			_, err := s.Active(t.Context(), "t", 0, 1)
			require.ErrorContains(t, err, "t/deletes/0a0b0c0d.json")
			require.NoError(t, s.Remove(t.Context(), "t", "0a0b0c0d"))
			require.Empty(t, ids(t, s))
		})
	}
	b := objstore.NewInMemBucket()
	s := newStore(b, &clock{at: time.Unix(1_700_000_000, 0)})
	_, err := s.Create(t.Context(), "t", Request{Query: "bad"})
	require.Error(t, err)
	_, err = s.Create(t.Context(), "../x", Request{Query: "a"})
	require.Error(t, err)
	require.Empty(t, b.Objects())
	require.NoError(t, b.Upload(t.Context(), Dir("t")+"readme", strings.NewReader("x")))
	require.Empty(t, ids(t, s), "what is no request is not read")
}

// staleBucket lists nothing.
type staleBucket struct{ objstore.Bucket }

func (b *staleBucket) Iter(context.Context, string, func(string) error, ...objstore.IterOption) error {
	return nil
}

// A listing that comes late does not bring back what is deleted.
func TestStaleListings(t *testing.T) {
	b := objstore.NewInMemBucket()
	c := &clock{at: time.Unix(1_700_000_000, 0)}
	s := newStore(&staleBucket{b}, c)
	id, err := s.Create(t.Context(), "t", Request{Query: "a"})
	require.NoError(t, err)
	c.at = c.at.Add(time.Hour)
	require.Equal(t, []string{id}, ids(t, s))
	require.NoError(t, b.Delete(t.Context(), Path("t", id)))
	c.at = c.at.Add(time.Hour)
	require.Empty(t, ids(t, s))
}

func TestSweep(t *testing.T) {
	b := objstore.NewInMemBucket()
	s := newStore(b, &clock{at: time.Unix(1_700_000_000, 0)})
	id, err := s.Create(t.Context(), "t", Request{Query: "a"})
	require.NoError(t, err)
	require.NoError(t, s.SetState(t.Context(), "t", id, State{Progress: 0.5}))
	require.NoError(t, s.SetState(t.Context(), "t", "00000000", State{Progress: 0.5}))
	require.NoError(t, s.End(t.Context(), "t", "00000000"))
	require.NoError(t, s.Sweep(t.Context(), "t"))
	require.Len(t, b.Objects(), 2)
	require.Equal(t, []string{id}, ids(t, s))
}

// storedChunk is an encoded chunk as a storage.Chunk.
type storedChunk struct {
	meta chunk.Meta
	data []byte
}

func (c storedChunk) Meta() chunk.Meta { return c.meta }
func (c storedChunk) Open(context.Context) (chunk.Reader, error) {
	return chunk.Open(c.data, c.meta)
}

// A chunk without its hidden rows is the chunk of the other rows, whichever way it is read.
func TestHiddenChunks(t *testing.T) {
	stream := labels.FromStrings("app", "app-1")
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 1))
		var entries []chunk.Entry
		for i := range 1 + r.IntN(60) {
			e := chunk.Entry{Timestamp: int64(r.IntN(40)), Line: fmt.Appendf(nil, "user=%d took %dms of %d", r.IntN(4), r.IntN(9), i)}
			if r.IntN(3) == 0 {
				e.Metadata = []labels.Label{{Name: "n", Value: fmt.Sprint(i)}}
			}
			entries = append(entries, e)
		}
		entries = chunk.Normalize(entries)
		data, meta, err := chunk.Encode(nil, []chunk.Encoding{chunk.EncodingPlain, chunk.EncodingColumnar}[r.IntN(2)], entries, 1)
		require.NoError(t, err)
		var requests []*Active
		for range 1 + r.IntN(3) {
			text := []string{"", "user=2", "took 1ms", "absent"}[r.IntN(4)]
			from := int64(r.IntN(40))
			requests = append(requests, newActive(Request{ID: fmt.Sprint(len(requests)), Query: text, Start: from, End: from + int64(r.IntN(40))}, textQuery(text)))
		}
		var want []chunk.Entry
		for _, e := range entries {
			hidden := false
			for _, a := range requests {
				hidden = hidden || e.Timestamp >= a.Start && e.Timestamp <= a.End && bytes.Contains(e.Line, []byte(a.Query))
			}
			if !hidden {
				want = append(want, e)
			}
		}
		stored := storedChunk{meta, data}
		plain, err := stored.Open(t.Context())
		require.NoError(t, err)
		keep := Keep(stream, requests)
		var kept []chunk.Entry
		for row, e := range chunk.ReadAll(nil, plain) {
			if keep(plain, row) {
				kept = append(kept, e)
			}
		}
		require.Equal(t, shown(want), shown(kept))
		shownChunk, err := hideChunk(t.Context(), stream, stored, requests)
		require.NoError(t, err)
		if shownChunk == nil {
			require.Empty(t, want)
			continue
		}
		if len(want) < len(entries) {
			require.True(t, shownChunk.Meta().Inexact)
		}
		got, err := shownChunk.Open(t.Context())
		require.NoError(t, err)
		require.Equal(t, shown(want), shown(chunk.ReadAll(nil, got)))
		if s, ok := got.(chunk.Searcher); ok {
			for _, text := range []string{"user=1", "3ms", "nowhere"} {
				rows := chunk.NewRows(got.Len())
				s.Search([]byte(text), rows)
				for row, e := range want {
					require.True(t, rows.Has(row) || !bytes.Contains(e.Line, []byte(text)))
				}
			}
		}
		got.Close()
	}
}

func shown(entries []chunk.Entry) []string {
	out := []string{}
	for _, e := range entries {
		out = append(out, fmt.Sprintf("%d %s %v", e.Timestamp, e.Line, e.Metadata))
	}
	return out
}
