package verify

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gofrs/flock"
	"github.com/oklog/ulid/v2"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/stretchr/testify/require"

	"github.com/cambium-logs/cambium/pkg/storage/bucket"
	"github.com/cambium-logs/cambium/pkg/storage/catalog"
	"github.com/cambium-logs/cambium/pkg/storage/chunk"
	"github.com/cambium-logs/cambium/pkg/storage/segment"
	"github.com/cambium-logs/cambium/pkg/tools/cli"
	"github.com/cambium-logs/cambium/pkg/tools/toolstest"
)

var (
	web = labels.FromStrings("app", "web")
	db  = labels.FromStrings("app", "db")
)

func verify(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	code = Main(t.Context(), args, nil, &out, &errs)
	return code, out.String(), errs.String()
}

// contents reads all lines of a tenant as a query would; damage is an error.
func contents(t *testing.T, dir string) ([]string, error) {
	t.Helper()
	b, err := bucket.Open(bucket.Options{Dir: dir, ReadOnly: true})
	require.NoError(t, err)
	snap, err := catalog.New(catalog.Options{Bucket: b}).Snapshot(t.Context(), "t", toolstest.At(0), toolstest.At(24*time.Hour))
	require.NoError(t, err)
	defer snap.Close()
	streams, err := snap.Select(t.Context(), toolstest.At(0), toolstest.At(24*time.Hour))
	if err != nil {
		return nil, err
	}
	var lines []string
	for _, s := range streams {
		for _, c := range s.Chunks {
			r, err := c.Open(t.Context())
			if err != nil {
				return nil, err
			}
			for _, e := range chunk.ReadAll(nil, r) {
				lines = append(lines, s.Labels.Get("app")+" "+string(e.Line))
			}
			r.Close()
		}
	}
	slices.Sort(lines)
	return lines, nil
}

// three are three chunks of two streams.
func three() []toolstest.Chunk {
	return []toolstest.Chunk{
		{Stream: db, Entries: toolstest.Entries(time.Hour, 3, toolstest.Lines("query"))},
		{Stream: web, Entries: toolstest.Entries(2*time.Hour, 2, toolstest.Lines("GET")), Encoding: chunk.EncodingColumnar},
		{Stream: web, Entries: toolstest.Entries(3*time.Hour, 4, toolstest.Lines("POST"))},
	}
}

// offsetOf gives where a chunk's bytes lie.
func offsetOf(t *testing.T, dir string, name segment.Name, ordinal int) int64 {
	t.Helper()
	b, err := bucket.Open(bucket.Options{Dir: dir, ReadOnly: true})
	require.NoError(t, err)
	r, err := segment.Open(t.Context(), b, name, 0)
	require.NoError(t, err)
	c, err := r.Chunk(ordinal)
	require.NoError(t, err)
	return c.Offset() + c.Meta().StoredBytes - 1
}

func TestSound(t *testing.T) {
	dir := t.TempDir()
	toolstest.Write(t, dir, segment.WriterOptions{Tenant: "t", Level: 1}, three()...)
	before := toolstest.Files(t, dir)
	code, out, errs := verify(t, "-data", dir)
	require.Equal(t, cli.ExitOK, code, out+errs)
	require.True(t, strings.HasPrefix(out, "sound: 1 segment, 3 chunks, 9 rows, "), out)
	code, out, _ = verify(t, "-data", dir, "-quick", "-json")
	require.Equal(t, cli.ExitOK, code)
	require.Contains(t, out, `"chunks":3`)
	require.Equal(t, before, toolstest.Files(t, dir))
}

// TestEveryByte flips bytes all over a segment: each is found, and nothing is changed without -repair.
func TestEveryByte(t *testing.T) {
	dir := t.TempDir()
	info := toolstest.Write(t, dir, segment.WriterOptions{Tenant: "t", Level: 1}, three()...)
	random := rand.New(rand.NewPCG(1, 2))
	for range 60 {
		at := random.Int64N(info.Size)
		toolstest.Damage(t, dir, info.Name, at)
		before := toolstest.Files(t, dir)
		code, out, errs := verify(t, "-data", dir)
		require.Equal(t, cli.ExitFound, code, "byte %d: %s%s", at, out, errs)
		require.Equal(t, before, toolstest.Files(t, dir))
		toolstest.Damage(t, dir, info.Name, at)
	}
}

func TestRepairKeepsSoundChunks(t *testing.T) {
	dir := t.TempDir()
	info := toolstest.Write(t, dir, segment.WriterOptions{Tenant: "t", Level: 1, Deletes: []string{"d"}}, three()...)
	whole, err := contents(t, dir)
	require.NoError(t, err)
	toolstest.Damage(t, dir, info.Name, offsetOf(t, dir, info.Name, 2))
	_, err = contents(t, dir)
	require.Error(t, err)

	code, out, _ := verify(t, "-data", dir)
	require.Equal(t, cli.ExitFound, code)
	require.Contains(t, out, "damaged  "+info.Name.Path())
	require.Contains(t, out, `unreadable: 4 rows of 1 stream (24 B) between 2026-09-21T03:00:00.000Z and 2026-09-21T03:00:03.000Z`)
	require.Contains(t, out, `{app="web"}`)

	code, out, errs := verify(t, "-data", dir, "-repair")
	require.Equal(t, cli.ExitFound, code, errs)
	require.Contains(t, out, "repair: 5 rows of 2 streams are kept in t/2026-09-21/2-")
	require.Contains(t, out, "moved to ~quarantine/"+info.Name.Path())

	code, out, _ = verify(t, "-data", dir)
	require.Equal(t, cli.ExitOK, code, out)
	require.Contains(t, out, "~quarantine/: holds 1 segment")
	left, err := contents(t, dir)
	require.NoError(t, err)
	require.Equal(t, slices.DeleteFunc(whole, func(l string) bool { return strings.HasPrefix(l, "web POST") }), left)

	note, err := os.ReadFile(filepath.Join(dir, "~quarantine", info.Name.Path()+".json"))
	require.NoError(t, err)
	var why Finding
	require.NoError(t, json.Unmarshal(note, &why))
	require.EqualValues(t, 4, why.Lost.Rows)
	require.FileExists(t, filepath.Join(dir, "~quarantine", info.Name.Path()))
}

// TestRepairDamagedFilters loses no row when a filter alone is damaged.
func TestRepairDamagedFilters(t *testing.T) {
	dir := t.TempDir()
	info := toolstest.Write(t, dir, segment.WriterOptions{Tenant: "t", Level: 1}, three()...)
	whole, err := contents(t, dir)
	require.NoError(t, err)
	toolstest.Damage(t, dir, info.Name, info.Footer.Filters.Offset+info.Footer.Filters.Length-1)
	code, out, _ := verify(t, "-data", dir, "-repair")
	require.Equal(t, cli.ExitFound, code)
	require.NotContains(t, out, "unreadable:")
	require.Contains(t, out, "9 rows of 2 streams are kept")
	left, err := contents(t, dir)
	require.NoError(t, err)
	require.Equal(t, whole, left)
	code, out, _ = verify(t, "-data", dir)
	require.Equal(t, cli.ExitOK, code, out)
}

func TestRepairWithoutIndex(t *testing.T) {
	for name, damage := range map[string]func(segment.Info) int64{
		"index":  func(i segment.Info) int64 { return i.Footer.Index.Offset + 5 },
		"footer": func(i segment.Info) int64 { return i.Size - 40 },
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			info := toolstest.Write(t, dir, segment.WriterOptions{Tenant: "t", Level: 1}, three()...)
			toolstest.Damage(t, dir, info.Name, damage(info))
			code, out, _ := verify(t, "-data", dir, "-repair")
			require.Equal(t, cli.ExitFound, code)
			if name == "index" {
				require.Contains(t, out, "unreadable: 9 rows of 2 streams")
			} else {
				require.Contains(t, out, "unreadable: an unknown number of rows of an unknown number of streams between 2026-09-21T01:00:00.000Z and")
			}
			require.Contains(t, out, "all of it is lost; moved to ~quarantine/")
			left, err := contents(t, dir)
			require.NoError(t, err)
			require.Empty(t, left)
			code, _, _ = verify(t, "-data", dir)
			require.Equal(t, cli.ExitOK, code)
		})
	}
}

// TestRepairFromSources damages a compacted segment whose sources are still there, hidden by markers.
func TestRepairFromSources(t *testing.T) {
	dir := t.TempDir()
	chunks := three()
	one := toolstest.Write(t, dir, segment.WriterOptions{Tenant: "t", Level: 1}, chunks[:1]...)
	two := toolstest.Write(t, dir, segment.WriterOptions{Tenant: "t", Level: 1}, chunks[1:]...)
	whole, err := contents(t, dir)
	require.NoError(t, err)
	merged := toolstest.Write(t, dir, segment.WriterOptions{Tenant: "t", Level: 2, Sources: []ulid.ULID{one.Name.ID, two.Name.ID}}, chunks...)
	require.NoError(t, os.WriteFile(filepath.Join(dir, one.Name.GonePath()), nil, 0o600))
	code, out, _ := verify(t, "-data", dir)
	require.Equal(t, cli.ExitOK, code)
	require.Contains(t, out, "hidden by a marker; waits to be deleted")
	require.Contains(t, out, "its entries are in "+merged.Name.ID.String())

	toolstest.Damage(t, dir, merged.Name, merged.Footer.Index.Offset+9)
	code, out, _ = verify(t, "-data", dir, "-repair")
	require.Equal(t, cli.ExitFound, code)
	require.Contains(t, out, "nothing is lost: the 2 segments it was made of are read again")
	left, err := contents(t, dir)
	require.NoError(t, err)
	require.Equal(t, whole, left)
	code, _, _ = verify(t, "-data", dir)
	require.Equal(t, cli.ExitOK, code)
}

// TestInterruptedRepair has what a repair left that ended before it moved the damaged segment.
func TestInterruptedRepair(t *testing.T) {
	dir := t.TempDir()
	chunks := three()
	info := toolstest.Write(t, dir, segment.WriterOptions{Tenant: "t", Level: 1}, chunks...)
	toolstest.Damage(t, dir, info.Name, offsetOf(t, dir, info.Name, 2))
	toolstest.Write(t, dir, segment.WriterOptions{Tenant: "t", Level: 2, Sources: []ulid.ULID{info.Name.ID}}, chunks[:2]...)
	code, out, _ := verify(t, "-data", dir, "-repair")
	require.Equal(t, cli.ExitFound, code)
	require.Contains(t, out, "repair: nothing is lost; moved to")
	left, err := contents(t, dir)
	require.NoError(t, err)
	require.Len(t, left, 5)
}

func TestDuplicates(t *testing.T) {
	dir := t.TempDir()
	chunks := three()
	one := toolstest.Write(t, dir, segment.WriterOptions{Tenant: "t", Level: 1, ID: toolstest.ID(1)}, chunks...)
	again := toolstest.Chunk{Stream: web, Entries: append(toolstest.Entries(3*time.Hour, 3, toolstest.Lines("POST")),
		toolstest.Entries(3*time.Hour+2*time.Second, 30, toolstest.Lines("other"))...)}
	two := toolstest.Write(t, dir, segment.WriterOptions{Tenant: "t", Level: 1, ID: toolstest.ID(2)}, again)
	toolstest.Write(t, dir, segment.WriterOptions{Tenant: "u", Level: 1, ID: toolstest.ID(3)}, again)
	code, out, _ := verify(t, "-data", dir)
	require.Equal(t, cli.ExitOK, code, out)
	require.Equal(t, 1, strings.Count(out, "in common"), out)
	require.Contains(t, out, one.Name.Path()+": 3 rows with "+two.Name.ID.String()+" in common")
	_, out, _ = verify(t, "-data", dir, "-q")
	require.NotContains(t, out, "in common")
}

func TestLeftovers(t *testing.T) {
	data := t.TempDir()
	dir := filepath.Join(data, "bucket")
	toolstest.Write(t, dir, segment.WriterOptions{Tenant: "t", Level: 1}, three()...)
	for name, text := range map[string]string{
		"bucket/.tmp/upload-1.tmp": "x",
		"bucket/stray":             "x",
		"bucket/compactor.json":    "{}",
		"bucket/t/2026-09-21/" + toolstest.ID(9).String() + ".gone":      "",
		"bucket/t/2026-09-21/1-0-0-" + toolstest.ID(9).String() + ".seg": "misplaced",
		"bucket/t/deletes/a.json":                                        `{"crc32c":695980202,"content":{}}`,
		"bucket/t/deletes/b.json":                                        "{",
		"bucket/~logs/a.json":                                            `{"crc32c":695980202,"content":{}}`,
		"bucket/~logs/c.json":                                            `{"crc32c":1,"content":{}}`,
		"wal-aside-20260101T000000Z/00000000":                            "",
		"tmp/segment-1.tmp":                                              "x",
		"wal/00000001.damaged":                                           "x",
	} {
		require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(data, name)), 0o700))
		require.NoError(t, os.WriteFile(filepath.Join(data, name), []byte(text), 0o600))
	}
	before := toolstest.Files(t, data)
	code, out, _ := verify(t, "-data", data)
	require.Equal(t, cli.ExitFound, code)
	require.Equal(t, before, toolstest.Files(t, data))
	for _, want := range []string{
		"notice  " + filepath.Join(dir, ".tmp", "upload-1.tmp") + ": unfinished upload",
		"notice  stray: nothing of Cambium has this name",
		"notice  t/2026-09-21/1-0-0-" + toolstest.ID(9).String() + ".seg: nothing of Cambium",
		".gone: marker of a segment that is deleted",
		"damaged  t/deletes/b.json: delete request: the object is damaged",
		"damaged  ~logs/c.json: mark of a write-ahead log: the object is damaged",
		"wal-aside-20260101T000000Z: a write-ahead log that came back too late",
		"segment under construction",
		"copy of a damaged file",
		"2 damaged: 1 segment",
	} {
		require.Contains(t, out, want)
	}
	require.NotContains(t, out, "compactor.json")
	require.NotContains(t, out, "a.json")
}

func TestMisnamed(t *testing.T) {
	dir := t.TempDir()
	info := toolstest.Write(t, dir, segment.WriterOptions{Tenant: "t", Level: 1}, three()...)
	other := info.Name
	other.MaxT++
	require.NoError(t, os.Rename(filepath.Join(dir, info.Name.Path()), filepath.Join(dir, other.Path())))
	code, out, _ := verify(t, "-data", dir)
	require.Equal(t, cli.ExitFound, code)
	require.Contains(t, out, "describes another segment than the object is named for")
}

func TestTruncated(t *testing.T) {
	dir := t.TempDir()
	info := toolstest.Write(t, dir, segment.WriterOptions{Tenant: "t", Level: 1}, three()...)
	for _, size := range []int64{0, 10, info.Size / 2, info.Size - 1} {
		require.NoError(t, os.Truncate(filepath.Join(dir, info.Name.Path()), size))
		code, out, errs := verify(t, "-data", dir)
		require.Equal(t, cli.ExitFound, code, "%d: %s%s", size, out, errs)
	}
}

func TestRepairNeedsTheDirectory(t *testing.T) {
	data := t.TempDir()
	toolstest.Write(t, filepath.Join(data, "bucket"), segment.WriterOptions{Tenant: "t", Level: 1}, three()...)
	holder := flock.New(filepath.Join(data, "lock"))
	ok, err := holder.TryLock()
	require.NoError(t, err)
	require.True(t, ok)
	code, _, errs := verify(t, "-data", data, "-repair")
	require.Equal(t, cli.ExitUnusable, code)
	require.Contains(t, errs, "another process has "+data)
	code, _, _ = verify(t, "-data", data)
	require.Equal(t, cli.ExitOK, code)
	require.NoError(t, holder.Unlock())
	code, _, errs = verify(t, "-data", data, "-repair")
	require.Equal(t, cli.ExitOK, code, errs)
}

func TestUsage(t *testing.T) {
	for want, args := range map[string][]string{
		"give -data with":        {},
		"there is no directory":  {"-data", filepath.Join(t.TempDir(), "missing")},
		"leave out -quick":       {"-data", t.TempDir(), "-repair", "-quick"},
		"-color is auto":         {"-color", "blue"},
		"at most a tenant and a": {"-data", t.TempDir(), "a", "b", "c"},
	} {
		code, _, errs := verify(t, args...)
		require.Equal(t, cli.ExitUnusable, code)
		require.Contains(t, errs, want)
	}
}
