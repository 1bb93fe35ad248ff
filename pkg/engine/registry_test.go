package engine

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestRegistrySharesAndCloses(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	r := &Registry{Linger: time.Millisecond}
	var opened atomic.Int64
	opener := func(ctx context.Context) (*Engine, error) {
		opened.Add(1)
		return Open(ctx, Options{DataDir: dir})
	}
	var wg sync.WaitGroup
	var mu sync.Mutex
	engines := map[*Engine]int{}
	var releases []func()
	for range 8 {
		wg.Go(func() {
			e, release, err := r.Acquire(ctx, dir, opener)
			if err != nil {
				t.Error(err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			engines[e]++
			releases = append(releases, release, release)
		})
	}
	wg.Wait()
	require.Len(t, engines, 1)
	require.EqualValues(t, 1, opened.Load())
	for _, release := range releases {
		release()
	}
	// The unused engine closes, and the next one finds the directory free.
	require.Eventually(t, func() bool {
		e, release, err := r.Acquire(ctx, dir, opener)
		if err != nil {
			t.Error(err)
			return true
		}
		release()
		_, same := engines[e]
		if same {
			time.Sleep(3 * time.Millisecond) // longer than it lingers
		}
		return !same
	}, 10*time.Second, time.Millisecond)
	require.NoError(t, r.Close(ctx))
	_, _, err := r.Acquire(ctx, dir, opener)
	require.ErrorIs(t, err, ErrRegistryClosed)
}

func TestRegistryTriesAgainAfterFailures(t *testing.T) {
	ctx := context.Background()
	r := &Registry{Linger: time.Hour}
	boom := errors.New("boom")
	_, _, err := r.Acquire(ctx, "k", func(context.Context) (*Engine, error) { return nil, boom })
	require.ErrorIs(t, err, boom)
	dir := t.TempDir()
	_, _, err = r.Acquire(ctx, "k", func(ctx context.Context) (*Engine, error) { return Open(ctx, Options{DataDir: dir}) })
	require.NoError(t, err)
	require.NoError(t, r.Close(ctx), "engines that are still used are closed too")
}
