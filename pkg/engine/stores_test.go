package engine

import (
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/thanos-io/objstore"

	"github.com/cambium-logs/cambium/pkg/storage/bucket"
	"github.com/cambium-logs/cambium/pkg/trials/s3server"
)

// store is a kind of store that tests run on.
type store struct {
	name string
	// share is the part of random histories that are tried on it, as its denominator, and slow that they are shorter: each operation takes longer.
	share uint64
	slow  bool
	// open gives an empty bucket of the test's own, or nil for the directory that an engine has to itself.
	open func(t testing.TB) objstore.Bucket
	// config gives the configuration of an empty bucket of the test's own, which other processes can open too; nil = there is none.
	config func(t testing.TB) []byte
}

// seeds is how many of n random histories a test tries.
func (s *store) seeds(n uint64) uint64 { return max(1, n/s.share) }

// steps is how long a history of n steps is.
func (s *store) steps(n int) int {
	if s.slow {
		return n / 2
	}
	return n
}

var stores = []store{
	{name: "embedded", share: 1, open: func(testing.TB) objstore.Bucket { return nil }},
	{name: "memory", share: 4, open: func(testing.TB) objstore.Bucket { return objstore.NewInMemBucket() }},
	{name: "directory", share: 100, open: func(t testing.TB) objstore.Bucket { return openStore(t, bucket.Options{Dir: t.TempDir()}) }, config: directoryConfig},
	{
		name: "s3", share: 100, slow: true, config: func(t testing.TB) []byte { return s3server.Shared(t).Bucket(t) },
		open: func(t testing.TB) objstore.Bucket {
			return openStore(t, bucket.Options{Config: s3server.Shared(t).Bucket(t)})
		},
	},
}

func directoryConfig(t testing.TB) []byte {
	return []byte("type: FILESYSTEM\nconfig:\n  directory: " + t.TempDir() + "\n")
}

func openStore(t testing.TB, opts bucket.Options) objstore.Bucket {
	b, err := bucket.Open(opts)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, b.Close()) })
	return b
}

// onStores runs a test on every kind of store; it is skipped, by name, where there is no S3 server to be had.
func onStores(t *testing.T, f func(t *testing.T, s store)) {
	for _, s := range stores {
		t.Run(s.name, func(t *testing.T) { f(t, s) })
	}
}

// onShared is onStores without the directory that an engine has to itself.
func onShared(t *testing.T, f func(t *testing.T, s store)) {
	for _, s := range stores[1:] {
		t.Run(s.name, func(t *testing.T) { f(t, s) })
	}
}

// objects lists all objects of a bucket.
func objects(t testing.TB, b objstore.Bucket) (names []string) {
	err := b.Iter(t.Context(), "", func(n string) error { names = append(names, n); return nil }, objstore.WithRecursiveIter())
	require.NoError(t, err)
	return names
}
