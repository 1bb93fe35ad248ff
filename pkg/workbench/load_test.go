package workbench

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/grafana/loki/pkg/push"
	"github.com/stretchr/testify/require"
)

func TestReadFiles(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "Apache.log"), []byte("one\r\ntwo\nthree"), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "README.md"), []byte("no log"), 0o600))
	to := time.Unix(1_800_000_000, 0)
	sources, err := ReadFiles(dir, "files", to.Add(-3*time.Hour), to)
	require.NoError(t, err)
	require.Len(t, sources, 1)
	require.Equal(t, `{filename="Apache.log", job="files", system="apache"}`, sources[0].Labels.String())
	var lines []string
	for _, line := range sources[0].Lines {
		lines = append(lines, line.Text)
	}
	require.Equal(t, []string{"one", "two", "three"}, lines)
	require.Equal(t, to.Add(-2*time.Hour), sources[0].Lines[1].Time)
	_, err = ReadFiles(t.TempDir(), "files", to, to)
	require.ErrorContains(t, err, "no *.log file")
}

func TestBatchesHoldEveryLineOnceInOrder(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	sources := NewDemo(7).Lines(30000, now.Add(-time.Hour), now)
	seen := map[string][]push.Entry{}
	for _, batch := range Batches(sources) {
		require.LessOrEqual(t, batch.Size(), 2*maxBatch)
		for _, stream := range batch.Streams {
			seen[stream.Labels] = append(seen[stream.Labels], stream.Entries...)
		}
	}
	total := 0
	for _, source := range sources {
		entries := seen[source.Labels.String()]
		require.Len(t, entries, len(source.Lines))
		for i, line := range source.Lines {
			require.Equal(t, line.Text, entries[i].Line)
			require.True(t, line.Time.Equal(entries[i].Timestamp))
		}
		total += len(entries)
	}
	require.Equal(t, 30000, total)
	require.Equal(t, sources, NewDemo(7).Lines(30000, now.Add(-time.Hour), now), "the same seed gives the same lines")
}

func TestLoaderRetriesWhatMaySucceed(t *testing.T) {
	answers := []int{http.StatusServiceUnavailable, http.StatusTooManyRequests, http.StatusNoContent}
	var asked atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(answers[asked.Add(1)-1])
	}))
	defer server.Close()
	loader := &Loader{URL: server.URL}
	require.NoError(t, loader.Push(t.Context(), &push.PushRequest{}))
	require.EqualValues(t, 3, asked.Load())

	answers = []int{http.StatusBadRequest}
	asked.Store(0)
	require.ErrorContains(t, loader.Push(t.Context(), &push.PushRequest{}), "400")
	require.EqualValues(t, 1, asked.Load())
}
