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
