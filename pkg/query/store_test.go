package query_test

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/stretchr/testify/require"
	"github.com/thanos-io/objstore"

	"github.com/cambium-logs/cambium/pkg/engine"
	"github.com/cambium-logs/cambium/pkg/ingest"
	"github.com/cambium-logs/cambium/pkg/query"
	"github.com/cambium-logs/cambium/pkg/storage/chunk"
	"github.com/cambium-logs/cambium/pkg/storage/deletes"
)

// countingBucket counts the bytes that are read.
type countingBucket struct {
	objstore.Bucket
	read atomic.Int64
}

func (b *countingBucket) GetRange(ctx context.Context, name string, off, length int64) (io.ReadCloser, error) {
	b.read.Add(length)
	return b.Bucket.GetRange(ctx, name, off, length)
}

func (b *countingBucket) Get(ctx context.Context, name string) (io.ReadCloser, error) {
	b.read.Add(1 << 40) // nothing that a query needs is read whole
	return b.Bucket.Get(ctx, name)
}

func openStore(t *testing.T) (*engine.Engine, *countingBucket) {
	t.Helper()
	b := &countingBucket{Bucket: objstore.NewInMemBucket()}
	e, err := engine.Open(context.Background(), engine.Options{DataDir: t.TempDir(), Bucket: b, FlushAge: time.Hour, Compaction: engine.Compaction{Grace: time.Hour}})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, e.Close(context.Background())) })
	return e, b
}

// storeDay is the beginning of a day that is over.
var storeDay = time.Now().UTC().Truncate(24 * time.Hour).Add(-48 * time.Hour).UnixNano()

// TestCountReadsNoLines: counting entries over stored chunks that cell edges cut reads a small part of what is stored, and no line.
func TestCountReadsNoLines(t *testing.T) {
	e, b := openStore(t)
	r := rand.New(rand.NewPCG(1, 1))
	streams := make([]ingest.Stream, 4)
	lines := int64(0)
	for i := range streams {
		streams[i].Labels = labels.FromStrings("app", fmt.Sprint("a", i))
		for k := range 20000 {
			line := fmt.Appendf(nil, "request %x took %d ms at %x", r.Uint64(), r.IntN(5000), r.Uint64())
			lines += int64(len(line))
			streams[i].Entries = append(streams[i].Entries, chunk.Entry{Timestamp: storeDay + int64(k)*int64(time.Second), Line: line})
		}
	}
	require.NoError(t, e.Append(t.Context(), "t", streams))
	require.NoError(t, e.Flush(t.Context()))
	q := query.New(query.Options{Source: e, CacheBytes: -1})
	p := query.Params{Tenant: "t", Expr: `sum by (app) (count_over_time({app=~".+"}[1m]))`, Start: storeDay + int64(time.Minute), End: storeDay + 20000*int64(time.Second), Step: int64(time.Minute)}
	_, err := q.Query(t.Context(), p) // opens the segment
	require.NoError(t, err)
	before := b.read.Load()
	result, err := q.Query(t.Context(), p)
	require.NoError(t, err)
	require.Len(t, result.Matrix, 4)
	require.EqualValues(t, 60, result.Matrix[0].Points[7].Value)
	require.Zero(t, result.Stats.ChunksOpened)
	require.Positive(t, result.Stats.ChunksTimed)
	read := b.read.Load() - before
	require.Equal(t, result.Stats.StoredBytes, read)
	require.Less(t, read, lines/200)
}

// TestCachedEqualsUncachedInStore: answers from the cache are those of an engine without one while entries come in, are flushed, compacted,
// and deleted.
func TestCachedEqualsUncachedInStore(t *testing.T) {
	e, _ := openStore(t)
	r := rand.New(rand.NewPCG(7, 7))
	cached, bare := query.New(query.Options{Source: e}), query.New(query.Options{Source: e, CacheBytes: -1})
	queries := []string{
		`sum by (app) (count_over_time({app=~".+"}[1m]))`,
		`sum(bytes_over_time({app=~".+"}[50s]))`,
		`quantile_over_time(0.9, {app=~".+"} | logfmt | unwrap ms | __error__="" [2m]) by (app)`,
		`sum by (level) (rate({app=~".+"} | logfmt | __error__="" [1m]))`,
		`avg_over_time({app="a1"} | logfmt | unwrap ms [1m]) by (level)`,
	}
	now := int64(0)
	var hits, pushes, flushes, merges int64
	for round := range 60 {
		switch n := r.IntN(8); {
		case n < 3:
			var streams []ingest.Stream
			for app := range 3 {
				s := ingest.Stream{Labels: labels.FromStrings("app", fmt.Sprint("a", app))}
				for range 50 {
					now += r.Int64N(int64(2 * time.Second))
					at := now
					if r.IntN(200) == 0 {
						at = r.Int64N(now)
					}
					s.Entries = append(s.Entries, chunk.Entry{Timestamp: storeDay + at, Line: fmt.Appendf(nil, "level=%s ms=%d.%d text=%x", []string{"info", "warn"}[r.IntN(2)], r.IntN(900), r.IntN(99), r.Uint32())})
				}
				streams = append(streams, s)
			}
			pushes++
			require.NoError(t, e.Append(t.Context(), "t", streams))
		case n < 5:
			flushes++
			require.NoError(t, e.Flush(t.Context()))
		case n == 5:
			result, err := e.Maintain(t.Context())
			require.NoError(t, err)
			merges += int64(result.Merges)
		case n == 6 && round > 20:
			_, err := e.CreateDelete(t.Context(), "t", deletes.Request{Query: fmt.Sprintf(`{app="a%d"} |= "text=%x"`, r.IntN(3), r.IntN(256)), Start: storeDay, End: storeDay + now})
			if err != nil {
				require.Contains(t, strings.ToLower(err.Error()), "delet")
			}
		}
		for _, expr := range queries {
			p := query.Params{Tenant: "t", Expr: expr, Start: storeDay, End: storeDay + now + int64(time.Minute), Step: int64(20 * time.Second)}
			p.Start += r.Int64N(3) * p.Step
			got, err := cached.Query(t.Context(), p)
			require.NoError(t, err)
			want, err := bare.Query(t.Context(), p)
			require.NoError(t, err)
			require.Equal(t, fmt.Sprint(want.Matrix), fmt.Sprint(got.Matrix), "round %d: %s", round, expr)
			hits += got.Stats.CacheHits
		}
	}
	t.Log("hits", hits, "pushes", pushes, "flushes", flushes, "merges", merges)
	require.Positive(t, hits)
	require.Positive(t, merges)
}
