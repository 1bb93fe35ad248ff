package server

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/cambium-logs/cambium/pkg/database"
)

// withoutBucket runs serve on a bucket that takes nothing until heal is called.
func withoutBucket(t *testing.T, args ...string) (r *running, up chan *Server, heal func()) {
	t.Helper()
	dir := t.TempDir()
	blocked := filepath.Join(dir, "bucket", "~probe")
	require.NoError(t, os.MkdirAll(filepath.Dir(blocked), 0o700))
	require.NoError(t, os.WriteFile(blocked, nil, 0o600), "a file where probes are to be written")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address := l.Addr().String()
	require.NoError(t, l.Close())
	file := filepath.Join(dir, "cambium.yaml")
	require.NoError(t, os.WriteFile(file, fmt.Appendf(nil, "data_dir: %q\nserver: {listen: %q}\nbucket: {type: FILESYSTEM, config: {directory: %q}}\nauth: {mode: none}\n",
		filepath.Join(dir, "data"), address, filepath.Dir(blocked)), 0o600))
	ctx, cancel := context.WithCancel(context.Background())
	r = &running{t: t, url: "http://" + address, log: &syncBuffer{}, cancel: cancel, done: make(chan error, 1), header: http.Header{}, client: &http.Client{Transport: &http.Transport{}}}
	up = make(chan *Server, 1)
	go func() {
		r.done <- run(ctx, append([]string{"-config", file}, args...), r.log, func(s *Server) { up <- s })
	}()
	t.Cleanup(r.stop)
	require.Eventually(t, func() bool {
		conn, err := net.Dial("tcp", address)
		if err == nil {
			conn.Close()
		}
		return err == nil
	}, 20*time.Second, 10*time.Millisecond)
	return r, up, func() { require.NoError(t, os.Remove(blocked)) }
}

// TestServeWaitsForItsBucket: without its bucket serve answers why it does not serve, and serves by itself when the bucket is back.
func TestServeWaitsForItsBucket(t *testing.T) {
	r, up, heal := withoutBucket(t)
	for path, want := range map[string]string{"/ready": "cannot write objects", "/loki/api/v1/labels": "cannot write objects", "/metrics": "cannot be opened"} {
		status, text := r.get(path)
		require.Equal(t, http.StatusServiceUnavailable, status, path)
		require.Contains(t, text, want, path)
	}
	for _, path := range []string{"/loki/api/v1/push", "/otlp/v1/logs"} {
		resp, err := r.client.Post(r.url+path, "application/json", http.NoBody)
		require.NoError(t, err)
		resp.Body.Close()
		require.Equal(t, http.StatusServiceUnavailable, resp.StatusCode)
		require.Equal(t, fmt.Sprint(database.RetryEvery.Seconds()), resp.Header.Get("Retry-After"))
	}
	heal()
	select {
	case s := <-up:
		require.Equal(t, r.url, s.URL(), "the listener stays")
	case err := <-r.done:
		r.done = nil
		require.NoError(t, err)
	}
	status, text := r.get("/ready")
	require.Equal(t, http.StatusOK, status, text)
	r.push("a", "line")
	require.Equal(t, []string{"line"}, r.lines(`{app="a"}`))
	_, text = r.get("/metrics")
	require.Contains(t, text, segmentsBucket)
}

// segmentsBucket is in the metrics of an open database.
const segmentsBucket = "cambium_objstore_bucket_operations_total"

// TestServeStopsWhileItWaits: being told to stop is no failure.
func TestServeStopsWhileItWaits(t *testing.T) {
	r, _, _ := withoutBucket(t)
	r.stop()
}

// TestServeDoesNotWaitForWhatStays: what does not go away by itself ends the process.
func TestServeDoesNotWaitForWhatStays(t *testing.T) {
	file := filepath.Join(t.TempDir(), "data")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	err := run(t.Context(), []string{"-data", file, "-listen", "127.0.0.1:0", "-auth", "none"}, &syncBuffer{}, nil)
	require.ErrorContains(t, err, "data")
}
