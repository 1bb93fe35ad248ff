package deletes

import (
	"bytes"
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/thanos-io/objstore"
)

// goldenObjects are the objects of testdata by name: what this version writes, byte for byte, and what every later one reads.
var goldenObjects = map[string]string{
	Path("t", "0123abcd"):                 "request.json",
	statePath("t", "0123abcd"):            "state.json",
	endedPath("t", "0123abcd"):            "ended.json",
	logPath("01M7YBQC8XQQEJH0CY9W2FK7F1"): "log.json",
}

var (
	goldenRequest = Request{ID: "0123abcd", Query: `{app="1"}`, Start: 1_700_000_000_000_000_000, End: 1_700_000_100_000_000_000, Created: 1_700_000_200_000_000_000, MaxInterval: time.Hour}
	goldenState   = State{Progress: 1, Processed: 1_700_000_300_000_000_000}
	goldenMark    = LogMark{Host: "host-1", Dir: "/var/lib/cambium", Clean: 1_700_000_400_000_000_000}
)

const goldenEnd = 1_700_000_500_000_000_000

func TestGoldenObjects(t *testing.T) {
	read, written := objstore.NewInMemBucket(), objstore.NewInMemBucket()
	for name, file := range goldenObjects {
		data, err := os.ReadFile(filepath.Join("testdata", file))
		require.NoError(t, err)
		require.NoError(t, read.Upload(t.Context(), name, bytes.NewReader(bytes.TrimSpace(data))))
	}
	s := NewStore(Options{Bucket: read, Compile: compileText})
	list, err := s.List(t.Context(), "t")
	require.NoError(t, err)
	require.Equal(t, []Status{{goldenRequest, goldenState, goldenEnd}}, list)
	active, err := s.Active(t.Context(), "t", math.MinInt64, math.MaxInt64)
	require.NoError(t, err)
	require.Empty(t, active, "it has ended")
	logs, err := s.Logs(t.Context())
	require.NoError(t, err)
	require.Equal(t, map[string]LogMark{"01M7YBQC8XQQEJH0CY9W2FK7F1": goldenMark}, logs)

	s = NewStore(Options{Bucket: written, Compile: compileText, Now: func() time.Time { return time.Unix(0, goldenEnd) }})
	require.NoError(t, s.write(t.Context(), Path("t", "0123abcd"), goldenRequest))
	require.NoError(t, s.SetState(t.Context(), "t", "0123abcd", goldenState))
	require.NoError(t, s.End(t.Context(), "t", "0123abcd"))
	require.NoError(t, s.MarkLog(t.Context(), "01M7YBQC8XQQEJH0CY9W2FK7F1", goldenMark))
	for name, file := range goldenObjects {
		require.Equal(t, string(read.Objects()[name]), string(written.Objects()[name]), file)
	}
}

// TestLogs: a mark is written again and again, a damaged one is an error, and what is removed twice is no error.
func TestLogs(t *testing.T) {
	b := objstore.NewInMemBucket()
	s := NewStore(Options{Bucket: b, Compile: compileText})
	logs, err := s.Logs(t.Context())
	require.NoError(t, err)
	require.Empty(t, logs)
	for i := range int64(3) {
		require.NoError(t, s.MarkLog(t.Context(), "a", LogMark{Clean: i}))
	}
	require.NoError(t, s.MarkLog(t.Context(), "b", LogMark{Clean: 7}))
	logs, err = s.Logs(t.Context())
	require.NoError(t, err)
	require.Equal(t, map[string]LogMark{"a": {Clean: 2}, "b": {Clean: 7}}, logs)
	bad := bytes.Replace(b.Objects()[LogsDir+"b.json"], []byte("7"), []byte("8"), 1)
	require.NoError(t, b.Upload(t.Context(), LogsDir+"b.json", bytes.NewReader(bad)))
	_, err = s.Logs(t.Context())
	require.ErrorContains(t, err, LogsDir+"b.json")
	for range 2 {
		require.NoError(t, s.RemoveLog(t.Context(), "b"))
	}
	logs, err = s.Logs(t.Context())
	require.NoError(t, err)
	require.Len(t, logs, 1)
}
