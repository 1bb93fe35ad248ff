package head

import (
	"fmt"
	"math"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/stretchr/testify/require"

	"github.com/cambium-logs/cambium/pkg/storage/chunk"
)

// TestUnusedTenantsAreForgotten: but not beside the first push, which everybody hears who listens.
func TestUnusedTenantsAreForgotten(t *testing.T) {
	h := newHead(t, Options{})
	ls := labels.FromStrings("app", "a")
	for i := range 300 {
		tenant := fmt.Sprint("t", i)
		var wg sync.WaitGroup
		pushed1 := make(chan struct{})
		for range 2 {
			wg.Go(func() {
				for done := false; !done; {
					select {
					case <-pushed1:
						done = true
					default:
					}
					var rec recorder
					snap, end := h.Listen(tenant, &rec)
					h.Snapshot(tenant).Close()
					end()
					seen := append(flatten(contents(t, snap, 0, math.MaxInt64)), rec.lines...)
					snap.Close()
					if done && len(seen) != 1 || len(seen) > 1 {
						t.Errorf("%q after the push", seen)
					}
				}
			})
		}
		push(t, h, tenant, pushed{ls, []chunk.Entry{line(1, "x")}})
		close(pushed1)
		wg.Wait()
		require.Equal(t, 1, h.ActiveStreams(tenant))
		snap, end := h.Listen(fmt.Sprint("nobody-", i), &recorder{})
		end()
		require.Len(t, h.Tenants(), i+2)
		snap.Close()
		require.Len(t, h.Tenants(), i+1)
	}
}

// TestIdleTenantsHaveNoPostings: streams that come again are found again, and when the tenant was pushed to is still known.
func TestIdleTenantsHaveNoPostings(t *testing.T) {
	h := newHead(t, Options{StreamIdle: time.Nanosecond})
	for i := range int64(3) {
		require.Nil(t, h.tenant("t").postings)
		push(t, h, "t", pushed{labels.FromStrings("app", "a"), []chunk.Entry{line(i, "x")}}, pushed{labels.FromStrings("app", "b"), []chunk.Entry{line(i, "y")}})
		snap := h.Snapshot("t")
		got := contents(t, snap, 0, 100, labels.MustNewMatcher(labels.MatchEqual, "app", "b"))
		require.Equal(t, map[string][]string{`{app="b"}`: {fmt.Sprint(i, " y")}}, got)
		snap.Close()
		h.Seal().Drop("t")
		h.Seal()
		require.Zero(t, h.ActiveStreams("t"))
		late := h.Snapshot("t")
		require.Empty(t, contents(t, late, 0, 100))
		late.Close()
		_, received := h.Stats("t")
		require.False(t, received.IsZero())
	}
}
