package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/stretchr/testify/require"
	"github.com/thanos-io/objstore"

	"github.com/cambium-logs/cambium/pkg/storage/head"
)

func sharing(b objstore.Bucket) Options {
	return Options{Bucket: b, WALLocation: WALInBucket, CommitInterval: 2 * time.Millisecond, FlushRetry: 2 * time.Millisecond}
}

// TestProcessesShareABucket: engines push to one bucket at random, and come and go; in the end everybody sees what a simple model holds.
func TestProcessesShareABucket(t *testing.T) { onShared(t, testProcessesShareABucket) }

func testProcessesShareABucket(t *testing.T, st store) {
	b := st.open(t)
	r := rand.New(rand.NewPCG(1, 3))
	clock := int64(1_700_000_000e9)
	m := model{}
	engines := []*Engine{open(t, sharing(b)), open(t, sharing(b)), open(t, sharing(b))}
	for range st.steps(100) {
		i := r.IntN(len(engines))
		switch r.IntN(10) {
		case 0:
			closeEngine(t, engines[i])
			engines[i] = open(t, sharing(b))
		default:
			s := randomStreams(r, &clock)
			require.NoError(t, engines[i].Append(context.Background(), "t", s))
			m.add("t", s)
		}
	}
	want := m.contents("t", math.MinInt64, math.MaxInt64)
	for _, e := range append(engines, open(t, sharing(b))) {
		require.Eventually(t, func() bool {
			got := contents(t, e, "t", math.MinInt64, math.MaxInt64)
			return fmt.Sprint(got) == fmt.Sprint(want)
		}, 5*time.Second, 20*time.Millisecond)
	}
	there := objects(t, b)
	time.Sleep(20 * time.Millisecond)
	require.Equal(t, there, objects(t, b), "who has nothing to write writes nothing")
	for _, name := range there {
		require.Contains(t, name, "/0-", "everything is in segments of level 0")
	}
}

func TestPushesShareOneCommit(t *testing.T) { onShared(t, testPushesShareOneCommit) }

func testPushesShareOneCommit(t *testing.T, st store) {
	b := st.open(t)
	opts := sharing(b)
	opts.CommitInterval = 50 * time.Millisecond
	e := open(t, opts)
	var wg sync.WaitGroup
	for i := range 50 {
		wg.Go(func() {
			if err := e.Append(context.Background(), "t", stream(labels.FromStrings("n", fmt.Sprint(i)), entry(int64(i), "x"))); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	require.Less(t, len(objects(t, b)), 25)
	require.Zero(t, e.head.Memory())
}

func TestBrokenBucketRefusesAtOnceAndComesBack(t *testing.T) {
	onShared(t, testBrokenBucketRefusesAtOnceAndComesBack)
}

func testBrokenBucketRefusesAtOnceAndComesBack(t *testing.T, st store) {
	b := &brokenBucket{Bucket: st.open(t)}
	opts := sharing(b)
	opts.Head = head.Options{MaxBytes: 10_000}
	e := open(t, opts)
	ctx := context.Background()
	ls := labels.FromStrings("a", "b")
	push := func(i int) error { return e.Append(ctx, "t", stream(ls, entry(int64(i), strings.Repeat("x", 200)))) }
	require.NoError(t, push(0))
	b.fail.Store(true)
	for i := 1; i < 200; i++ {
		err := push(i)
		require.True(t, errors.Is(err, ErrUnavailable), err)
		require.ErrorContains(t, err, "no space left on device")
	}
	b.fail.Store(false)
	require.Eventually(t, func() bool { return push(1000) == nil }, 5*time.Second, time.Millisecond)
	got := contents(t, open(t, sharing(b)), "t", 0, math.MaxInt64)[ls.String()]
	require.GreaterOrEqual(t, len(got), 2)
	require.True(t, strings.HasPrefix(got[0], "0 "))
	require.True(t, strings.HasPrefix(got[len(got)-1], "1000 "))
}

// TestRefusedPushesDoNotComeLate: what was refused because the bucket could not be written for long is not written when it can be again. Its sender
// may have pushed it to another process, and it may have been deleted there.
func TestRefusedPushesDoNotComeLate(t *testing.T) {
	onShared(t, func(t *testing.T, st store) {
		shared := st.open(t)
		b := &brokenBucket{Bucket: shared}
		e := open(t, sharing(b))
		e.flusher.keepRefused = 100 * time.Millisecond
		ls := labels.FromStrings("a", "b")
		require.NoError(t, e.Append(t.Context(), "t", stream(ls, entry(1, "accepted"))))
		b.fail.Store(true)
		require.ErrorIs(t, e.Append(t.Context(), "t", stream(ls, entry(2, "refused"))), ErrUnavailable)
		require.Eventually(t, func() bool {
			return len(contents(t, e, "t", 0, math.MaxInt64)[ls.String()]) == 1
		}, 10*time.Second, time.Millisecond)
		require.ErrorIs(t, e.Append(t.Context(), "t", stream(ls, entry(3, "refused"))), ErrUnavailable)
		time.Sleep(2 * e.flusher.keepRefused)
		b.fail.Store(false)
		require.Eventually(t, func() bool { return e.Append(t.Context(), "t", stream(ls, entry(4, "accepted"))) == nil }, 10*time.Second, time.Millisecond)
		require.Zero(t, e.head.Memory())
		for _, e := range []*Engine{e, open(t, sharing(shared))} {
			require.Equal(t, []string{"1 accepted []", "4 accepted []"}, contents(t, e, "t", 0, math.MaxInt64)[ls.String()])
		}
	})
}

// heldBucket keeps uploads waiting until it is told how they end.
type heldBucket struct {
	objstore.Bucket
	began chan struct{}
	ends  chan error
}

func (b *heldBucket) Upload(ctx context.Context, name string, r io.Reader, opts ...objstore.ObjectUploadOption) error {
	b.began <- struct{}{}
	if err := <-b.ends; err != nil {
		return err
	}
	return b.Bucket.Upload(ctx, name, r, opts...)
}

// TestAllWhoWaitLearnOfAFailure: pushes that came while the ones before them were being written do not wait for a bucket that has failed.
func TestAllWhoWaitLearnOfAFailure(t *testing.T) {
	b := &heldBucket{objstore.NewInMemBucket(), make(chan struct{}), make(chan error)}
	opts := sharing(b)
	opts.FlushRetry = time.Millisecond
	e := open(t, opts)
	ls := labels.FromStrings("a", "b")
	const pushes = 5
	answers := make(chan error, pushes)
	push := func(i int) { answers <- e.Append(context.Background(), "t", stream(ls, entry(int64(i), "x"))) }
	go push(0)
	<-b.began
	for i := 1; i < pushes; i++ {
		go push(i)
	}
	require.Eventually(t, func() bool { _, raw, _ := e.head.Current(); return raw == pushes-1 }, 10*time.Second, time.Millisecond)
	b.ends <- errors.New("gone")
	for range pushes {
		err := <-answers
		require.ErrorIs(t, err, ErrUnavailable)
		require.ErrorContains(t, err, "gone")
	}
	go func() {
		for range b.began {
			b.ends <- nil
		}
	}()
	require.Eventually(t, func() bool { return e.FlushError() == nil && e.head.RawBytes() == 0 }, 10*time.Second, time.Millisecond, "they are stored nevertheless")
	require.Len(t, contents(t, e, "t", 0, 10)[ls.String()], pushes)
	closeEngine(t, e)
	close(b.began)
}

func TestCloseAnswersThoseWhoWait(t *testing.T) { onShared(t, testCloseAnswersThoseWhoWait) }

func testCloseAnswersThoseWhoWait(t *testing.T, st store) {
	b := st.open(t)
	opts := sharing(b)
	opts.CommitInterval = time.Hour
	e := open(t, opts)
	done := make(chan error, 1)
	go func() {
		done <- e.Append(context.Background(), "t", stream(labels.FromStrings("a", "b"), entry(1, "x")))
	}()
	require.Eventually(t, func() bool { return e.head.RawBytes() > 0 && !e.head.CurrentEmpty() }, 5*time.Second, time.Millisecond)
	closeEngine(t, e)
	require.NoError(t, <-done)
	require.Len(t, objects(t, b), 1)
}

func TestBucketModeNeedsABucket(t *testing.T) {
	_, err := Open(context.Background(), Options{WALLocation: WALInBucket})
	require.ErrorContains(t, err, "no bucket")
}

// TestAged: entries do not wait longer because the clock went back.
func TestAged(t *testing.T) {
	now := time.Now()
	for d, want := range map[time.Duration]bool{0: false, -59 * time.Minute: false, -time.Hour: true, 59 * time.Minute: false, 24 * time.Hour: true} {
		require.Equal(t, want, aged(now.Add(d), now, time.Hour), d)
	}
}
