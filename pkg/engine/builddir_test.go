package engine

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestBuildDirsOfDeadProcesses: what a killed process was building is removed by the next that shares its directory; what a living one builds stays.
func TestBuildDirsOfDeadProcesses(t *testing.T) {
	parent := t.TempDir()
	leave := func(name string, age time.Duration, files ...string) string {
		dir := filepath.Join(parent, name)
		require.NoError(t, os.Mkdir(dir, 0o700))
		for _, f := range files {
			require.NoError(t, os.WriteFile(filepath.Join(dir, f), make([]byte, 100), 0o600))
		}
		require.NoError(t, os.Chtimes(dir, time.Time{}, time.Now().Add(-age)))
		return dir
	}
	dead := leave("cambium-segments-1", 0, "lock", "segment-1.tmp")
	old := leave("cambium-segments-2", 25*time.Hour, "segment-1.tmp")
	starting := leave("cambium-segments-3", 0)
	others := leave("something", 25*time.Hour, "lock")

	opts := Options{DataDir: parent, Bucket: stores[1].open(t), WALLocation: WALInBucket}
	a := open(t, opts)
	b := open(t, opts)
	require.NoDirExists(t, dead)
	require.NoDirExists(t, old)
	require.DirExists(t, starting)
	require.DirExists(t, others)
	require.DirExists(t, a.segmentDir)
	require.DirExists(t, b.segmentDir)
	closeEngine(t, a)
	closeEngine(t, b)
	require.NoDirExists(t, a.segmentDir)
	require.NoDirExists(t, b.segmentDir)
}
