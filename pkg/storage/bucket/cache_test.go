package bucket

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/thanos-io/objstore"
)

// counting counts the requests for content and for sizes.
type counting struct {
	objstore.Bucket
	gets, heads atomic.Int64
	gate        chan struct{} // requests for content wait until it is closed; nil = they do not
	fail        atomic.Bool
}

func (c *counting) GetRange(ctx context.Context, name string, off, length int64) (io.ReadCloser, error) {
	c.gets.Add(1)
	if c.gate != nil {
		select {
		case <-c.gate:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	if c.fail.Load() {
		return nil, errors.New("no answer")
	}
	return c.Bucket.GetRange(ctx, name, off, length)
}

func (c *counting) Attributes(ctx context.Context, name string) (objstore.ObjectAttributes, error) {
	c.heads.Add(1)
	return c.Bucket.Attributes(ctx, name)
}

func segmentName(n int) string { return fmt.Sprintf("t/2026-01-0%d/1-0-0-%d.seg", n%3+1, n) }

func newCounting(t *testing.T, objects int, size int) (*counting, [][]byte) {
	c := &counting{Bucket: objstore.NewInMemBucket()}
	r := rand.New(rand.NewPCG(1, 2))
	contents := make([][]byte, objects)
	for i := range contents {
		contents[i] = make([]byte, size)
		for k := range contents[i] {
			contents[i][k] = byte(r.Uint32())
		}
		require.NoError(t, c.Upload(t.Context(), segmentName(i), bytes.NewReader(contents[i])))
	}
	return c, contents
}

func withCache(t *testing.T, b objstore.Bucket, dir string, budget int64) *Bucket {
	out, err := (&Bucket{Bucket: b}).Cached(CacheOptions{Dir: dir, MaxBytes: budget}, nil)
	require.NoError(t, err)
	return out
}

func rangeOf(ctx context.Context, b objstore.Bucket, name string, off, length int64) ([]byte, error) {
	r, err := b.GetRange(ctx, name, off, length)
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(r)
	return data, errors.Join(err, r.Close())
}

// diskUse is what the files below a directory take.
func diskUse(t *testing.T, dir string) (files int, n int64) {
	require.NoError(t, filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		files++
		n += onDisk(info.Size())
		return err
	}))
	return files, n
}

// TestCacheIsTheBucket: random reads, restarts, deletions and damage; what comes out is always what the bucket holds, and the files stay within the budget.
func TestCacheIsTheBucket(t *testing.T) {
	const size, budget = 200_000, 1 << 20
	for seed := range uint64(5) {
		r := rand.New(rand.NewPCG(seed, 3))
		inner, contents := newCounting(t, 12, size)
		dir := t.TempDir()
		b := withCache(t, inner, dir, budget)
		gone := map[int]bool{}
		var next int64
		for range 1500 {
			i := r.IntN(len(contents))
			name := segmentName(i)
			switch r.IntN(40) {
			case 0:
				b = withCache(t, inner, dir, budget)
			case 1:
				if err := b.Delete(t.Context(), name); err != nil {
					require.True(t, gone[i])
				}
				gone[i] = true
			case 2: // a file is cut short or changed, as by a crash
				path := ""
				require.NoError(t, filepath.WalkDir(filepath.Join(dir, "ranges"), func(p string, d fs.DirEntry, err error) error {
					if err == nil && !d.IsDir() && (path == "" || r.IntN(5) == 0) {
						path = p
					}
					return err
				}))
				if path != "" {
					data, err := os.ReadFile(path)
					require.NoError(t, err)
					if len(data) > 0 && r.IntN(2) == 0 {
						data[r.IntN(len(data))] ^= 1
					} else {
						data = data[:r.IntN(len(data)+1)]
					}
					require.NoError(t, os.WriteFile(path, data, 0o600))
				}
			case 3:
				attrs, err := b.Attributes(t.Context(), name)
				require.Equal(t, gone[i], err != nil)
				if err == nil {
					require.EqualValues(t, size, attrs.Size)
				}
			default:
				off := []int64{r.Int64N(size/1000) * 1000, next}[r.IntN(2)] % size
				length := min(1000*(1+r.Int64N(20)), size-off)
				next = off + length
				got, err := rangeOf(t.Context(), b, name, off, length)
				require.Equal(t, gone[i], err != nil, "%v", err)
				if err == nil {
					require.Equal(t, contents[i][off:off+length], got)
				}
			}
			if r.IntN(50) == 0 {
				_, n := diskUse(t, dir)
				require.LessOrEqual(t, n, int64(budget))
			}
		}
	}
}

func TestCacheSurvivesRestarts(t *testing.T) {
	inner, contents := newCounting(t, 3, 100_000)
	dir := t.TempDir()
	for range 3 {
		b := withCache(t, inner, dir, 1<<20)
		for i := range contents {
			got, err := rangeOf(t.Context(), b, segmentName(i), 5000, 20_000)
			require.NoError(t, err)
			require.Equal(t, contents[i][5000:25_000], got)
			attrs, err := b.Attributes(t.Context(), segmentName(i))
			require.NoError(t, err)
			require.EqualValues(t, 100_000, attrs.Size)
		}
	}
	require.EqualValues(t, 3, inner.gets.Load())
	require.EqualValues(t, 3, inner.heads.Load())
}

func TestLeastRecentlyUsedGoesFirst(t *testing.T) {
	inner, contents := newCounting(t, 4, 100_000)
	dir := t.TempDir()
	b := withCache(t, inner, dir, 20*fileBlock)
	read := func(i int) {
		got, err := rangeOf(t.Context(), b, segmentName(i), 0, 4*fileBlock)
		require.NoError(t, err)
		require.Equal(t, contents[i][:4*fileBlock], got)
	}
	for _, i := range []int{0, 1, 2, 0, 3} { // 5 blocks each with their header: the fourth still fits
		read(i)
	}
	_, err := b.Attributes(t.Context(), segmentName(3)) // 1 goes
	require.NoError(t, err)
	before := inner.gets.Load()
	for _, i := range []int{0, 2, 3} {
		read(i)
	}
	require.Equal(t, before, inner.gets.Load())
	read(1)
	require.Equal(t, before+1, inner.gets.Load())
}

func TestReadsShareRequests(t *testing.T) {
	inner, contents := newCounting(t, 1, 100_000)
	inner.gate = make(chan struct{})
	b := withCache(t, inner, t.TempDir(), 1<<20)
	name := segmentName(0)

	// Who made the request gives up; those who waited for it make another one.
	ctx, cancel := context.WithCancel(t.Context())
	first := make(chan error, 1)
	go func() {
		_, err := rangeOf(ctx, b, name, 0, 1000)
		first <- err
	}()
	require.Eventually(t, func() bool { return inner.gets.Load() == 1 }, 10*time.Second, time.Millisecond)
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			got, err := rangeOf(t.Context(), b, name, 0, 1000)
			if err != nil || !bytes.Equal(got, contents[0][:1000]) {
				t.Errorf("wrong content, error %v", err)
			}
		})
	}
	cancel()
	require.ErrorIs(t, <-first, context.Canceled)
	time.Sleep(300 * time.Millisecond) // so that the readers wait for the same request; one that comes late may make its own
	close(inner.gate)
	wg.Wait()
	require.Less(t, inner.gets.Load(), int64(15))
}

func TestFailuresAreNotKept(t *testing.T) {
	inner, contents := newCounting(t, 1, 100_000)
	b := withCache(t, inner, t.TempDir(), 1<<20)
	inner.fail.Store(true)
	_, err := rangeOf(t.Context(), b, segmentName(0), 0, 10)
	require.ErrorContains(t, err, "no answer")
	inner.fail.Store(false)
	got, err := rangeOf(t.Context(), b, segmentName(0), 0, 10)
	require.NoError(t, err)
	require.Equal(t, contents[0][:10], got)
}

// TestReadingAhead: who goes through an object in either direction needs few requests, also with several readers at a time; who jumps about
// reads nothing that was not asked for.
func TestReadingAhead(t *testing.T) {
	const size, step = 16 << 20, 64 << 10
	inner, contents := newCounting(t, 1, size)
	name := segmentName(0)
	for _, backward := range []bool{false, true} {
		b := withCache(t, inner, t.TempDir(), 1<<30)
		before := inner.gets.Load()
		var wg sync.WaitGroup
		next := make(chan int64)
		for range 2 {
			wg.Go(func() {
				for off := range next {
					got, err := rangeOf(t.Context(), b, name, off, step)
					if err != nil || !bytes.Equal(got, contents[0][off:off+step]) {
						t.Errorf("wrong content at %d, error %v", off, err)
					}
				}
			})
		}
		for off := int64(0); off < size; off += step {
			if backward {
				next <- size - step - off
			} else {
				next <- off
			}
		}
		close(next)
		wg.Wait()
		require.Less(t, inner.gets.Load()-before, int64(60), "of %d", size/step)
	}
	b := withCache(t, inner, t.TempDir(), 1<<30)
	r := rand.New(rand.NewPCG(4, 4))
	before := inner.gets.Load()
	for range 50 {
		_, err := rangeOf(t.Context(), b, name, r.Int64N(8)*(2<<20), 100)
		require.NoError(t, err)
	}
	require.LessOrEqual(t, inner.gets.Load()-before, int64(8))
}

// TestDeletedObjectsLeaveTheCache: here, or by another process, which the next list shows.
func TestDeletedObjectsLeaveTheCache(t *testing.T) {
	inner, _ := newCounting(t, 6, 50_000)
	dir := t.TempDir()
	b := withCache(t, inner, dir, 1<<20)
	for i := range 6 {
		_, err := rangeOf(t.Context(), b, segmentName(i), 0, 10_000)
		require.NoError(t, err)
	}
	require.NoError(t, b.Delete(t.Context(), segmentName(0)))
	require.NoError(t, inner.Delete(t.Context(), segmentName(1)))
	days := 0
	require.NoError(t, b.Iter(t.Context(), "t/", func(day string) error {
		days++
		return b.Iter(t.Context(), day, func(string) error { return nil })
	}))
	require.Equal(t, 3, days)
	files, _ := diskUse(t, dir)
	require.Equal(t, 4, files)
	_, err := rangeOf(t.Context(), b, segmentName(1), 0, 10_000)
	require.True(t, b.IsObjNotFoundErr(err), err)
}

func TestWhatIsNotKept(t *testing.T) {
	inner, _ := newCounting(t, 1, 50_000)
	dir := t.TempDir()
	b := withCache(t, inner, dir, 1<<20)
	for _, name := range []string{"t/deletes/a.json", "compactor.json", "../x.seg"} {
		require.NoError(t, inner.Upload(t.Context(), name, strings.NewReader("content")))
		for range 2 {
			got, err := rangeOf(t.Context(), b, name, 1, 3)
			require.NoError(t, err)
			require.Equal(t, "ont", string(got))
			_, err = b.Attributes(t.Context(), name)
			require.NoError(t, err)
		}
	}
	require.EqualValues(t, 6, inner.gets.Load())
	ctx := Uncached(t.Context())
	for range 2 {
		_, err := rangeOf(ctx, b, segmentName(0), 0, 100)
		require.NoError(t, err)
		_, err = b.Attributes(ctx, segmentName(0))
		require.NoError(t, err)
	}
	require.EqualValues(t, 8, inner.gets.Load())
	files, _ := diskUse(t, dir)
	require.Zero(t, files)
	require.NoError(t, os.RemoveAll(dir), "the cache may be lost at any time")
	_, err := rangeOf(t.Context(), b, segmentName(0), 0, 100)
	require.NoError(t, err)
}

func BenchmarkCacheHit(b *testing.B) {
	inner := objstore.NewInMemBucket()
	require.NoError(b, inner.Upload(b.Context(), segmentName(0), bytes.NewReader(make([]byte, 1<<20))))
	c, err := (&Bucket{Bucket: inner}).Cached(CacheOptions{Dir: b.TempDir(), MaxBytes: 1 << 30}, nil)
	require.NoError(b, err)
	const length = 200_000
	b.SetBytes(length)
	b.ReportAllocs()
	for b.Loop() {
		_, err := rangeOf(b.Context(), c, segmentName(0), 1000, length)
		require.NoError(b, err)
	}
}

// BenchmarkCacheStart opens a cache with 20,000 ranges in it.
func BenchmarkCacheStart(b *testing.B) {
	dir := b.TempDir()
	disk, err := openCache(CacheOptions{Dir: dir, MaxBytes: 1 << 30}, nil)
	require.NoError(b, err)
	for i := range 20_000 {
		disk.put(segmentName(i/20), span{int64(i%20) * 1000, 1000}, make([]byte, 1000))
	}
	for b.Loop() {
		again, err := openCache(CacheOptions{Dir: dir, MaxBytes: 1 << 30}, nil)
		require.NoError(b, err)
		require.Equal(b, 20_000, again.recent.Len())
	}
}
