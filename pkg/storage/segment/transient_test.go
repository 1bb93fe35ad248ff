package segment

import (
	"bytes"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/thanos-io/objstore"

	"github.com/cambium-logs/cambium/pkg/storage/faultbucket"
)

// TestOneBadRead: bytes that arrived damaged once are asked for again, so that they fail nothing, and nothing that was read before has to be
// thrown away by hand.
func TestOneBadRead(t *testing.T) {
	store := faultbucket.NewStore(objstore.NewInMemBucket())
	conn := store.Connect(1)
	r := create(t, conn, WriterOptions{Tenant: "t", Level: 1}, randomStreams(t, rand.New(rand.NewPCG(1, 2)), 5))
	name, whole := r.Name(), must(store.Object(t.Context(), r.Name().Path()))
	for bit := 0; bit < 8*len(whole); bit += 211 {
		bad := bytes.Clone(whole)
		bad[bit/8] ^= 1 << (bit % 8)
		require.NoError(t, store.Replace(t.Context(), name.Path(), bad))
		r, err := Open(t.Context(), conn, name, 0)
		require.NoError(t, store.Replace(t.Context(), name.Path(), whole))
		if err != nil {
			require.True(t, IsCorrupt(err), err)
			r, err = Open(t.Context(), conn, name, 0)
			require.NoError(t, err)
		}
		streams, err := r.Select(t.Context(), math.MinInt64, math.MaxInt64)
		require.NoError(t, err)
		for _, s := range streams {
			for _, c := range s.Chunks {
				reader, err := c.Open(t.Context())
				require.NoError(t, err, "bit %d", bit)
				reader.Close()
				_, err = c.(ChunkRef).MayContain(t.Context(), []byte("some text that is nowhere"))
				require.NoError(t, err, "bit %d", bit)
			}
		}
		require.NoError(t, r.Verify(t.Context()), "bit %d", bit)
	}

	// One read in five is damaged: hardly anything fails.
	conn.Set(faultbucket.Faults{Flip: 0.2})
	failed := 0
	for range 200 {
		if _, err := Open(t.Context(), conn, name, 0); err != nil {
			require.True(t, IsCorrupt(err), err)
			failed++
		}
	}
	require.Less(t, failed, 25)
}
