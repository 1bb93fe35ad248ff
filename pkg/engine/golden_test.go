package engine

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/stretchr/testify/require"

	"github.com/cambium-logs/cambium/pkg/ingest"
	"github.com/cambium-logs/cambium/pkg/storage/bucket"
	"github.com/cambium-logs/cambium/pkg/storage/chunk"
	"github.com/cambium-logs/cambium/pkg/storage/deletes"
	"github.com/cambium-logs/cambium/pkg/storage/head"
)

// goldenEnv names a directory that TestWriteGolden fills. See testdata/README.md.
const goldenEnv = "CAMBIUM_WRITE_GOLDEN"

// goldenPush is one push of golden data: lines of several kinds, over midnight, some with structured metadata.
func goldenPush(n int) []ingest.Stream {
	base := int64(1_700_006_400e9) - int64(40*time.Minute) + int64(n)*int64(10*time.Minute) // midnight is at push 4
	var out []ingest.Stream
	for s := range 3 {
		st := ingest.Stream{Labels: labels.FromStrings("app", fmt.Sprint("app-", s), "env", []string{"dev", "prod"}[s%2])}
		for i := range 10 {
			e := chunk.Entry{Timestamp: base + int64(i)*int64(20*time.Second)}
			switch k := n*100 + i; s {
			case 0:
				e.Line = fmt.Appendf(nil, `level=%s ts=%d msg="request done" status=%d duration=%dms trace=%016x`, []string{"info", "warn", "error"}[k%3], e.Timestamp, 200+k%5*50, k*37%1999, uint64(k)*0x9e3779b97f4a7c15)
			case 1:
				e.Line = fmt.Appendf(nil, `{"level":"info","n":%d,"path":"/items/%d","nested":{"ok":%t}}`, k, k%7, k%2 == 0)
				e.Metadata = []labels.Label{{Name: "pod", Value: fmt.Sprint("pod-", k%3)}, {Name: "trace_id", Value: fmt.Sprintf("%08x", k*7919)}}
			default:
				e.Line = fmt.Appendf(nil, "free text %d with \xff bytes, tabs\t and ünïcode", k)
			}
			st.Entries = append(st.Entries, e)
		}
		out = append(out, st)
	}
	return out
}

// goldenText is everything that tenants hold, as text.
func goldenText(t testing.TB, e *Engine, tenants ...string) string {
	var lines []string
	for _, tenant := range tenants {
		for ls, entries := range contents(t, e, tenant, math.MinInt64, math.MaxInt64) {
			for _, text := range entries {
				lines = append(lines, fmt.Sprintf("%s %s %q", tenant, ls, text))
			}
		}
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n") + "\n"
}

var goldenTenants = []string{"org-1", "org-2"}

// TestGoldenData opens data directories that earlier versions wrote, with the log of a process that was killed, and finds everything in them, as it
// is, flushed and compacted, and after a restart.
func TestGoldenData(t *testing.T) {
	dirs, err := filepath.Glob(filepath.Join("testdata", "data-*"))
	require.NoError(t, err)
	require.NotEmpty(t, dirs)
	for _, dir := range dirs {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			want, err := os.ReadFile(filepath.Join(dir, "expected.txt"))
			require.NoError(t, err)
			opts := Options{DataDir: filepath.Join(t.TempDir(), "data"), Compaction: Compaction{Settle: time.Nanosecond}}
			require.NoError(t, os.CopyFS(opts.DataDir, os.DirFS(dir)))
			e := open(t, opts)
			require.Positive(t, e.Replayed().Entries)
			require.Zero(t, e.Replayed().Damages)
			require.Equal(t, string(want), goldenText(t, e, goldenTenants...))
			require.NoError(t, e.Flush(t.Context()))
			require.Equal(t, string(want), goldenText(t, e, goldenTenants...), "flushed")
			result, err := e.Maintain(t.Context())
			require.NoError(t, err)
			require.Positive(t, result.Merges)
			require.Equal(t, string(want), goldenText(t, e, goldenTenants...), "compacted")
			closeEngine(t, e)
			e = open(t, opts)
			require.Zero(t, e.Replayed().Entries)
			require.Equal(t, string(want), goldenText(t, e, goldenTenants...), "opened again")
		})
	}
}

// TestWriteGolden writes a data directory for TestGoldenData.
func TestWriteGolden(t *testing.T) {
	dir := os.Getenv(goldenEnv)
	if dir == "" {
		t.Skipf("%s is not set: it says where to write", goldenEnv)
	}
	b, err := bucket.Open(bucket.Options{Dir: filepath.Join(dir, "bucket")})
	require.NoError(t, err)
	// Segments of level 0, as processes write them whose log is in the bucket.
	e := open(t, sharing(b))
	for n := range 2 {
		require.NoError(t, e.Append(t.Context(), "org-1", goldenPush(n)))
		require.NoError(t, e.Append(t.Context(), "org-2", goldenPush(n)[:1]))
	}
	closeEngine(t, e)
	opts := Options{DataDir: dir, Head: head.Options{ChunkBytes: 4000}, Compaction: Compaction{CancelPeriod: 100_000 * time.Hour}}
	e = open(t, opts)
	for n := 2; n < 5; n++ {
		require.NoError(t, e.Append(t.Context(), "org-1", goldenPush(n)))
		require.NoError(t, e.Flush(t.Context()))
	}
	result, err := e.Maintain(t.Context())
	require.NoError(t, err)
	require.Positive(t, result.Merges, "there is a segment that names its sources, and markers")
	for n := 5; n < 7; n++ {
		require.NoError(t, e.Append(t.Context(), "org-1", goldenPush(n)))
		require.NoError(t, e.Flush(t.Context()))
	}
	for _, r := range []deletes.Request{{Query: `{app="app-0"} |= "status=250"`}, {Query: `{env="prod"} | json | path="/items/3"`}, {Query: `{app="app-2"}`, Start: goldenPush(3)[0].Entries[0].Timestamp}} {
		r.End = goldenPush(3)[0].Entries[9].Timestamp
		_, err = e.CreateDelete(t.Context(), "org-1", r)
		require.NoError(t, err)
	}
	require.NoError(t, e.SetRetention(t.Context(), "org-2", 1_000_000*time.Hour))
	for n := 7; n < 9; n++ {
		require.NoError(t, e.Append(t.Context(), "org-1", goldenPush(n)))
		require.NoError(t, e.Append(t.Context(), "org-2", goldenPush(n)[1:]))
	}
	require.NoError(t, os.WriteFile(filepath.Join(dir, "expected.txt"), []byte(goldenText(t, e, goldenTenants...)), 0o600))
	closeEngine(t, e)
	for _, name := range []string{"lock", "lock.json", "tmp"} {
		require.NoError(t, os.RemoveAll(filepath.Join(dir, name)))
	}
}
