package bucket

import (
	"bytes"
	"context"
	"io"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// far is a bucket that takes a while to answer.
type far struct {
	*counting
	latency time.Duration
}

func (b *far) GetRange(ctx context.Context, name string, off, length int64) (io.ReadCloser, error) {
	time.Sleep(b.latency)
	return b.counting.GetRange(ctx, name, off, length)
}

// TestScansNeedFewRequests: workers who share the chunks of a segment, as a query's do, each taking the next one, read megabytes at a time
// from a bucket that is far away, in both directions, although they ask a little out of order and leave some chunks out.
func TestScansNeedFewRequests(t *testing.T) {
	const size = 24 << 20
	counted, contents := newCounting(t, 1, size)
	inner := &far{counted, 5 * time.Millisecond}
	name := segmentName(0)
	for _, workers := range []int{1, 2, 4, 8} {
		for _, backward := range []bool{false, true} {
			r := rand.New(rand.NewPCG(uint64(workers), 1))
			var chunks []span
			for off := int64(8); off < size-400_000; {
				s := span{off, 40_000 + r.Int64N(300_000)}
				if off += s.length; r.IntN(6) > 0 {
					chunks = append(chunks, s)
				}
			}
			if backward {
				for i, k := 0, len(chunks)-1; i < k; i, k = i+1, k-1 {
					chunks[i], chunks[k] = chunks[k], chunks[i]
				}
			}
			c, err := (&Bucket{Bucket: inner}).Cached(CacheOptions{Dir: t.TempDir(), MaxBytes: 1 << 30}, nil)
			require.NoError(t, err)
			before := counted.gets.Load()
			var next atomic.Int64
			var wg sync.WaitGroup
			for w := range workers {
				jitter := rand.New(rand.NewPCG(uint64(w), 2))
				wg.Go(func() {
					for i := int(next.Add(1)) - 1; i < len(chunks); i = int(next.Add(1)) - 1 {
						s := chunks[i]
						got, err := rangeOf(t.Context(), c, name, s.offset, s.length)
						if err != nil || !bytes.Equal(got, contents[0][s.offset:s.offset+s.length]) {
							t.Errorf("wrong content at %d, error %v", s.offset, err)
						}
						time.Sleep(time.Duration(jitter.IntN(2000)) * time.Microsecond)
					}
				})
			}
			wg.Wait()
			n := counted.gets.Load() - before
			t.Logf("%d workers, backward %t: %d requests for %d chunks", workers, backward, n, len(chunks))
			require.Less(t, n, int64(len(chunks)/2)) // about a quarter of it where every worker gets its share of the processor
		}
	}
}
