package server

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"golang.org/x/crypto/bcrypt"

	"github.com/cambium-logs/cambium/pkg/storage/bucket/buckettest"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, buckettest.KnownGoroutines()...)
}

// syncBuffer is a buffer that a server may write while a test reads.
type syncBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// running is a server that Main runs.
type running struct {
	t      *testing.T
	url    string
	log    *syncBuffer
	cancel context.CancelFunc
	done   chan error
	header http.Header
	client *http.Client
}

// start runs serve with the flags, on a port of its own.
func start(t *testing.T, args ...string) *running {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	r := &running{t: t, log: &syncBuffer{}, cancel: cancel, done: make(chan error, 1), header: http.Header{}, client: &http.Client{Transport: &http.Transport{}}}
	up := make(chan *Server, 1)
	go func() {
		r.done <- run(ctx, append([]string{"-listen", "127.0.0.1:0"}, args...), r.log, func(s *Server) { up <- s })
	}()
	select {
	case s := <-up:
		r.url = s.URL()
	case err := <-r.done:
		cancel()
		require.NoError(t, err)
	}
	t.Cleanup(r.stop)
	return r
}

func (r *running) stop() {
	r.cancel()
	if r.done != nil {
		require.NoError(r.t, <-r.done)
		r.done = nil
	}
	r.client.CloseIdleConnections()
}

// do sends a request and gives status and body.
func (r *running) do(method, path, contentType, body string) (int, string) {
	r.t.Helper()
	req, err := http.NewRequest(method, r.url+path, strings.NewReader(body))
	require.NoError(r.t, err)
	for k, v := range r.header {
		req.Header[k] = v
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	resp, err := r.client.Do(req)
	require.NoError(r.t, err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	require.NoError(r.t, err)
	return resp.StatusCode, string(text)
}

func (r *running) get(path string) (int, string) { return r.do(http.MethodGet, path, "", "") }

func (r *running) push(app string, lines ...string) {
	r.t.Helper()
	status, text := r.pushTo("/loki/api/v1/push", app, lines...)
	require.Equal(r.t, http.StatusNoContent, status, text)
}

func (r *running) pushTo(path, app string, lines ...string) (int, string) {
	now := time.Now().UnixNano()
	var values [][]string
	for i, line := range lines {
		values = append(values, []string{fmt.Sprint(now + int64(i)), line})
	}
	body, err := json.Marshal(map[string]any{"streams": []any{map[string]any{"stream": map[string]string{"app": app}, "values": values}}})
	require.NoError(r.t, err)
	return r.do(http.MethodPost, path, "application/json", string(body))
}

// lines queries and gives the lines of all streams.
func (r *running) lines(query string) []string {
	r.t.Helper()
	status, text := r.get("/loki/api/v1/query_range?direction=forward&query=" + url.QueryEscape(query))
	require.Equal(r.t, 200, status, text)
	var answer struct {
		Data struct {
			Result []struct{ Values [][]string }
		}
	}
	require.NoError(r.t, json.Unmarshal([]byte(text), &answer))
	var out []string
	for _, stream := range answer.Data.Result {
		for _, v := range stream.Values {
			out = append(out, v[1])
		}
	}
	return out
}

func TestServe(t *testing.T) {
	dir := t.TempDir()
	r := start(t, "-data", dir, "-auth", "none")
	status, text := r.get("/ready")
	require.Equal(t, 200, status)
	require.Equal(t, "ready\n", text)
	r.push("web", "one", "two <b>")
	require.Equal(t, []string{"one", "two <b>"}, r.lines(`{app="web"}`))

	r.stop()
	r = start(t, "-data", dir, "-auth", "none")
	require.Equal(t, []string{"one", "two <b>"}, r.lines(`{app="web"}`), "after a restart, from the log")

	status, text = r.do(http.MethodPost, "/flush", "", "")
	require.Equal(t, 204, status, text)
	var segments []string
	require.NoError(t, filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error {
		if strings.HasSuffix(path, ".seg") {
			segments = append(segments, path)
		}
		return err
	}))
	require.NotEmpty(t, segments)
	require.Equal(t, []string{"two <b>"}, r.lines(`{app="web"} |= "two"`), "from segments")

	for _, path := range []string{"/metrics", "/services", "/config", "/config?mode=diff", "/log_level", "/loki/api/v1/status/buildinfo",
		"/config/tenant/v1/limits", "/loki/api/v1/drilldown-limits", "/cambium/v1/status", "/cambium/v1/export?query=%7Bapp%3D%22web%22%7D"} {
		status, text := r.get(path)
		require.Equal(t, 200, status, "%s: %s", path, text)
		require.NotEmpty(t, text, path)
	}
	status, _ = r.do(http.MethodPost, "/log_level?log_level=debug", "", "")
	require.Equal(t, 200, status)
	status, _ = r.do(http.MethodPost, "/log_level?log_level=loud", "", "")
	require.Equal(t, 400, status)
}

func TestServeConfig(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "cambium.yaml")
	write := func(text string) {
		t.Helper()
		require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	}
	write(`
data_dir: data
auth_enabled: true
auth: {mode: none}
server: {http_path_prefix: /logs}
limits: {discover_service_name: [], discover_log_levels: false}
ingest: {labels: {site: home}, use_incoming_timestamp: false}
query: {multi_tenant_queries_enabled: true}
`)
	r := start(t, "-config", file)
	status, text := r.pushTo("/loki/api/v1/push", "x", "line")
	require.Equal(t, 401, status)
	require.Equal(t, "no org id\n", text)
	r.header.Set("X-Scope-OrgID", "../x")
	status, text = r.pushTo("/loki/api/v1/push", "x", "line")
	require.Equal(t, 400, status)
	require.Equal(t, "tenant ID '../x' contains unsupported character '/'\n", text)

	r.header.Set("X-Scope-OrgID", "a|b")
	status, text = r.pushTo("/loki/api/v1/push", "x", "line")
	require.Equal(t, 400, status)
	require.Equal(t, "multiple org IDs present\n", text)

	for _, id := range []string{"a", "b"} {
		r.header.Set("X-Scope-OrgID", id)
		r.push("x", "line of "+id)
	}
	require.Equal(t, []string{"line of b"}, r.lines(`{app="x"}`))
	r.header.Set("X-Scope-OrgID", "b|a")
	require.Equal(t, []string{"line of a", "line of b"}, r.lines(`{app="x"}`))
	require.Equal(t, []string{"line of b"}, r.lines(`{app="x", __tenant_id__="b"}`))
	status, text = r.get("/loki/api/v1/label/__tenant_id__/values")
	require.Equal(t, 200, status)
	require.JSONEq(t, `{"status":"success","data":["a","b"]}`, text)
	status, text = r.get("/loki/api/v1/labels")
	require.Equal(t, 200, status)
	require.JSONEq(t, `{"status":"success","data":["__tenant_id__","app"]}`, text)

	r.header.Set("X-Scope-OrgID", "c")
	status, text = r.do(http.MethodPost, "/loki/api/v1/raw?job=raw", "", "a\r\n\nb")
	require.Equal(t, 204, status, text)
	require.Equal(t, []string{"a", "b"}, r.lines(`{job="raw", site="home"}`))
	status, text = r.pushTo("/api/v1/push", "collected", "z")
	require.Equal(t, 204, status, text)
	require.Equal(t, []string{"z"}, r.lines(`{app="collected", site="home"}`))
}

func TestServeAuth(t *testing.T) {
	dir := t.TempDir()
	hash := func(token string) string {
		sum := sha256.Sum256([]byte(token))
		return hex.EncodeToString(sum[:])
	}
	password, err := bcrypt.GenerateFromPassword([]byte("secret"), bcrypt.MinCost)
	require.NoError(t, err)
	file := filepath.Join(dir, "cambium.yaml")
	require.NoError(t, os.WriteFile(file, fmt.Appendf(nil, `
data_dir: data
auth_enabled: true
auth:
  tokens:
  - {name: agent, sha256: %s, tenants: [t1], scopes: [push]}
  - {name: reader, sha256: %s, tenants: [t1, t2], scopes: [read]}
  - {name: root, sha256: %s, tenants: ["*"], scopes: [admin]}
  users:
  - {name: anna, bcrypt: %q, tenants: [t2], scopes: [read, push]}
`, hash("agent-token"), hash("reader-token"), hash("root-token"), password), 0o600))
	r := start(t, "-config", file)
	as := func(authorization, tenant string) {
		r.header = http.Header{}
		if authorization != "" {
			r.header.Set("Authorization", authorization)
		}
		if tenant != "" {
			r.header.Set("X-Scope-OrgID", tenant)
		}
	}
	basic := func(name, password string) string {
		req := &http.Request{Header: http.Header{}}
		req.SetBasicAuth(name, password)
		return req.Header.Get("Authorization")
	}
	const query = "/loki/api/v1/labels"
	status, _ := r.get("/ready")
	require.Equal(t, 200, status, "readiness is for everybody")
	for _, tc := range []struct {
		authorization, tenant string
		push, read, flush     int
	}{
		{"", "", 401, 401, 401},
		{"", "t1", 401, 401, 401},
		{"Bearer wrong", "t1", 401, 401, 401},
		{"Bearer agent-token", "", 204, 403, 403},
		{"Bearer agent-token", "t1", 204, 403, 403},
		{"Bearer agent-token", "t2", 403, 403, 403},
		{"Bearer reader-token", "t2", 403, 200, 403},
		{"Bearer root-token", "anything", 204, 200, 204},
		{"Bearer root-token", "", 401, 401, 401},
		{basic("anna", "secret"), "", 204, 200, 403},
		{basic("anna", "wrong"), "", 401, 401, 401},
		{basic("nobody", "secret"), "", 401, 401, 401},
		{basic("any", "agent-token"), "", 204, 403, 403},
	} {
		name := tc.authorization + " as " + tc.tenant
		as(tc.authorization, tc.tenant)
		status, text := r.pushTo("/loki/api/v1/push", "x", "line")
		require.Equal(t, tc.push, status, "%s pushes: %s", name, text)
		status, text = r.get(query)
		require.Equal(t, tc.read, status, "%s reads: %s", name, text)
		status, text = r.do(http.MethodPost, "/flush", "", "")
		require.Equal(t, tc.flush, status, "%s flushes: %s", name, text)
	}
	status, text := r.get("/config")
	require.Equal(t, 200, status)
	require.NotContains(t, text, hash("root-token"))
	require.NotContains(t, r.log.String(), "token")
}

func TestServeOwnToken(t *testing.T) {
	dir := t.TempDir()
	r := start(t, "-data", dir)
	status, _ := r.get("/loki/api/v1/labels")
	require.Equal(t, 401, status)
	token, err := os.ReadFile(filepath.Join(dir, tokenFile))
	require.NoError(t, err)
	require.NotContains(t, r.log.String(), strings.TrimSpace(string(token)))
	r.header.Set("Authorization", "Bearer "+strings.TrimSpace(string(token)))
	r.push("x", "line")
	r.stop()
	again := start(t, "-data", dir)
	again.header = r.header
	require.Equal(t, []string{"line"}, again.lines(`{app="x"}`), "the token stays")
}

func TestServeRefuses(t *testing.T) {
	dir := t.TempDir()
	bad := filepath.Join(dir, "bad.yaml")
	require.NoError(t, os.WriteFile(bad, []byte("limits: {ingestion_rate_md: 1}"), 0o600))
	for name, tc := range map[string]struct {
		args []string
		want string
	}{
		"open to the world": {[]string{"-auth", "none", "-listen", "0.0.0.0:0"}, "must be on loopback"},
		"no host":           {[]string{"-auth", "none", "-listen", ":0"}, "must be on loopback"},
		"strange auth":      {[]string{"-auth", "maybe"}, `auth.mode: "maybe" is none of`},
		"unknown key":       {[]string{"-config", bad}, `unknown key "limits.ingestion_rate_md", did you mean "ingestion_rate_mb"?`},
		"no such file":      {[]string{"-config", filepath.Join(dir, "none")}, "no such file"},
		"argument":          {[]string{"now"}, "serve takes no arguments"},
	} {
		t.Run(name, func(t *testing.T) {
			err := run(t.Context(), append([]string{"-listen", "127.0.0.1:0", "-data", filepath.Join(dir, "data")}, tc.args...), io.Discard, nil)
			require.ErrorContains(t, err, tc.want)
		})
	}
	require.NoError(t, run(t.Context(), []string{"-h"}, io.Discard, nil))
}

func (r *running) tail(query string) *websocket.Conn {
	r.t.Helper()
	conn, _, err := websocket.Dial(r.t.Context(), "ws"+strings.TrimPrefix(r.url, "http")+"/loki/api/v1/tail?query="+url.QueryEscape(query), nil)
	require.NoError(r.t, err)
	return conn
}

// next reads frames until n entries came.
func next(t *testing.T, conn *websocket.Conn, n int) []string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	var lines []string
	for len(lines) < n {
		_, frame, err := conn.Read(ctx)
		require.NoError(t, err)
		var message struct {
			Streams []struct {
				Stream map[string]string
				Values [][]string
			}
		}
		require.NoError(t, json.Unmarshal(frame, &message), string(frame))
		for _, s := range message.Streams {
			require.Equal(t, "tail", s.Stream["app"])
			require.Len(t, s.Values, 1)
			lines = append(lines, s.Values[0][1])
		}
	}
	return lines
}

func TestServeTail(t *testing.T) {
	r := start(t, "-data", t.TempDir(), "-auth", "none")
	r.push("tail", "hist1", "hist2", "hidden")
	conn := r.tail(`{app="tail"} != "hidden"`)
	defer conn.CloseNow()
	require.Equal(t, []string{"hist1", "hist2"}, next(t, conn, 2))
	r.push("other", "not this")
	r.push("tail", "live3 <x>", "hidden again", "live4")
	require.Equal(t, []string{"live3 <x>", "live4"}, next(t, conn, 2))

	metric := r.tail(`rate({app="tail"}[1m])`)
	_, _, err := metric.Read(t.Context())
	var closed websocket.CloseError
	require.ErrorAs(t, err, &closed)
	require.Equal(t, websocket.StatusInternalError, closed.Code)
	require.Equal(t, "only log selector is supported", closed.Reason)

	for path, want := range map[string]string{
		"/loki/api/v1/tail?query=%7Bapp%3D%22x%22%7D":             "Bad Request",
		"/loki/api/v1/tail?query=%7B":                             "parse error",
		"/loki/api/v1/tail?query=%7Bapp%3D%22x%22%7D&delay_for=6": "delay_for can't be greater than 5",
	} {
		status, text := r.get(path)
		require.Equal(t, 400, status, path)
		require.Contains(t, text, want)
	}
}

func TestServeLimitsTails(t *testing.T) {
	file := filepath.Join(t.TempDir(), "cambium.yaml")
	require.NoError(t, os.WriteFile(file, []byte("data_dir: data\nauth: {mode: none}\nlimits: {max_concurrent_tail_requests: 1}\nquery: {tail_max_duration: 3s}\n"), 0o600))
	r := start(t, "-config", file)
	r.push("tail", "x")
	first := r.tail(`{app="tail"}`)
	defer first.CloseNow()
	require.Equal(t, []string{"x"}, next(t, first, 1))
	var closed websocket.CloseError
	_, _, err := r.tail(`{app="tail"}`).Read(t.Context())
	require.ErrorAs(t, err, &closed)
	require.Equal(t, "max concurrent tail requests limit exceeded, count > limit (2 > 1)", closed.Reason)
	_, _, err = first.Read(t.Context())
	require.ErrorAs(t, err, &closed)
	require.Equal(t, "reached tail max duration limit", closed.Reason)
}

// TestServeSaysWhyTailsEnd: tails end with a reason also when they end while something is being sent, as pings are every second.
func TestServeSaysWhyTailsEnd(t *testing.T) {
	r := configured(t, "limits: {max_concurrent_tail_requests: 0}\nquery: {tail_max_duration: 2s}")
	tails := make([]*websocket.Conn, 40)
	for i := range tails {
		tails[i] = r.tail(`{app="tail"}`)
		defer tails[i].CloseNow()
	}
	for _, conn := range tails {
		_, _, err := conn.Read(t.Context())
		var closed websocket.CloseError
		require.ErrorAs(t, err, &closed)
		require.Equal(t, "reached tail max duration limit", closed.Reason)
	}
}

// A server that stops ends its tails and lets running requests finish.
func TestServeStops(t *testing.T) {
	r := start(t, "-data", t.TempDir(), "-auth", "none")
	conn := r.tail(`{app="tail"}`)
	defer conn.CloseNow()
	r.push("tail", "x")
	require.Equal(t, []string{"x"}, next(t, conn, 1))
	r.stop()
	_, _, err := conn.Read(t.Context())
	require.Error(t, err)
}
