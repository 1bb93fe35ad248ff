package catalog

import (
	"context"
	"testing"

	"github.com/oklog/ulid/v2"
	"github.com/stretchr/testify/require"
	"github.com/thanos-io/objstore"

	"github.com/cambium-logs/cambium/pkg/storage/segment"
)

// namesBucket lists names without having objects.
type namesBucket struct {
	objstore.Bucket
	names map[string][]string // by directory
}

func (b namesBucket) Iter(_ context.Context, dir string, f func(string) error, _ ...objstore.IterOption) error {
	for _, n := range b.names[dir] {
		if err := f(n); err != nil {
			return err
		}
	}
	return nil
}

// BenchmarkFirstSnapshot is what a start costs with 100,000 segments in 100 days: a snapshot of one day, and one of all days.
func BenchmarkFirstSnapshot(b *testing.B) {
	bucket := namesBucket{objstore.NewInMemBucket(), map[string][]string{}}
	for d := range segment.Day(100) {
		day := today - d
		dir := segment.DayDir("t", day)
		bucket.names[segment.TenantDir("t")] = append(bucket.names[segment.TenantDir("t")], dir)
		for i := range 1000 {
			n := segment.Name{Tenant: "t", Day: day, Level: 1, MinT: day.Start(), MaxT: day.End(), ID: ulid.ULID{byte(d), byte(i), byte(i >> 8)}}
			bucket.names[dir] = append(bucket.names[dir], n.Path())
		}
	}
	for name, days := range map[string]segment.Day{"day": 1, "all": 100} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				c, _ := testCatalog(bucket, Options{})
				snap, err := c.Snapshot(b.Context(), "t", (today - days + 1).Start(), today.End())
				require.NoError(b, err)
				require.Len(b, snap.Segments(), 1000*int(days))
			}
		})
	}
}
