package wal

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/tsdb/wlog"
	"github.com/stretchr/testify/require"

	"github.com/cambium-logs/cambium/pkg/storage/chunk"
)

func TestReadOnlyReplayChangesNothing(t *testing.T) {
	dir := t.TempDir()
	l, err := Open(Options{Dir: dir})
	require.NoError(t, err)
	_, err = l.Replay(context.Background(), nil)
	require.NoError(t, err)
	l.Start(0)
	series := &Series{Ref: 1, Labels: labels.FromStrings("app", "x")}
	for i := range int64(3) {
		require.NoError(t, l.Append("t", uint64(i+1), []Stream{{Series: series, Entries: []chunk.Entry{{Timestamp: i, Line: []byte("line")}}}}))
	}
	require.NoError(t, l.Close())
	file := wlog.SegmentName(dir, 0)
	whole, err := os.ReadFile(file)
	require.NoError(t, err)
	torn := bytes.TrimRight(whole, "\x00")
	torn = torn[:len(torn)-3]
	require.NoError(t, os.WriteFile(file, torn, 0o600))

	l, err = Open(Options{Dir: dir, ReadOnly: true})
	require.NoError(t, err)
	rows := 0
	stats, err := l.Replay(context.Background(), func(_ string, _ labels.Labels, _ any, entries []chunk.Entry) (any, error) {
		rows += len(entries)
		return nil, nil
	})
	require.NoError(t, err)
	require.Equal(t, 1, stats.TornTails)
	require.Equal(t, 2, rows)
	after, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, torn, after)

	missing := filepath.Join(dir, "missing")
	l, err = Open(Options{Dir: missing, ReadOnly: true})
	require.NoError(t, err)
	_, err = l.Replay(context.Background(), nil)
	require.ErrorIs(t, err, os.ErrNotExist)
	require.NoDirExists(t, missing)
}
