package plugin

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestDatabasesAreSharedAndCounted(t *testing.T) {
	opened := map[string]int{}
	dbs := map[string]*fakeDB{}
	set := NewDatabases(func(_ context.Context, l Location) (Database, error) {
		opened[l.Key]++
		dbs[l.Key] = &fakeDB{}
		return dbs[l.Key], nil
	})
	embedded := set.Acquire(Location{})
	first, second := set.Acquire(Location{Key: "bucket"}), set.Acquire(Location{Key: "bucket"})
	require.Empty(t, opened, "acquiring opens nothing")
	for _, h := range []*Handle{embedded, first, second} {
		_, err := h.Database(t.Context())
		require.NoError(t, err)
	}
	require.Equal(t, map[string]int{"": 1, "bucket": 1}, opened)

	first.Release()
	first.Release()
	require.Zero(t, dbs["bucket"].closed, "somebody still uses it")
	second.Release()
	require.Equal(t, 1, dbs["bucket"].closed)
	require.Equal(t, 1, dbs["bucket"].flushed, "nobody may come back for what is in its log")
	require.Zero(t, dbs[""].closed)

	again := set.Acquire(Location{Key: "bucket"})
	_, err := again.Database(t.Context())
	require.NoError(t, err)
	require.Equal(t, 2, opened["bucket"])

	require.NoError(t, set.Close(context.Background()))
	require.Equal(t, 1, dbs[""].closed)
	require.Zero(t, dbs[""].flushed, "there is no time for it when the process is told to stop")
	second.Release()
	_, err = embedded.Database(t.Context())
	require.ErrorIs(t, err, errStopping)
}

func TestDatabasesFailureIsTriedAgain(t *testing.T) {
	broken, attempts := errors.New("disk is missing"), 0
	set := NewDatabases(func(context.Context, Location) (Database, error) {
		attempts++
		if attempts == 1 {
			return nil, broken
		}
		return &fakeDB{}, nil
	})
	h := set.Acquire(Location{})
	for range 3 {
		_, err := h.Database(t.Context())
		require.ErrorIs(t, err, broken)
	}
	require.Equal(t, 1, attempts, "a failure stands for a moment")
	h.e.failed = time.Now().Add(-retryOpen)
	_, err := h.Database(t.Context())
	require.NoError(t, err)
}

func TestDatabasesCloseDoesNotWaitForOpening(t *testing.T) {
	started := make(chan struct{})
	set := NewDatabases(func(ctx context.Context, _ Location) (Database, error) {
		close(started)
		<-ctx.Done()
		return nil, ctx.Err()
	})
	h := set.Acquire(Location{})
	failed := make(chan error, 1)
	go func() {
		_, err := h.Database(t.Context())
		failed <- err
	}()
	<-started
	require.NoError(t, set.Close(context.Background()))
	require.Error(t, <-failed)
}

func TestDatabasesWaiterGivesUpAndOpeningGoesOn(t *testing.T) {
	proceed := make(chan struct{})
	set := NewDatabases(func(context.Context, Location) (Database, error) {
		<-proceed
		return &fakeDB{}, nil
	})
	h := set.Acquire(Location{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := h.Database(ctx)
	require.ErrorIs(t, err, errOpening)
	close(proceed)
	_, err = h.Database(t.Context())
	require.NoError(t, err)
}

func TestDatabasesLateOpeningIsClosed(t *testing.T) {
	proceed, db := make(chan struct{}), &fakeDB{}
	set := NewDatabases(func(context.Context, Location) (Database, error) {
		<-proceed
		return db, nil
	})
	h := set.Acquire(Location{Key: "bucket"})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := h.Database(ctx)
	require.ErrorIs(t, err, errOpening)
	h.Release()
	close(proceed)
	require.Eventually(t, func() bool {
		db.mu.Lock()
		defer db.mu.Unlock()
		return db.closed == 1
	}, 5*time.Second, time.Millisecond)
}
