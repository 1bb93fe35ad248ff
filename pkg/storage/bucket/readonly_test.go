package bucket

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestReadOnlyDirectoryStaysAsItIs(t *testing.T) {
	dir := t.TempDir()
	_, err := Open(Options{Dir: filepath.Join(dir, "missing"), ReadOnly: true})
	require.ErrorIs(t, err, os.ErrNotExist)
	require.NoDirExists(t, filepath.Join(dir, "missing"))

	stale := filepath.Join(dir, tempDir, "upload-1.tmp")
	require.NoError(t, os.MkdirAll(filepath.Dir(stale), 0o700))
	require.NoError(t, os.WriteFile(stale, []byte("x"), 0o600))
	require.NoError(t, os.Chtimes(stale, time.Time{}, time.Now().Add(-2*staleTemp)))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "object"), []byte("content"), 0o600))
	b, err := Open(Options{Dir: dir, ReadOnly: true})
	require.NoError(t, err)
	require.FileExists(t, stale)
	got, err := ReadAll(context.Background(), b, "object", 100)
	require.NoError(t, err)
	require.Equal(t, "content", string(got))
}
