package store

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/stretchr/testify/require"

	"github.com/cambium-logs/cambium/pkg/storage/segment"
	"github.com/cambium-logs/cambium/pkg/tools/toolstest"
)

// TestLocations opens one bucket by every way of naming it.
func TestLocations(t *testing.T) {
	root := t.TempDir()
	dir := filepath.Join(root, "data", "bucket", "logs")
	toolstest.Write(t, dir, segment.WriterOptions{Tenant: "t", Level: 1},
		toolstest.Chunk{Stream: labels.FromStrings("a", "b"), Entries: toolstest.Entries(time.Hour, 1, toolstest.Lines("x"))})
	file := func(name, text string) string {
		path := filepath.Join(root, name)
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		return path
	}
	yaml := "type: FILESYSTEM\nconfig: {directory: " + filepath.Join(root, "data", "bucket") + "}\nprefix: logs\n"
	before := toolstest.Files(t, root)
	for name, l := range map[string]Location{
		"bucket's directory": {Data: dir},
		"bucket's yaml":      {Config: file("bucket.yaml", yaml)},
		"cambium.yaml":       {Config: file("cambium.yaml", "data_dir: elsewhere\nbucket:\n  type: FILESYSTEM\n  config: {directory: "+filepath.Join(root, "data", "bucket")+"}\n  prefix: logs\n")},
		"both":               {Data: filepath.Join(root, "data"), Config: file("bucket.yaml", yaml)},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := Open(l, false)
			require.NoError(t, err)
			defer s.Close()
			tenants, err := s.Tenants(t.Context())
			require.NoError(t, err)
			require.Equal(t, []string{"t"}, tenants)
			var days []Day
			require.NoError(t, Walk(t.Context(), s.Bucket, Scope{}, Listing{Day: func(d Day) error { days = append(days, d); return nil }}))
			require.Len(t, days, 1)
			require.Len(t, days[0].Segments, 1)
			release, err := s.Lock()
			require.NoError(t, err)
			release()
		})
	}
	for name, text := range before {
		require.Equal(t, text, toolstest.Files(t, root)[name])
	}
	s, err := Open(Location{Config: file("fresh.yaml", "data_dir: data\n")}, false)
	require.NoError(t, err)
	require.Equal(t, filepath.Join(root, "data", "bucket"), s.Shown)
	for want, l := range map[string]Location{
		"give -data with":       {},
		"there is no directory": {Data: filepath.Join(root, "missing")},
		"no such file":          {Config: filepath.Join(root, "missing.yaml")},
		"nonsense":              {Config: file("wrong.yaml", "nonsense: 1\n")},
	} {
		_, err := Open(l, false)
		require.ErrorContains(t, err, want)
	}
}

// TestNothingFlushed has a data directory whose bucket was never made.
func TestNothingFlushed(t *testing.T) {
	data := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(data, "wal"), 0o700))
	s, err := Open(Location{Data: data}, false)
	require.NoError(t, err)
	tenants, err := s.Tenants(t.Context())
	require.NoError(t, err)
	require.Empty(t, tenants)
	require.NoDirExists(t, filepath.Join(data, "bucket"))
}
