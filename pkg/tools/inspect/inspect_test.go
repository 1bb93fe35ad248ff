package inspect

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/oklog/ulid/v2"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/stretchr/testify/require"

	"github.com/cambium-logs/cambium/pkg/storage/chunk"
	"github.com/cambium-logs/cambium/pkg/storage/segment"
	"github.com/cambium-logs/cambium/pkg/tools/cli"
	"github.com/cambium-logs/cambium/pkg/tools/toolstest"
)

// sample makes a bucket with a flushed and a compacted segment of one tenant and a flushed one of another.
func sample(t *testing.T) (dir string, flushed, compacted segment.Info) {
	dir = t.TempDir()
	web, db := labels.FromStrings("app", "web"), labels.FromStrings("app", "db", "level", "warn")
	a := toolstest.Chunk{Stream: db, Entries: toolstest.Entries(time.Hour, 3, toolstest.Lines("slow query"))}
	b := toolstest.Chunk{Stream: web, Entries: toolstest.Entries(2*time.Hour, 2, toolstest.Lines("GET /"))}
	c := toolstest.Chunk{Stream: web, Entries: toolstest.Entries(3*time.Hour, 4, toolstest.Lines("POST /"))}
	flushed = toolstest.Write(t, dir, segment.WriterOptions{Tenant: "org-1", Level: 1, ID: toolstest.ID(1)}, a, b)
	compacted = toolstest.Write(t, dir, segment.WriterOptions{Tenant: "org-1", Level: 2, ID: toolstest.ID(2),
		Sources: []ulid.ULID{toolstest.ID(1)}, Deletes: []string{"request-1"}}, a, b, c)
	toolstest.Write(t, dir, segment.WriterOptions{Tenant: "org-2", Level: 1, ID: toolstest.ID(3)}, c)
	return dir, flushed, compacted
}

func run1(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	code = Main(t.Context(), args, nil, &out, &errs)
	return code, out.String(), errs.String()
}

func TestList(t *testing.T) {
	dir, _, _ := sample(t)
	before := toolstest.Files(t, dir)
	code, out, errs := run1(t, "-data", dir)
	require.Equal(t, cli.ExitOK, code, errs)
	require.Empty(t, errs)
	toolstest.Golden(t, "list.txt", out)

	code, out, _ = run1(t, "-json", "org-1", "2026-09-21", "-data", dir)
	require.Equal(t, cli.ExitOK, code)
	toolstest.Golden(t, "list.jsonl", out)

	_, out, _ = run1(t, "org-9", "-data", dir)
	require.Equal(t, "There are no segments in "+dir+" of tenant org-9.\n", out)
	require.Equal(t, before, toolstest.Files(t, dir))
}

func TestSegment(t *testing.T) {
	dir, _, compacted := sample(t)
	code, out, errs := run1(t, "-data", dir, compacted.Name.Path())
	require.Equal(t, cli.ExitOK, code, errs)
	toolstest.Golden(t, "segment.txt", out)

	code, out, _ = run1(t, "-data", dir, compacted.Name.Path(), "-json")
	require.Equal(t, cli.ExitOK, code)
	toolstest.Golden(t, "segment.json", out)

	_, out, _ = run1(t, filepath.Join(dir, compacted.Name.Path()), "-match", `{app="db"}`)
	require.Contains(t, out, `{app="db", level="warn"}`)
	require.NotContains(t, out, `{app="web"}`)
	require.Contains(t, out, "1 stream not shown")
}

func TestTemplates(t *testing.T) {
	dir := t.TempDir()
	entries := toolstest.Entries(0, 300, func(i int) string {
		if i%3 == 0 {
			return fmt.Sprintf("worker %d started", i*7)
		}
		return fmt.Sprintf("request took %d ms", i*13)
	})
	info := toolstest.Write(t, dir, segment.WriterOptions{Tenant: "t", Level: 1},
		toolstest.Chunk{Stream: labels.FromStrings("app", "x"), Encoding: chunk.EncodingColumnar, Entries: entries})
	_, out, _ := run1(t, "-data", dir, info.Name.Path(), "-templates", "1")
	require.Contains(t, out, "200  request took <_> ms")
	require.Contains(t, out, "100  (1 other template)")
	_, out, _ = run1(t, "-data", dir, info.Name.Path(), "-templates", "5", "-json")
	var d description
	require.NoError(t, json.Unmarshal([]byte(out), &d))
	require.Equal(t, []template{{"request took <_> ms", 200}, {"worker <_> started", 100}}, d.Streams[0].Templates)
}

func TestDamagedSegment(t *testing.T) {
	dir, flushed, _ := sample(t)
	toolstest.Damage(t, dir, flushed.Name, -20)
	code, out, _ := run1(t, "-data", dir, "org-1")
	require.Equal(t, cli.ExitOK, code)
	require.Contains(t, out, "unreadable")
	code, _, errs := run1(t, "-data", dir, flushed.Name.Path())
	require.Equal(t, cli.ExitFound, code)
	require.Contains(t, errs, "checksum does not match")
	require.Contains(t, errs, "gpx_cambium verify")
}

func TestUsage(t *testing.T) {
	for name, args := range map[string][]string{
		"give -data with":      {},
		"there is no director": {"-data", filepath.Join(t.TempDir(), "missing")},
		"give a tenant, a ten": {"-data", t.TempDir(), "t", "yesterday"},
		"flag provided but no": {"-nonsense"},
		"-match":               {"-match", "{"},
		"not a segment name":   {"-data", t.TempDir(), "x.seg"},
	} {
		code, out, errs := run1(t, args...)
		require.Equal(t, cli.ExitUnusable, code, name)
		require.Empty(t, out)
		require.Contains(t, errs, name)
	}
	code, out, errs := run1(t, "-h")
	require.Equal(t, cli.ExitOK, code)
	require.Empty(t, errs)
	require.True(t, strings.HasPrefix(out, "Usage: gpx_cambium inspect [flags]"), out)
}

type closedPipe struct{}

func (closedPipe) Write([]byte) (int, error) { return 0, syscall.EPIPE }

func TestClosedPipe(t *testing.T) {
	dir, _, _ := sample(t)
	var errs bytes.Buffer
	require.Equal(t, cli.ExitOK, Main(t.Context(), []string{"-data", dir}, nil, closedPipe{}, &errs))
	require.Empty(t, errs.String())
}
