package agents

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

// moody is a door before another that refuses the first push with 503. One that forgets passes on the second push and cuts off instead
// of giving the answer back.
func moody(t testing.TB, d *door, forgets bool) (*door, *atomic.Int64) {
	t.Helper()
	pushes := new(atomic.Int64)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		n := int64(0)
		if r.Method == http.MethodPost {
			n = pushes.Add(1)
		}
		if n == 1 {
			w.Header().Set("Retry-After", "1")
			http.Error(w, "later", http.StatusServiceUnavailable)
			return
		}
		req, err := http.NewRequestWithContext(r.Context(), r.Method, d.base+r.URL.RequestURI(), bytes.NewReader(body))
		if err != nil {
			panic(err)
		}
		req.Header = r.Header.Clone()
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		defer resp.Body.Close()
		if n == 2 && forgets {
			panic(http.ErrAbortHandler)
		}
		for name, values := range resp.Header {
			w.Header()[name] = values
		}
		w.WriteHeader(resp.StatusCode)
		_, _ = io.Copy(w, resp.Body)
	}))
	server.Config.ErrorLog = nil
	t.Cleanup(server.Close)
	other := *d
	other.base = server.URL
	return &other, pushes
}

// TestRetries has agents that repeat what was not acknowledged push through a door that refuses and forgets. Nothing is lost, and what
// was stored and pushed again is there once.
func TestRetries(t *testing.T) {
	lines := corpus(t)
	names := []string{"loki-client-go", "otlploghttp", "syslog-ng", "rsyslog", "collector"}
	listener := openListener(t, names)
	for i := range all {
		a := &all[i]
		if !slices.Contains(names, a.name) {
			continue
		}
		t.Run(a.name, func(t *testing.T) {
			tool := a.prepare(t)
			door, pushes := moody(t, listener, a.name != "otlploghttp") // whose SDK gives up when a connection breaks
			a.send(t, tool, a, door, lines)
			require.Greater(t, pushes.Load(), int64(2))
			a.verify(t, listener, lines)
		})
	}
}
