package catalog

import (
	"testing"
	"time"

	"github.com/oklog/ulid/v2"
	"github.com/stretchr/testify/require"
	"github.com/thanos-io/objstore"

	"github.com/cambium-logs/cambium/pkg/storage/segment"
)

// TestListsThatAreLate: a store may show a marker for some seconds before it shows the segment that was written before it.
func TestListsThatAreLate(t *testing.T) {
	n := segment.Name{Tenant: "t", Day: today, Level: 1, MinT: today.Start(), MaxT: today.End(), ID: ulid.ULID{1}}
	b := namesBucket{objstore.NewInMemBucket(), map[string][]string{segment.DayDir("t", today): {n.Path(), n.GonePath()}}}
	now := time.Unix(0, today.Start()).Add(time.Hour)
	c := New(Options{Bucket: b, Now: func() time.Time { return now }})
	visible := func() int {
		names, err := c.Segments(t.Context(), "t", today)
		require.NoError(t, err)
		return len(names)
	}
	for range 10 {
		require.Equal(t, 1, visible())
		now = now.Add(2 * time.Second)
	}
	now = now.Add(markerDelay)
	require.Zero(t, visible(), "what replaced it would be listed by now")
	now = now.Add(2 * time.Second)
	require.Zero(t, visible())
}

// TestAddedSegmentOutlivesItsMarker: a marker that is listed before the segment, and before what replaced it, takes nothing away from
// the process that wrote the segment.
func TestAddedSegmentOutlivesItsMarker(t *testing.T) {
	n := segment.Name{Tenant: "t", Day: today, Level: 0, MinT: today.Start(), MaxT: today.End(), ID: ulid.ULID{1}}
	b := namesBucket{objstore.NewInMemBucket(), map[string][]string{segment.DayDir("t", today): {n.GonePath()}}}
	now := time.Unix(0, today.Start()).Add(time.Hour)
	c := New(Options{Bucket: b, Now: func() time.Time { return now }})
	c.Add(segment.Info{Name: n})
	for range 3 {
		now = now.Add(2 * time.Second)
		names, err := c.Segments(t.Context(), "t", today)
		require.NoError(t, err)
		require.Len(t, names, 1)
	}
	now = now.Add(markerDelay)
	names, err := c.Segments(t.Context(), "t", today)
	require.NoError(t, err)
	require.Empty(t, names, "what replaced it would be listed by now")
}
