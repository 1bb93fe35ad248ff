package engine

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/stretchr/testify/require"

	"github.com/cambium-logs/cambium/pkg/storage/bucket"
	"github.com/cambium-logs/cambium/pkg/storage/head"
)

// fill writes to a file of the directory until there is no room left.
func fill(dir string) error {
	f, err := os.Create(filepath.Join(dir, "rest"))
	if err != nil {
		return err
	}
	defer f.Close()
	for {
		if _, err := f.Write(make([]byte, 4096)); errors.Is(err, syscall.ENOSPC) {
			return nil
		} else if err != nil {
			return err
		}
	}
}

// TestFullDisk fills a real file system under an engine, twice over: log and bucket cannot be written. What was acknowledged stays,
// pushes are refused with the reason, and both come back when there is room.
func TestFullDisk(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=8m"); err != nil {
		t.Skip("a small file system cannot be mounted here: ", err)
	}
	defer func() { require.NoError(t, syscall.Unmount(dir, syscall.MNT_DETACH)) }()
	filler := filepath.Join(dir, "filler")
	require.NoError(t, os.WriteFile(filler, make([]byte, 6<<20), 0o600))
	opts := Options{DataDir: filepath.Join(dir, "data"), Head: head.Options{MaxBytes: 64 << 20}, FlushBytes: 1 << 40, FlushRetry: 10 * time.Millisecond}
	e := open(t, opts)
	ctx := context.Background()
	ls := labels.FromStrings("a", "b")
	acked := 0
	push := func() error {
		text := fmt.Sprint(acked, " ", strings.Repeat(fmt.Sprintf("%x", acked*7919), 4000)) // little of it compresses away
		var b strings.Builder
		for i := range 200 {
			fmt.Fprintf(&b, "%x", uint32(acked*1_000_003+i)*2_654_435_761)
		}
		err := e.Append(ctx, "t", stream(ls, entry(int64(acked), text+b.String())))
		if err == nil {
			acked++
		}
		return err
	}
	var err error
	for err == nil {
		err = push()
	}
	require.True(t, errors.Is(err, ErrUnavailable), err)
	require.ErrorContains(t, err, "no space left on device")
	require.ErrorIs(t, push(), ErrUnavailable, "at once, while it lasts")
	require.Error(t, e.Flush(ctx))
	require.Len(t, contents(t, e, "t", 0, math.MaxInt64)[ls.String()], acked, "reading goes on")

	require.NoError(t, os.Truncate(filler, 6<<20-512<<10))
	closeEngine(t, e)
	require.NoError(t, fill(dir))
	e = open(t, opts)
	require.Len(t, contents(t, e, "t", 0, math.MaxInt64)[ls.String()], acked, "a start on a full disk reads")
	require.ErrorContains(t, push(), "no space left on device")
	closeEngine(t, e)

	require.NoError(t, os.Remove(filepath.Join(dir, "rest")))
	require.NoError(t, os.Truncate(filler, 4<<20))
	e = open(t, opts)
	before := acked
	require.Len(t, contents(t, e, "t", 0, math.MaxInt64)[ls.String()], acked)
	for err = nil; err == nil; {
		err = push()
	}
	require.Greater(t, acked, before)
	require.ErrorIs(t, err, ErrUnavailable)

	require.NoError(t, os.Remove(filler))
	require.Eventually(t, func() bool { return push() == nil }, 10*time.Second, 10*time.Millisecond, "service returns by itself")
	require.NoError(t, e.Flush(ctx))
	require.Len(t, contents(t, e, "t", 0, math.MaxInt64)[ls.String()], acked)
	closeEngine(t, e)
}

// TestReadOnlyDirectory takes the right to write away from a bucket's directory, under engines with the log on another disk and in the bucket:
// what was acknowledged stays, pushes are refused with the reason when the budget is spent, and service returns by itself.
func TestReadOnlyDirectory(t *testing.T) {
	for name, location := range map[string]WALLocation{"log on disk": WALOnDisk, "log in bucket": WALInBucket} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=64m"); err != nil {
				t.Skip("a file system cannot be mounted here: ", err)
			}
			defer func() { require.NoError(t, syscall.Unmount(dir, syscall.MNT_DETACH)) }()
			readOnly := func(yes bool) {
				flags := uintptr(syscall.MS_REMOUNT)
				if yes {
					flags |= syscall.MS_RDONLY
				}
				require.Eventually(t, func() bool { return syscall.Mount("tmpfs", dir, "tmpfs", flags, "size=64m") == nil }, 10*time.Second, time.Millisecond)
			}
			testReadOnlyDirectory(t, location, filepath.Join(dir, "bucket"), readOnly)
		})
	}
}

func testReadOnlyDirectory(t *testing.T, location WALLocation, dir string, readOnly func(bool)) {
	opts := Options{
		DataDir: t.TempDir(), Bucket: openStore(t, bucket.Options{Dir: dir}), WALLocation: location, CommitInterval: 2 * time.Millisecond,
		Head: head.Options{MaxBytes: 200_000}, FlushRetry: 5 * time.Millisecond,
	}
	e := open(t, opts)
	ls := labels.FromStrings("a", "b")
	acked := map[string]bool{}
	next := 0
	push := func() error {
		next++
		text := fmt.Sprint(next, " ", strings.Repeat("x", 1000))
		err := e.Append(t.Context(), "t", stream(ls, entry(int64(next), text)))
		if err == nil {
			acked[fmt.Sprint(next, " ", text, " []")] = true
		}
		return err
	}
	check := func() {
		t.Helper()
		shown := map[string]bool{}
		for _, line := range contents(t, e, "t", 0, math.MaxInt64)[ls.String()] {
			shown[line] = true
		}
		for line := range acked {
			require.True(t, shown[line], "acknowledged: %.20s", line)
		}
	}
	require.NoError(t, push())
	require.NoError(t, e.Flush(t.Context()))
	readOnly(true)
	var err error
	require.Eventually(t, func() bool {
		err = push()
		return err != nil && e.FlushError() != nil
	}, 20*time.Second, time.Microsecond)
	require.ErrorIs(t, err, ErrUnavailable)
	require.Eventually(t, func() bool { return strings.Contains(fmt.Sprint(push()), "read-only file system") }, 10*time.Second, time.Millisecond)
	require.Equal(t, location == WALOnDisk, len(acked) > 1, "the log's disk takes what the budget allows")
	check()
	readOnly(false)
	require.Eventually(t, func() bool { return push() == nil }, 20*time.Second, time.Millisecond, "service returns by itself")
	require.NoError(t, e.Flush(t.Context()))
	check()
	closeEngine(t, e)

	// A start where nothing can be written says so.
	readOnly(true)
	_, err = Open(t.Context(), Options{DataDir: filepath.Join(filepath.Dir(dir), "data")})
	require.ErrorContains(t, err, "read-only file system")
	readOnly(false)
	e = open(t, opts)
	check()
	closeEngine(t, e)
}
