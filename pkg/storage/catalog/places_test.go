package catalog

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/thanos-io/objstore"

	"github.com/cambium-logs/cambium/pkg/internal/idle"
	"github.com/cambium-logs/cambium/pkg/storage/segment"
)

// askForNothing asks for some days and tenants that are not there.
func askForNothing(t testing.TB, r *rand.Rand, c *Catalog) {
	for range 4 {
		tenant, day := []string{"t", "nobody", "none"}[r.IntN(3)], segment.Day(r.IntN(5))
		switch r.IntN(4) {
		case 0:
			days, err := c.Days(t.Context(), tenant)
			require.NoError(t, err)
			require.True(t, tenant == "t" || len(days) == 0)
		case 1:
			require.NoError(t, c.Refresh(t.Context(), tenant, day))
		case 2:
			d, err := c.Inspect(t.Context(), tenant, day)
			require.NoError(t, err)
			require.Equal(t, Day{Visible: []segment.Name{}}, d)
		case 3:
			c.Forget(segment.Name{Tenant: tenant, Day: day})
		}
	}
}

// TestNothingIsForgotten: what there is nothing of is known for a while, which saves listings, and then no more; what is there stays known.
func TestNothingIsForgotten(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	b := &pagedBucket{Bucket: objstore.NewInMemBucket()}
	s := newStore(t, b)
	c, _ := testCatalog(b, Options{Exclusive: true})
	c.idle = idle.NewSet[place](20)
	for day := range segment.Day(30) {
		c.Add(s.push(r, today-day))
	}
	s.check(c)
	listed := b.listed
	for i := range 500 {
		day := segment.Day(i)
		names, err := c.Segments(t.Context(), "t", day)
		require.NoError(t, err)
		require.Empty(t, names)
		if i < 20 {
			for range 3 {
				_, err = c.Segments(t.Context(), fmt.Sprint("nobody-", i%5), 7)
				require.NoError(t, err)
				_, err := c.Days(t.Context(), fmt.Sprint("none-", i%4))
				require.NoError(t, err)
			}
		}
		if i == 19 {
			require.Equal(t, 20+5+4, b.listed-listed, "each once")
		}
	}
	listed = b.listed
	s.check(c)
	require.Equal(t, listed, b.listed, "what is there is not listed again")
	require.Len(t, c.tenants, 1)
	require.LessOrEqual(t, len(c.tenants["t"].days), 30+20)
	require.LessOrEqual(t, c.idle.Len(), 20)
}

// TestForgettingBesideWriting: a day that others ask for while its first segment comes is not forgotten with it.
func TestForgettingBesideWriting(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 2))
	s := newStore(t, objstore.NewInMemBucket())
	c, _ := testCatalog(s.bucket, Options{Exclusive: true})
	var askers sync.WaitGroup
	done := make(chan struct{})
	for seed := range uint64(3) {
		askers.Go(func() {
			r := rand.New(rand.NewPCG(seed, 3))
			for {
				select {
				case <-done:
					return
				default:
				}
				_, err := c.Segments(t.Context(), "t", today-segment.Day(r.IntN(30)))
				if err == nil {
					_, err = c.Days(t.Context(), fmt.Sprint("nobody-", r.IntN(9)))
				}
				if err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	for day := range segment.Day(30) {
		c.Add(s.push(r, today-day))
		s.check(c)
	}
	close(done)
	askers.Wait()
	require.LessOrEqual(t, c.idle.Len(), 2)
	for tenant, state := range c.tenants {
		require.Zero(t, state.users, tenant)
		for day, d := range state.days {
			require.Zero(t, d.users, day)
		}
	}
}
