package compact

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/cambium-logs/cambium/pkg/storage/catalog"
	"github.com/cambium-logs/cambium/pkg/storage/faultbucket"
	"github.com/cambium-logs/cambium/pkg/storage/segment"
)

// TestDamagedOnItsWay: segments that arrived damaged are merged later, without a restart.
func TestDamagedOnItsWay(t *testing.T) {
	w := newWorld(t, 12)
	for range 6 {
		w.push(today)
	}
	store := faultbucket.NewStore(w.bucket)
	conn := store.Connect(1)
	c := w.compactor(func(o *Options) {
		o.Bucket = conn
		o.Catalog = catalog.New(catalog.Options{Bucket: conn, Now: w.clock, LiveStaleness: time.Nanosecond})
	})
	conn.Set(faultbucket.Faults{Flip: 1})
	_, err := c.Pass(t.Context())
	require.NoError(t, err)
	conn.Set(faultbucket.Faults{})
	segments := func() int {
		names, err := c.opts.Catalog.Segments(t.Context(), "t", segment.Day(today))
		require.NoError(t, err)
		return len(names)
	}
	r, err := c.Pass(t.Context())
	require.NoError(t, err)
	require.Zero(t, r.Merges, "they are left alone")
	require.Equal(t, 6, segments())
	w.pass(2 * damagedRetry)
	_, err = c.Pass(t.Context())
	require.NoError(t, err)
	require.Equal(t, 1, segments())
}
