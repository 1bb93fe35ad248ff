package agents

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestRequests plays the requests of agents that cannot be installed here, with the headers that they send.
func TestRequests(t *testing.T) {
	lines := corpus(t)
	played := []struct {
		name     string
		headers  map[string]string
		protobuf bool
		gzip     bool
		first    string // a request that it makes before it pushes
	}{
		{name: "alloy", protobuf: true, headers: map[string]string{"Content-Type": "application/x-protobuf", "User-Agent": "Alloy/v1.9.0 (linux; docker)"}},
		{name: "promtail", protobuf: true, headers: map[string]string{"Content-Type": "application/x-protobuf", "User-Agent": "promtail/3.5.0"}},
		{name: "fluent-bit", headers: map[string]string{"Content-Type": "application/json", "User-Agent": "Fluent-Bit"}},
		{name: "fluent-bit-gzip", gzip: true, headers: map[string]string{"Content-Type": "application/json", "Content-Encoding": "gzip", "User-Agent": "Fluent-Bit"}},
		{name: "vector", protobuf: true, first: "/ready", headers: map[string]string{"Content-Type": "application/x-protobuf", "Content-Encoding": "snappy", "User-Agent": "Vector/0.50.0"}},
		{name: "vector-json", gzip: true, first: "/ready", headers: map[string]string{"Content-Type": "application/json", "Content-Encoding": "gzip", "User-Agent": "Vector/0.50.0"}},
	}
	names := make([]string, len(played))
	for i := range played {
		names[i] = played[i].name
	}
	doors := openDoors(t, names)
	for _, p := range played {
		for _, d := range doors {
			t.Run(p.name+"/"+d.name, func(t *testing.T) {
				request := func(method, path string, body []byte) int {
					req, err := http.NewRequest(method, d.url(path), bytes.NewReader(body))
					require.NoError(t, err)
					for name, value := range p.headers {
						req.Header.Set(name, value)
					}
					req.Header.Set("Authorization", "Bearer "+d.token(p.name))
					resp, err := http.DefaultClient.Do(req)
					require.NoError(t, err)
					defer resp.Body.Close()
					text, err := io.ReadAll(resp.Body)
					require.NoError(t, err)
					require.Less(t, resp.StatusCode, 300, "%s", text)
					return resp.StatusCode
				}
				if p.first != "" {
					request(http.MethodGet, p.first, nil)
				}
				start := time.Now().Add(-time.Minute)
				const batch = 1000
				for from := 0; from < len(lines); from += batch {
					part := lines[from:min(from+batch, len(lines))]
					var body []byte
					if p.protobuf {
						body = protobufBody(t, p.name, start.Add(time.Duration(from)), part)
					} else {
						body = jsonBody(t, p.name, start.Add(time.Duration(from)), part)
					}
					if p.gzip {
						body = gzipped(t, body)
					}
					require.Equal(t, http.StatusNoContent, request(http.MethodPost, "/loki/api/v1/push", body))
				}
				a := &agent{name: p.name, selector: `{agent="` + p.name + `"}`, labels: map[string]string{"agent": p.name}}
				a.verify(t, d, lines)
			})
		}
	}
}

func gzipped(t testing.TB, body []byte) []byte {
	t.Helper()
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	_, err := z.Write(body)
	require.NoError(t, err)
	require.NoError(t, z.Close())
	return packed.Bytes()
}

// TestDocs holds docs/agents.md to the configurations that are tested.
func TestDocs(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "agents.md"))
	require.NoError(t, err)
	for _, name := range []string{"syslog-ng.conf", "rsyslog.conf", "collector.yaml"} {
		tested, err := os.ReadFile(filepath.Join("testdata", name))
		require.NoError(t, err)
		require.True(t, strings.Contains(string(text), strings.TrimSpace(string(tested))), "docs/agents.md does not show testdata/%s as it is tested", name)
	}
	for i := range all {
		require.Contains(t, string(text), strings.TrimSuffix(all[i].name, "-protobuf"))
	}
}
