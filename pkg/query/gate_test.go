package query

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// waitFor polls a condition that another goroutine brings about.
func waitFor(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for range 5000 {
		if ok() {
			return
		}
		time.Sleep(time.Millisecond)
	}
	t.Fatalf("never: %s", what)
}

func (g *gate) backlog(tenant string) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.waiting[tenant])
}

func TestGateServesTenantsInTurn(t *testing.T) {
	g := newGate(1)
	ctx := context.Background()
	require.NoError(t, g.enter(ctx, "x", 10))
	order := make(chan string, 10)
	var wg sync.WaitGroup
	enqueue := func(tenant string) {
		before := g.backlog(tenant)
		wg.Add(1)
		go func() {
			defer wg.Done()
			if g.enter(ctx, tenant, 10) == nil {
				order <- tenant
				g.leave()
			}
		}()
		waitFor(t, "queued", func() bool { return g.backlog(tenant) == before+1 })
	}
	for range 3 {
		enqueue("a")
	}
	enqueue("b")
	g.leave()
	wg.Wait()
	close(order)
	var got []string
	for s := range order {
		got = append(got, s)
	}
	require.Equal(t, []string{"a", "b", "a", "a"}, got)
	require.Equal(t, 1, g.free)
}

func TestGateRefusesAndForgets(t *testing.T) {
	g := newGate(1)
	require.NoError(t, g.enter(context.Background(), "a", 1))
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- g.enter(ctx, "a", 1) }()
	waitFor(t, "queued", func() bool { return g.backlog("a") == 1 })
	require.ErrorIs(t, g.enter(context.Background(), "a", 1), ErrTooMany)
	cancel()
	require.ErrorIs(t, <-done, context.Canceled)
	require.Zero(t, g.backlog("a"))
	g.leave()
	require.NoError(t, g.enter(context.Background(), "a", 1))
	g.leave()
	require.Equal(t, 1, g.free)
	require.Empty(t, g.turns)
}

func TestOrderedTakesInOrder(t *testing.T) {
	for _, workers := range []int{1, 2, 7} {
		var running, most atomic.Int32
		next := 0
		err := ordered(context.Background(), workers, 100, func(_ context.Context, i int) (int, error) {
			if n := running.Add(1); n > most.Load() {
				most.Store(n)
			}
			defer running.Add(-1)
			if i%7 == 0 {
				time.Sleep(time.Millisecond)
			}
			return i * i, nil
		}, func(i, v int) error {
			require.Equal(t, next, i)
			require.Equal(t, i*i, v)
			next++
			return nil
		})
		require.NoError(t, err)
		require.Equal(t, 100, next)
		require.LessOrEqual(t, int(most.Load()), workers)
	}
}

func TestOrderedGivesTheFirstErrorInOrder(t *testing.T) {
	first, later := errors.New("first"), errors.New("later")
	err := ordered(context.Background(), 4, 50, func(_ context.Context, i int) (int, error) {
		switch i {
		case 3:
			time.Sleep(5 * time.Millisecond)
			return 0, first
		case 4:
			return 0, later
		}
		return 0, nil
	}, func(int, int) error { return nil })
	require.ErrorIs(t, err, first)
}

func TestOrderedTurnsPanicsIntoErrors(t *testing.T) {
	err := ordered(context.Background(), 2, 5, func(_ context.Context, i int) (int, error) {
		if i == 2 {
			panic("bad row")
		}
		return 0, nil
	}, func(int, int) error { return nil })
	require.ErrorContains(t, err, "bad row")
}
