package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/require"

	"crypto/sha256"
	"encoding/base64"

	"github.com/cambium-logs/cambium/pkg/workbench"
)

// apiLines runs a range query over Loki's API and gives the lines, oldest first.
func apiLines(t testing.TB, l *lab, expr string, from, to time.Time) []string {
	t.Helper()
	query := url.Values{
		"query": {expr}, "start": {fmt.Sprint(from.UnixNano())}, "end": {fmt.Sprint(to.UnixNano())}, "limit": {"5000"}, "direction": {"forward"},
	}
	status, text := l.do("GET", resources+"/loki/api/v1/query_range?"+query.Encode(), nil)
	require.Equal(t, http.StatusOK, status, text)
	var answer struct {
		Data struct {
			Result []struct{ Values [][2]string }
		}
	}
	require.NoError(t, json.Unmarshal([]byte(text), &answer))
	var lines []string
	for _, stream := range answer.Data.Result {
		for _, value := range stream.Values {
			lines = append(lines, value[1])
		}
	}
	return lines
}

func TestAPI(t *testing.T) {
	l := start(t, t.TempDir())
	now := time.Now()
	l.pushLines(map[string]string{"job": "api", "path": "a/b c"}, now, "one", "two")
	get := func(path string) string {
		status, text := l.do("GET", resources+path, nil)
		require.Equal(t, http.StatusOK, status, text)
		return strings.TrimSpace(text)
	}
	require.Equal(t, "ready", get("/ready"))
	require.JSONEq(t, `{"status":"success","data":["job","path","service_name"]}`, get("/loki/api/v1/labels"))
	require.JSONEq(t, `{"status":"success","data":["a/b c"]}`, get("/loki/api/v1/label/path/values"))
	require.JSONEq(t, `{"status":"success","data":[{"job":"api","path":"a/b c","service_name":"api"}]}`,
		get("/loki/api/v1/series?"+url.Values{"match[]": {`{job="api"}`}}.Encode()))
	require.Contains(t, get("/cambium/v1/status"), `"tenant":"org-1"`)
	require.Equal(t, []string{"one", "two"}, apiLines(t, l, `{job="api"}`, now.Add(-time.Minute), now.Add(time.Minute)))
	status, _ := l.do("GET", resources+"/metrics", nil)
	require.Equal(t, http.StatusNotFound, status, "metrics are Grafana's to show, not every viewer's")
	_, metrics := l.do("GET", "/api/plugins/"+workbench.PluginID+"/metrics", nil)
	require.Contains(t, metrics, "cambium_")
}

// tail subscribes to a live query and gives the lines of each frame.
func tail(t *testing.T, l *lab, expr string) (lines chan string, stop func()) {
	t.Helper()
	data, err := json.Marshal(map[string]string{"expr": expr})
	require.NoError(t, err)
	sum := sha256.Sum256(data)
	path := "/api/live/ds/" + workbench.UID + "/tail/" + base64.RawURLEncoding.EncodeToString(sum[:]) + "/0?" + url.Values{"data": {string(data)}}.Encode()
	conn, _, err := websocket.Dial(t.Context(), strings.Replace(l.server.URL, "http", "ws", 1)+path, nil)
	require.NoError(t, err)
	conn.SetReadLimit(16 << 20)
	lines = make(chan string, 10000)
	go func() {
		defer close(lines)
		for {
			_, message, err := conn.Read(t.Context())
			if err != nil {
				return
			}
			var f struct {
				Data struct{ Values []json.RawMessage }
			}
			if json.Unmarshal(message, &f) != nil || len(f.Data.Values) < 3 {
				continue
			}
			var bodies []string
			if json.Unmarshal(f.Data.Values[2], &bodies) == nil {
				for _, body := range bodies {
					lines <- body
				}
			}
		}
	}()
	return lines, func() { _ = conn.CloseNow() }
}

func receive(t *testing.T, lines chan string, n int) []string {
	t.Helper()
	var got []string
	deadline := time.After(30 * time.Second)
	for len(got) < n {
		select {
		case line, ok := <-lines:
			require.True(t, ok, "the stream ended after %d of %d lines", len(got), n)
			got = append(got, line)
		case <-deadline:
			t.Fatalf("%d of %d lines came", len(got), n)
		}
	}
	return got
}

func TestLiveTail(t *testing.T) {
	l := start(t, t.TempDir())
	now := time.Now()
	stream := map[string]string{"job": "tail"}
	l.pushLines(stream, now, "history 0", "history 1", "other")
	lines, stop := tail(t, l, `{job="tail"} != "other"`)
	defer stop()
	require.Equal(t, []string{"history 0", "history 1"}, receive(t, lines, 2))
	var want []string
	for n := range 50 {
		want = append(want, fmt.Sprint("live ", n))
		l.pushLines(stream, now.Add(time.Duration(n+1)*time.Millisecond), want[n], "other")
	}
	require.Equal(t, want, receive(t, lines, 50), "in order, no gap, nothing twice")

	// The plugin dies and the stream goes on by itself. What was shown may come again; what comes new is not lost.
	before := l.process.Starts()
	status, _ := l.do("GET", resources+"/ready", nil)
	require.Equal(t, http.StatusOK, status)
	kill(t, l)
	eventually(t, func() bool { return l.process.Starts() > before && l.process.PID() > 0 }, "the plugin is started again")
	eventually(t, func() bool { status, _ := l.health(); return status == "OK" }, "it is healthy")
	l.pushLines(stream, time.Now(), "after the crash")
	for {
		if receive(t, lines, 1)[0] == "after the crash" {
			break
		}
	}
}
