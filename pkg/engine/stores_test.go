package engine

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/thanos-io/objstore"

	"github.com/cambium-logs/cambium/pkg/storage/bucket"
	"github.com/cambium-logs/cambium/pkg/trials/s3server"
)

// onEveryStore runs a test on every kind of store: in memory with the seeds below seeds, and with one in a directory and on a real S3 server,
// which are slower. The test gets an empty bucket of its own. Whoever wants to know what is in it lists it.
func onEveryStore(t *testing.T, seeds uint64, f func(t *testing.T, seed uint64, b objstore.Bucket)) {
	each := func(t *testing.T, seeds uint64, open func(t *testing.T) objstore.Bucket) {
		for seed := range seeds {
			t.Run(fmt.Sprint(seed), func(t *testing.T) { f(t, seed, open(t)) })
		}
	}
	t.Run("memory", func(t *testing.T) {
		each(t, seeds, func(*testing.T) objstore.Bucket { return objstore.NewInMemBucket() })
	})
	t.Run("directory", func(t *testing.T) {
		each(t, 1, func(t *testing.T) objstore.Bucket { return openStore(t, bucket.Options{Dir: t.TempDir()}) })
	})
	t.Run("s3", func(t *testing.T) {
		server := s3server.Start(t)
		each(t, 1, func(t *testing.T) objstore.Bucket { return openStore(t, bucket.Options{Config: server.Bucket(t)}) })
	})
}

func openStore(t *testing.T, opts bucket.Options) objstore.Bucket {
	b, err := bucket.Open(opts)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, b.Close()) })
	return b
}

// objects lists all objects of a bucket.
func objects(t *testing.T, b objstore.Bucket) (names []string) {
	err := b.Iter(t.Context(), "", func(n string) error { names = append(names, n); return nil }, objstore.WithRecursiveIter())
	require.NoError(t, err)
	return names
}
