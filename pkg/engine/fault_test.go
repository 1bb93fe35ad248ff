package engine

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/tsdb/wlog"
	"github.com/stretchr/testify/require"
	"github.com/thanos-io/objstore"

	"github.com/cambium-logs/cambium/pkg/storage/bucket"
	"github.com/cambium-logs/cambium/pkg/storage/head"
)

// brokenBucket refuses uploads while fail is set.
type brokenBucket struct {
	objstore.Bucket
	fail atomic.Bool
}

func (b *brokenBucket) Upload(ctx context.Context, name string, r io.Reader, opts ...objstore.ObjectUploadOption) error {
	if b.fail.Load() {
		return errors.New("no space left on device")
	}
	return b.Bucket.Upload(ctx, name, r, opts...)
}

func TestFullBucketRefusesPushesUntilThereIsRoom(t *testing.T) {
	onShared(t, testFullBucketRefusesPushesUntilThereIsRoom)
}

func testFullBucketRefusesPushesUntilThereIsRoom(t *testing.T, st store) {
	b := &brokenBucket{Bucket: st.open(t)}
	b.fail.Store(true)
	opts := Options{DataDir: t.TempDir(), Bucket: b, Head: head.Options{MaxBytes: 100_000}, FlushRetry: 5 * time.Millisecond}
	e := open(t, opts)
	ctx := context.Background()
	ls := labels.FromStrings("a", "b")
	acked := 0
	push := func() error {
		err := e.Append(ctx, "t", stream(ls, entry(int64(acked), fmt.Sprint(acked, strings.Repeat("x", 500)))))
		if err == nil {
			acked++
		}
		return err
	}
	require.Eventually(t, func() bool {
		err := push()
		return errors.Is(err, ErrBusy) && errors.Is(err, ErrUnavailable)
	}, 10*time.Second, time.Microsecond)
	err := push()
	var busy *BusyError
	require.ErrorAs(t, err, &busy)
	require.Positive(t, busy.RetryAfter)
	require.ErrorContains(t, err, "no space left on device")
	require.Error(t, e.Flush(ctx))
	require.Error(t, e.FlushError())

	// A restart with the bucket still broken loses nothing either.
	closeEngine(t, e)
	e = open(t, opts)
	require.Len(t, contents(t, e, "t", 0, math.MaxInt64)[ls.String()], acked)
	require.LessOrEqual(t, e.head.RawBytes(), opts.Head.MaxBytes, "a start never has to read more than the head holds")

	b.fail.Store(false)
	require.Eventually(t, func() bool { return push() == nil }, 10*time.Second, time.Millisecond)
	require.NoError(t, e.Flush(ctx))
	require.NoError(t, e.FlushError())
	require.Len(t, contents(t, e, "t", 0, math.MaxInt64)[ls.String()], acked)
}

func TestTwoEnginesOnOneDirectory(t *testing.T) { onStores(t, testTwoEnginesOnOneDirectory) }

func testTwoEnginesOnOneDirectory(t *testing.T, st store) {
	b := st.open(t)
	e := open(t, Options{Bucket: b})
	ctx := context.Background()
	dir := e.opts.DataDir
	_, err := Open(ctx, Options{DataDir: dir, Bucket: b, LockWait: -1})
	require.ErrorIs(t, err, ErrLocked)
	require.ErrorContains(t, err, fmt.Sprintf("process %d", os.Getpid()))
	require.ErrorContains(t, err, dir)
	canceled, cancel := context.WithCancel(ctx)
	cancel()
	_, err = Open(canceled, Options{DataDir: dir, Bucket: b, LockWait: time.Hour})
	require.ErrorIs(t, err, ErrLocked)

	opened := make(chan error, 1)
	go func() {
		second, err := Open(ctx, Options{DataDir: dir, Bucket: b, LockWait: 20 * time.Second})
		if err == nil {
			err = second.Close(ctx)
		}
		opened <- err
	}()
	time.Sleep(20 * time.Millisecond)
	closeEngine(t, e)
	require.NoError(t, <-opened, "who waits gets the directory when it is free")
}

func TestDirectoriesThatCannotBeUsed(t *testing.T) {
	ctx := context.Background()
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	_, err := Open(ctx, Options{DataDir: filepath.Join(file, "data")})
	require.ErrorContains(t, err, "cannot be made")
	_, err = Open(ctx, Options{})
	require.ErrorContains(t, err, "no data directory")

	if os.Geteuid() == 0 {
		t.Skip("permissions do not stop the superuser")
	}
	dir := t.TempDir()
	require.NoError(t, os.Chmod(dir, 0o500))
	_, err = Open(ctx, Options{DataDir: dir})
	require.ErrorContains(t, err, "not writable")
}

func TestDamagedLogTail(t *testing.T) { onStores(t, testDamagedLogTail) }

func testDamagedLogTail(t *testing.T, st store) {
	opts := Options{DataDir: t.TempDir(), Bucket: st.open(t)}
	e := open(t, opts)
	ctx := context.Background()
	ls := labels.FromStrings("a", "b")
	for i := range 5 {
		require.NoError(t, e.Append(ctx, "t", stream(ls, entry(int64(i), fmt.Sprint("line ", i)))))
	}
	closeEngine(t, e)
	name := wlog.SegmentName(opts.walDir(), 0)
	b, err := os.ReadFile(name)
	require.NoError(t, err)
	end := len(strings.TrimRight(string(b), "\x00"))
	require.NoError(t, os.WriteFile(name, b[:end-3], 0o600))
	for range 2 {
		e = open(t, opts)
		require.Len(t, contents(t, e, "t", 0, 100)[ls.String()], 4)
		closeEngine(t, e)
	}
	require.Zero(t, e.Replayed().TornTails, "the first start repaired it")
}

func TestDamagedSegmentFailsItsQueriesOnly(t *testing.T) {
	onStores(t, testDamagedSegmentFailsItsQueriesOnly)
}

func testDamagedSegmentFailsItsQueriesOnly(t *testing.T, st store) {
	opts := Options{DataDir: t.TempDir(), Bucket: st.open(t)}
	e := open(t, opts)
	ctx := context.Background()
	ls := labels.FromStrings("a", "b")
	require.NoError(t, e.Append(ctx, "t", stream(ls, entry(1, strings.Repeat("first day ", 100)))))
	require.NoError(t, e.Append(ctx, "t", stream(ls, entry(2e18, "later"))))
	require.NoError(t, e.Flush(ctx))
	closeEngine(t, e)
	b := opts.Bucket
	if b == nil {
		b = openStore(t, bucket.Options{Dir: opts.bucketDir()})
	}
	damaged := ""
	for _, name := range objects(t, b) {
		if strings.HasPrefix(name, "t/1970-01-01/") {
			damaged = name
		}
	}
	data, err := bucket.ReadAll(ctx, b, damaged, 1<<20)
	require.NoError(t, err)
	data[12] ^= 0x40 // in the first chunk
	require.NoError(t, b.Upload(ctx, damaged, bytes.NewReader(data)))

	e = open(t, opts)
	require.Equal(t, []string{"2000000000000000000 later []"}, contents(t, e, "t", 1e18, 3e18)[ls.String()])
	snap, err := e.Snapshot(ctx, "t", 0, 10)
	require.NoError(t, err)
	defer snap.Close()
	streams, err := snap.Select(ctx, 0, 10)
	require.NoError(t, err)
	_, err = streams[0].Chunks[0].Open(ctx)
	require.ErrorContains(t, err, filepath.Base(damaged))
}

func TestMetricsAreShownWhileOpen(t *testing.T) { onStores(t, testMetricsAreShownWhileOpen) }

func testMetricsAreShownWhileOpen(t *testing.T, st store) {
	reg := prometheus.NewRegistry()
	for range 2 {
		e := open(t, Options{Registerer: reg, Bucket: st.open(t)})
		require.NoError(t, e.Append(context.Background(), "t", stream(labels.FromStrings("a", "b"), entry(1, "x"))))
		families, err := reg.Gather()
		require.NoError(t, err)
		names := map[string]bool{}
		for _, f := range families {
			names[f.GetName()] = true
		}
		for _, want := range []string{"cambium_engine_appended_entries_total", "cambium_head_memory_bytes", "cambium_wal_written_bytes_total"} {
			require.True(t, names[want], want)
		}
		second := open(t, Options{Registerer: reg, Bucket: st.open(t)})
		closeEngine(t, second)
		closeEngine(t, e)
		families, err = reg.Gather()
		require.NoError(t, err)
		require.Empty(t, families)
	}
}
