// Package toolstest makes buckets for tests of tools: their bytes are the same in every run.
package toolstest

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/oklog/ulid/v2"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/stretchr/testify/require"

	"github.com/cambium-logs/cambium/pkg/storage/bucket"
	"github.com/cambium-logs/cambium/pkg/storage/chunk"
	"github.com/cambium-logs/cambium/pkg/storage/segment"
)

// Day is the day that tests write to.
var Day = time.Date(2026, 9, 21, 0, 0, 0, 0, time.UTC)

// At gives a time on Day in nanoseconds since the epoch.
func At(d time.Duration) int64 { return Day.Add(d).UnixNano() }

// ID gives an id that is the same in every run.
func ID(n int) ulid.ULID {
	var id ulid.ULID
	_ = id.SetTime(uint64(Day.UnixMilli()))
	id[15] = byte(n)
	return id
}

// Chunk is a chunk of a test's segment.
type Chunk struct {
	Stream   labels.Labels
	Encoding chunk.Encoding // zero: plain
	Entries  []chunk.Entry
}

// Entries makes n entries from a time on, a second apart.
func Entries(from time.Duration, n int, line func(i int) string) []chunk.Entry {
	out := make([]chunk.Entry, n)
	for i := range out {
		out[i] = chunk.Entry{Timestamp: At(from + time.Duration(i)*time.Second), Line: []byte(line(i))}
	}
	return out
}

// Lines numbers lines.
func Lines(prefix string) func(int) string {
	return func(i int) string { return fmt.Sprintf("%s %d", prefix, i) }
}

// Write puts a segment into the bucket in a directory, with filters unless the options say otherwise. Chunks come in the order of a segment.
func Write(t testing.TB, dir string, opts segment.WriterOptions, chunks ...Chunk) segment.Info {
	t.Helper()
	if opts.FiltersFrom == 0 {
		opts.FiltersFrom = 1
	}
	b, err := bucket.OpenLocal(dir)
	require.NoError(t, err)
	var e segment.Encoder
	info, err := segment.Create(t.Context(), b, t.TempDir(), opts, func(w *segment.Writer) error {
		for i, c := range chunks {
			if c.Encoding == 0 {
				c.Encoding = chunk.EncodingPlain
			}
			data, meta, err := chunk.Encode(nil, c.Encoding, c.Entries, uint64(i+1))
			if err != nil {
				return err
			}
			f := e.Filter(c.Entries)
			if err := w.Append(c.Stream, segment.EncodedChunk{Meta: meta, Data: data, Filter: &f}); err != nil {
				return err
			}
		}
		return nil
	})
	require.NoError(t, err)
	return info
}

// Damage flips a bit of an object.
func Damage(t testing.TB, dir string, name segment.Name, offset int64) {
	t.Helper()
	file := filepath.Join(dir, filepath.FromSlash(name.Path()))
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	if offset < 0 {
		offset += int64(len(text))
	}
	text[offset] ^= 1
	require.NoError(t, os.WriteFile(file, text, 0o600))
}

// Files gives the content of every file under a directory by its path.
func Files(t testing.TB, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	require.NoError(t, filepath.Walk(dir, func(path string, info os.FileInfo, err error) error {
		if err != nil || info.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		out[filepath.ToSlash(rel)] = string(text)
		return err
	}))
	return out
}

var update = flag.Bool("update", false, "write golden files")

// Golden holds text against a file under testdata.
func Golden(t testing.TB, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.MkdirAll("testdata", 0o755))
		require.NoError(t, os.WriteFile(file, []byte(got), 0o644))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, string(want), got)
}
