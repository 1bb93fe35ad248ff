package deletes

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/thanos-io/objstore"

	"github.com/cambium-logs/cambium/pkg/storage/faultbucket"
)

// TestDamagedRequests: a request of which one bit is wrong is an error that names it, never another request. What arrived damaged only once is
// asked for again.
func TestDamagedRequests(t *testing.T) {
	store := faultbucket.NewStore(objstore.NewInMemBucket())
	conn := store.Connect(1)
	open := func() *Store { return NewStore(Options{Bucket: conn, Compile: compileText}) }
	id, err := open().Create(t.Context(), "t", Request{Query: `{app="1"}`, Start: 1_700_000_000, End: 1_800_000_000})
	require.NoError(t, err)
	want, err := open().Active(t.Context(), "t", math.MinInt64, math.MaxInt64)
	require.NoError(t, err)
	require.Len(t, want, 1)
	whole, err := store.Object(t.Context(), Path("t", id))
	require.NoError(t, err)
	for bit := range 8 * len(whole) {
		bad := append([]byte(nil), whole...)
		bad[bit/8] ^= 1 << (bit % 8)
		require.NoError(t, store.Replace(t.Context(), Path("t", id), bad))
		got, err := open().Active(t.Context(), "t", math.MinInt64, math.MaxInt64)
		if err == nil {
			require.Equal(t, want[0].Request, got[0].Request, "%s", bad)
			continue
		}
		require.ErrorContains(t, err, Path("t", id))
	}
	require.NoError(t, store.Replace(t.Context(), Path("t", id), whole))
	conn.Set(faultbucket.Faults{Flip: 0.2})
	failed := 0
	for range 300 {
		if _, err := open().Active(t.Context(), "t", math.MinInt64, math.MaxInt64); err != nil {
			failed++
		}
	}
	require.Less(t, failed, 40)
}
