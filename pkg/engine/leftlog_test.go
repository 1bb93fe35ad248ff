package engine

import (
	"context"
	"errors"
	"os"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/stretchr/testify/require"

	"github.com/cambium-logs/cambium/pkg/storage/deletes"
	"github.com/cambium-logs/cambium/pkg/storage/faultbucket"
)

// TestLogLeftOnDisk: who moves the log from the disk to the bucket finds what was acknowledged before, on the disk as little as elsewhere.
func TestLogLeftOnDisk(t *testing.T) {
	onShared(t, func(t *testing.T, st store) {
		ls := labels.FromStrings("app", "a")
		b := st.open(t)
		opts := Options{DataDir: t.TempDir(), Bucket: b}
		e := open(t, opts)
		require.NoError(t, e.Append(t.Context(), "t", stream(ls, entry(1, "acknowledged"))))
		closeEngine(t, e)
		other := open(t, Options{DataDir: t.TempDir(), Bucket: b})
		_, err := other.CreateDelete(t.Context(), "t", deletes.Request{Query: `{app="a"}`, Start: 2, End: 3})
		require.NoError(t, err)

		opts.WALLocation = WALInBucket
		for range 2 {
			e = open(t, opts)
			require.Equal(t, map[string][]string{ls.String(): {"1 acknowledged []"}}, contents(t, e, "t", 0, 10))
			marks, err := e.deletes.Logs(t.Context())
			require.NoError(t, err)
			require.Len(t, marks, 1, "others do not wait for what is no more")
			closeEngine(t, e)
		}
		opts.WALLocation = WALOnDisk
		e = open(t, opts)
		require.Zero(t, e.Replayed().Entries)
		require.Equal(t, map[string][]string{ls.String(): {"1 acknowledged []"}}, contents(t, e, "t", 0, 10))
	})
}

// TestLogLeftOnDiskWaitsForTheBucket: as long as it cannot be moved the engine does not open, and it is not lost.
func TestLogLeftOnDiskWaitsForTheBucket(t *testing.T) {
	ls := labels.FromStrings("app", "a")
	store := faultbucket.NewStore(stores[1].open(t))
	conn := store.Connect(1)
	opts := Options{DataDir: t.TempDir(), Bucket: conn}
	e := open(t, opts)
	require.NoError(t, e.Append(t.Context(), "t", stream(ls, entry(1, "acknowledged"))))
	closeEngine(t, e)
	opts.WALLocation = WALInBucket
	conn.Down(errors.New("gone"))
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	_, err := Open(ctx, opts)
	require.Error(t, err)
	conn.Down(nil)
	e = open(t, opts)
	require.Len(t, contents(t, e, "t", 0, 10), 1)
}

// TestNothingLeftOnDisk: a log without entries is left alone, and so is a directory without a log.
func TestNothingLeftOnDisk(t *testing.T) {
	b := stores[1].open(t)
	opts := Options{DataDir: t.TempDir(), Bucket: b}
	require.False(t, opts.logLeft(t.Context()))
	require.NoDirExists(t, opts.walDir())
	closeEngine(t, open(t, opts))
	require.False(t, opts.logLeft(t.Context()))
	require.NoError(t, os.WriteFile(opts.markFile(), []byte("{"), 0o600))
	require.False(t, opts.logLeft(t.Context()))
}
