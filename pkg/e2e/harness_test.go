package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/cambium-logs/cambium/pkg/workbench"
)

// buildPlugin gives the path of the plugin to test.
var buildPlugin = sync.OnceValues(func() (string, error) {
	if path := os.Getenv("CAMBIUM_PLUGIN_BINARY"); path != "" {
		return path, nil
	}
	dir, err := os.MkdirTemp("", "cambium-e2e")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "gpx_cambium")
	cmd := exec.Command("go", "build", "-tags", "arrow_json_stdlib", "-o", path, "..")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if text, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the plugin: %w\n%s", err, text)
	}
	return path, nil
})

func binary(t testing.TB) string {
	t.Helper()
	path, err := buildPlugin()
	require.NoError(t, err)
	return path
}

// lab is a hosted plugin.
type lab struct {
	t       testing.TB
	process *workbench.Process
	host    *workbench.Host
	server  *httptest.Server
	data    string
	log     *logBuffer
}

// start hosts the plugin over a data directory.
func start(t testing.TB, data string, env ...string) *lab {
	t.Helper()
	l := &lab{t: t, data: data, log: &logBuffer{}}
	var err error
	l.process, err = workbench.StartProcess(context.Background(), workbench.ProcessOptions{Binary: binary(t), DataDir: data, Env: env, Log: l.log})
	require.NoError(t, err)
	l.host = workbench.NewHost(workbench.HostOptions{Process: l.process, Dist: t.TempDir(), Page: t.TempDir()})
	l.server = httptest.NewServer(l.host)
	t.Cleanup(l.stop)
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the plugin's log:\n%s", l.log)
		}
	})
	return l
}

// stop stops host and plugin as Grafana stops; again does nothing.
func (l *lab) stop() {
	if l.process == nil {
		return
	}
	l.host.Close()
	l.server.Close()
	l.process.Close()
	l.process = nil
}

// logBuffer keeps what the plugin says.
type logBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

const resources = "/api/datasources/uid/" + workbench.UID + "/resources"

// do sends a request to the host. headers are name, value, name, value, …
func (l *lab) do(method, path string, body []byte, headers ...string) (int, string) {
	l.t.Helper()
	request, err := http.NewRequest(method, l.server.URL+path, bytes.NewReader(body))
	require.NoError(l.t, err)
	for i := 0; i < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	response, err := http.DefaultClient.Do(request)
	require.NoError(l.t, err)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	require.NoError(l.t, err)
	return response.StatusCode, string(text)
}

// pushLines pushes lines of one stream, a nanosecond apart, and demands that they are acknowledged.
func (l *lab) pushLines(stream map[string]string, from time.Time, lines ...string) {
	l.t.Helper()
	status, text := l.do("POST", resources+"/loki/api/v1/push", pushJSON(stream, from, lines...), "Content-Type", "application/json")
	require.Equal(l.t, http.StatusNoContent, status, text)
}

func pushJSON(stream map[string]string, from time.Time, lines ...string) []byte {
	values := make([][2]string, len(lines))
	for i, line := range lines {
		values[i] = [2]string{fmt.Sprint(from.UnixNano() + int64(i)), line}
	}
	body, err := json.Marshal(map[string]any{"streams": []any{map[string]any{"stream": stream, "values": values}}})
	if err != nil {
		panic(err) // maps of strings
	}
	return body
}

// health gives the status and message of Save & test.
func (l *lab) health() (status, message string) {
	l.t.Helper()
	_, text := l.do("GET", "/api/datasources/uid/"+workbench.UID+"/health", nil)
	var answer struct{ Status, Message string }
	require.NoError(l.t, json.Unmarshal([]byte(text), &answer), text)
	return answer.Status, answer.Message
}

// frame is what tests look at in a data frame.
type frame struct {
	Schema struct {
		Name   string
		Fields []struct {
			Name   string
			Labels map[string]string
		}
		Meta struct {
			Type string
		}
	}
	Data struct{ Values []json.RawMessage }
}

// query runs one query of Explore's and gives its frames.
func (l *lab) query(model map[string]any, from, to time.Time) []frame {
	l.t.Helper()
	frames, status, text := l.tryQuery(model, from, to)
	require.Equal(l.t, http.StatusOK, status, text)
	return frames
}

func (l *lab) tryQuery(model map[string]any, from, to time.Time) ([]frame, int, string) {
	l.t.Helper()
	model["refId"] = "A"
	body, err := json.Marshal(map[string]any{
		"from": fmt.Sprint(from.UnixMilli()), "to": fmt.Sprint(to.UnixMilli()), "queries": []any{model},
	})
	require.NoError(l.t, err)
	status, text := l.do("POST", "/api/ds/query", body)
	var answer struct {
		Results map[string]struct {
			Frames []frame
			Error  string
		}
	}
	if status == http.StatusOK || status == http.StatusBadRequest {
		require.NoError(l.t, json.Unmarshal([]byte(text), &answer), text)
	}
	return answer.Results["A"].Frames, status, answer.Results["A"].Error
}

// lines runs a log query and gives the lines, oldest first.
func (l *lab) lines(expr string, from, to time.Time) []string {
	l.t.Helper()
	frames := l.query(map[string]any{"expr": expr, "maxLines": 5000, "direction": "forward"}, from, to)
	require.Len(l.t, frames, 1)
	var bodies []string
	for i, field := range frames[0].Schema.Fields {
		if field.Name == "body" {
			require.NoError(l.t, json.Unmarshal(frames[0].Data.Values[i], &bodies))
		}
	}
	return bodies
}

// numbers runs an instant metric query at a time and gives its values by the value of one label.
func (l *lab) numbers(expr, label string, span time.Duration, at time.Time) map[string]float64 {
	l.t.Helper()
	out := map[string]float64{}
	for _, f := range l.query(map[string]any{"expr": expr, "queryType": "instant"}, at.Add(-span), at) {
		if len(f.Data.Values) < 2 {
			continue
		}
		var values []float64
		require.NoError(l.t, json.Unmarshal(f.Data.Values[1], &values))
		require.Len(l.t, values, 1)
		out[f.Schema.Fields[1].Labels[label]] = values[0]
	}
	return out
}

// eventually waits for something that takes a moment.
func eventually(t testing.TB, holds func() bool, what string) {
	t.Helper()
	for deadline := time.Now().Add(40 * time.Second); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		if holds() {
			return
		}
	}
	t.Fatal("did not happen in time: ", what)
}

// residentMiB is the memory of a process, 0 where that cannot be found out.
func residentMiB(pid int) float64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	for line := range strings.SplitSeq(string(text), "\n") {
		var kib float64
		if n, _ := fmt.Sscanf(line, "VmRSS: %f kB", &kib); n == 1 {
			return kib / 1024
		}
	}
	return 0
}

// realLogs gives sources of the real logs, or made-up ones.
func realLogs(t testing.TB, from, to time.Time) []workbench.Source {
	t.Helper()
	dir := os.Getenv("CAMBIUM_SHARED")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared")
	}
	dir = filepath.Join(dir, "logs")
	if _, err := os.Stat(dir); err != nil {
		t.Logf("no real logs in %s: made-up ones stand in", dir)
		return workbench.NewDemo(1).Lines(20000, from, to)
	}
	sources, err := workbench.ReadFiles(dir, "demo", from, to)
	require.NoError(t, err)
	return sources
}
