package deletes

import (
	"fmt"
	"math"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/thanos-io/objstore"

	"github.com/cambium-logs/cambium/pkg/internal/idle"
)

// TestTenantsWithoutRequestsAreForgotten: but not while somebody stores their first request, nor as long as they have one.
func TestTenantsWithoutRequestsAreForgotten(t *testing.T) {
	s := NewStore(Options{Bucket: objstore.NewInMemBucket(), Compile: compileText, Exclusive: true})
	s.idle = idle.NewSet[string](2)
	active := func(tenant string) int {
		list, err := s.Active(t.Context(), tenant, math.MinInt64, math.MaxInt64)
		require.NoError(t, err)
		return len(list)
	}
	for i := range 100 {
		require.Zero(t, active(fmt.Sprint("nobody-", i)))
	}
	require.Len(t, s.tenants, 2)
	const tenants = 50
	done := make(chan struct{})
	var askers sync.WaitGroup
	for range 3 {
		askers.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-done:
					return
				default:
				}
				if _, err := s.Active(t.Context(), fmt.Sprint("t", i%tenants), 0, 1); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	for i := range tenants {
		tenant := fmt.Sprint("t", i)
		first, err := s.Create(t.Context(), tenant, Request{Query: "a"})
		require.NoError(t, err)
		require.Equal(t, 1, active(tenant))
		second, err := s.Create(t.Context(), tenant, Request{Query: "b"})
		require.NoError(t, err)
		require.Equal(t, 2, active(tenant))
		require.NoError(t, s.Remove(t.Context(), tenant, first))
		require.NoError(t, s.End(t.Context(), tenant, second))
		require.Zero(t, active(tenant))
		if i%2 == 0 {
			require.NoError(t, s.Remove(t.Context(), tenant, second))
		}
	}
	close(done)
	askers.Wait()
	require.Len(t, s.tenants, tenants/2+2)
	for tenant, r := range s.tenants {
		require.Zero(t, r.users, tenant)
	}
}
