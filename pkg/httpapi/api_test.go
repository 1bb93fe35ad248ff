package httpapi

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/stretchr/testify/require"

	"github.com/cambium-logs/cambium/pkg/ingest"
	"github.com/cambium-logs/cambium/pkg/query"
	"github.com/cambium-logs/cambium/pkg/storage/chunk"
	"github.com/cambium-logs/cambium/pkg/storage/storagetest"
	"github.com/cambium-logs/cambium/pkg/tenant"
)

var testNow = time.Date(2026, 11, 20, 23, 41, 24, 0, time.UTC)

// memorySink stores pushes in a storagetest.Memory.
type memorySink struct {
	memory *storagetest.Memory
	err    error
}

func (s *memorySink) Append(_ context.Context, _ string, streams []ingest.Stream) error {
	if s.err != nil {
		return s.err
	}
	for _, stream := range streams {
		for _, e := range stream.Entries {
			copied := chunk.Entry{Timestamp: e.Timestamp, Line: []byte(string(e.Line))}
			for _, l := range e.Metadata {
				copied.Metadata = append(copied.Metadata, labels.Label{Name: strings.Clone(l.Name), Value: strings.Clone(l.Value)})
			}
			s.memory.Add(stream.Labels, copied)
		}
	}
	return nil
}

func (s *memorySink) ActiveStreams(string) int { return 0 }

func (s *memorySink) HasStream(string, labels.Labels) bool { return false }

type fixture struct {
	t         *testing.T
	api       *API
	sink      *memorySink
	limits    tenant.Limits
	principal Principal
	header    http.Header
	flushed   int
	ready     error
	deletes   *fakeDeletes
}

func newFixture(t *testing.T, change func(*Options)) *fixture {
	f := &fixture{
		t: t, sink: &memorySink{memory: &storagetest.Memory{}}, limits: tenant.DefaultLimits(), header: http.Header{},
		principal: Principal{Tenant: "t1", Role: RoleAdmin}, deletes: &fakeDeletes{},
	}
	registry := prometheus.NewRegistry()
	o := Options{
		Query: query.New(query.Options{Source: f.sink.memory}), Sink: f.sink, Limits: func(string) *tenant.Limits { return &f.limits },
		Flusher: f, Reporter: f, Readiness: f, Deletes: f.deletes, Now: func() time.Time { return testNow },
		Registerer: registry, Gatherer: registry, Config: func(string) ([]byte, error) { return []byte("a: b\n"), nil },
	}
	if change != nil {
		change(&o)
	}
	f.api = New(o)
	return f
}

func (f *fixture) Flush(context.Context) error { f.flushed++; return nil }
func (f *fixture) Ready() error                { return f.ready }
func (f *fixture) TenantStatus(context.Context, string) (Status, error) {
	return Status{Location: "here", Bytes: 5, Oldest: testNow.UnixNano()}, nil
}

func (f *fixture) do(method, target, contentType, body string) *httptest.ResponseRecorder {
	f.t.Helper()
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	for k, v := range f.header {
		r.Header[k] = v
	}
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	if f.principal.Tenant != "" || f.principal.Tenants != nil {
		r = r.WithContext(WithPrincipal(r.Context(), f.principal))
	}
	w := httptest.NewRecorder()
	f.api.ServeHTTP(w, r)
	return w
}

func (f *fixture) get(target string) *httptest.ResponseRecorder {
	f.t.Helper()
	return f.do(http.MethodGet, target, "", "")
}

func (f *fixture) push(stream string, lines ...string) {
	f.t.Helper()
	var values [][]string
	for i, line := range lines {
		values = append(values, []string{fmt.Sprint(testNow.Add(time.Duration(i-60) * time.Second).UnixNano()), line})
	}
	text, err := json.Marshal(values)
	require.NoError(f.t, err)
	w := f.do(http.MethodPost, "/loki/api/v1/push", "application/json", `{"streams":[{"stream":`+stream+`,"values":`+string(text)+`}]}`)
	require.Equal(f.t, http.StatusNoContent, w.Code, w.Body.String())
	require.Empty(f.t, w.Body.String())
}

func at(seconds int) string {
	return fmt.Sprint(testNow.Add(time.Duration(seconds) * time.Second).UnixNano())
}

func TestRouting(t *testing.T) {
	f := newFixture(t, nil)
	for _, tc := range []struct {
		method, path string
		status       int
		body         string
	}{
		{"GET", "/nowhere", 404, "404 page not found\n"},
		{"GET", "/loki/api/v1/labels/", 404, "404 page not found\n"},
		{"GET", "/loki/api/v1/label//values", 301, ""},
		{"GET", "/loki/api/v1/push", 405, ""},
		{"HEAD", "/loki/api/v1/labels", 405, ""},
		{"OPTIONS", "/loki/api/v1/query", 405, ""},
		{"PATCH", "/loki/api/v1/delete", 405, ""},
		{"GET", "/loki/api/v1/tail", 404, "404 page not found\n"},
		{"GET", "/ready", 200, "ready\n"},
		{"GET", "/loki/ready", 200, "ready\n"},
		{"GET", "/services", 200, "engine => Running\n"},
		{"GET", "/config", 200, "a: b\n"},
		{"GET", "/loki/api/v1/cache/generation_numbers", 200, "\"\"\n"},
		{"GET", "/debug/pprof/", 404, "404 page not found\n"},
	} {
		w := f.do(tc.method, tc.path, "", "")
		require.Equal(t, tc.status, w.Code, tc.path)
		if tc.status != 301 {
			require.Equal(t, tc.body, w.Body.String(), tc.path)
		}
	}
	w := f.get("/loki//api/v1/labels?start=1")
	require.Equal(t, "/loki/api/v1/labels?start=1", w.Header().Get("Location"))
	f.ready = errors.New("segments cannot be written")
	require.Equal(t, 503, f.get("/ready").Code)
}

func TestPrincipals(t *testing.T) {
	const body = `{"streams":[{"stream":{"app":"x"},"values":[]}]}`
	f := newFixture(t, nil)
	for _, tc := range []struct {
		principal                 Principal
		push, read, flush, delete int
	}{
		{Principal{}, 401, 401, 401, 401},
		{Principal{Tenant: "t1"}, 403, 403, 403, 403},
		{Principal{Tenant: "t1", Role: RoleViewer}, 403, 200, 403, 403},
		{Principal{Tenant: "t1", Role: RoleEditor}, 204, 200, 403, 403},
		{Principal{Tenant: "t1", Role: RoleAdmin}, 204, 200, 204, 200},
		{Principal{Tenant: "t1", Role: RoleViewer, PushRole: RoleViewer}, 204, 200, 403, 403},
		{Principal{Tenant: "t1", Role: RoleEditor, PushRole: RoleAdmin}, 403, 200, 403, 403},
		{Principal{Tenant: "t1", Role: RoleAdmin, Scopes: []Scope{ScopePush}}, 204, 403, 403, 403},
		{Principal{Tenant: "t1", Scopes: []Scope{ScopeRead}}, 403, 200, 403, 403},
		{Principal{Tenant: "t1", Scopes: []Scope{ScopeAdmin}}, 204, 200, 204, 200},
		{Principal{Tenant: "../t1", Role: RoleAdmin}, 400, 400, 204, 400},
		{Principal{Tenants: []string{"a", "b"}, Role: RoleAdmin}, 400, 400, 204, 400},
	} {
		f.principal = tc.principal
		name := fmt.Sprintf("%+v", tc.principal)
		require.Equal(t, tc.push, f.do("POST", "/loki/api/v1/push", "application/json", body).Code, "push of %s", name)
		require.Equal(t, tc.read, f.get("/loki/api/v1/labels").Code, "read of %s", name)
		require.Equal(t, tc.flush, f.do("POST", "/flush", "", "").Code, "flush of %s", name)
		require.Equal(t, tc.delete, f.get("/loki/api/v1/delete").Code, "delete of %s", name)
		require.Equal(t, 200, f.get("/ready").Code)
		require.Equal(t, 200, f.get("/loki/api/v1/format_query?query=%7Ba%3D%22b%22%7D").Code)
	}
	f.principal = Principal{}
	w := f.do("POST", "/loki/api/v1/push", "application/json", body)
	require.Equal(t, "no org id\n", w.Body.String())
	require.Equal(t, "text/plain; charset=utf-8", w.Header().Get("Content-Type"))
	require.Equal(t, "nosniff", w.Header().Get("X-Content-Type-Options"))
	// What headers say of who is asking means nothing.
	f.header.Set("X-Grafana-Role", "Admin")
	f.header.Set("X-Scope-OrgID", "t1")
	require.Equal(t, 401, f.get("/loki/api/v1/labels").Code)
}

func TestAnswers(t *testing.T) {
	f := newFixture(t, nil)
	f.limits.DiscoverLogLevels, f.limits.DiscoverServiceName = false, nil
	f.push(`{"app":"a<b>&c"}`, "x <y> & z\u2028", "\xff\x01\"\\")
	w := f.get("/loki/api/v1/query_range?direction=forward&query=" + url.QueryEscape(`{app=~".+"}`))
	require.Equal(t, 200, w.Code, w.Body.String())
	require.Equal(t, "application/json; charset=UTF-8", w.Header().Get("Content-Type"))
	require.Equal(t, "Accept-Encoding", w.Header().Get("Vary"))
	text := w.Body.String()
	require.Contains(t, text, `{"status":"success","data":{"resultType":"streams","result":[{"stream":{"app":"a\u003cb\u003e\u0026c"},"values":[["`+at(-60)+
		`","x \u003cy\u003e \u0026 z\u2028"],["`+at(-59)+`","`)
	require.Contains(t, text, `\u0001\"\\"]]}],"stats":{"summary":{`)
	require.True(t, strings.HasSuffix(text, "}}\n"))
	require.True(t, json.Valid([]byte(text)))

	w = f.get("/loki/api/v1/query?time=" + at(0) + "&query=" + url.QueryEscape(`count_over_time({app=~".+"}[1h])`))
	require.Contains(t, w.Body.String(), `{"resultType":"vector","result":[{"metric":{"app":"a\u003cb\u003e\u0026c"},"value":[1795218084,"2"]}]`)
	w = f.get("/loki/api/v1/query?time=1795218084.5&query=1%2B1")
	require.Contains(t, w.Body.String(), `{"resultType":"scalar","result":[1795218084500,"2"]`)

	f.header.Set("Accept-Encoding", "gzip")
	w = f.get("/loki/api/v1/labels")
	require.Equal(t, "gzip", w.Header().Get("Content-Encoding"))
	z, err := gzip.NewReader(w.Body)
	require.NoError(t, err)
	plain, err := io.ReadAll(z)
	require.NoError(t, err)
	require.Equal(t, `{"status":"success","data":["app"]}`+"\n", string(plain))
	f.header.Del("Accept-Encoding")

	w = f.get("/loki/api/v1/labels?start=1&end=2")
	require.Equal(t, `{"status":"success"}`+"\n", w.Body.String())
	w = f.get("/loki/api/v1/series?start=1&end=2")
	require.Equal(t, `{"status":"success","data":[]}`+"\n", w.Body.String())
	w = f.get("/cambium/v1/status")
	require.JSONEq(t, `{"tenant":"t1","location":"here","bytes":5,"rawBytes":0,"entries":0,"streams":0,"oldest":"2026-11-20T23:41:24Z","newest":"","lastReceived":"",
		"retention":"forever","pushRole":"Editor","version":"dev"}`, w.Body.String())
	require.Contains(t, f.get("/metrics").Body.String(), `cambium_http_request_duration_seconds_count{method="GET",route="/loki/api/v1/labels",status_code="200"} 2`)
}

func TestPushErrors(t *testing.T) {
	f := newFixture(t, func(o *Options) { o.Bounds.MaxBody = 1000 })
	post := func(body string) *httptest.ResponseRecorder {
		return f.do("POST", "/loki/api/v1/push", "application/json", body)
	}
	w := post(`{"streams":[]}`)
	require.Equal(t, 422, w.Code)
	require.Equal(t, "error at least one valid stream is required for ingestion\n", w.Body.String())
	require.Equal(t, 413, post(strings.Repeat("x", 1001)).Code)
	w = f.do("POST", "/otlp/v1/logs", "application/json", `{}`)
	require.Equal(t, 422, w.Code)
	require.Equal(t, "\x12\x39error at least one valid stream is required for ingestion", w.Body.String())
	require.Equal(t, "application/octet-stream", w.Header().Get("Content-Type"))

	const good = `{"streams":[{"stream":{"app":"x"},"values":[["1795218084000000000","y"]]}]}`
	f.sink.err = &ingest.Error{Status: 429, Message: "too much is waiting to be written", RetryAfter: 1500 * time.Millisecond}
	w = post(good)
	require.Equal(t, 429, w.Code)
	require.Equal(t, "2", w.Header().Get("Retry-After"))
	f.sink.err = errors.New("disk is gone")
	w = post(good)
	require.Equal(t, 500, w.Code)
	require.Equal(t, "disk is gone\n", w.Body.String())
}

func TestFormLimits(t *testing.T) {
	f := newFixture(t, func(o *Options) { o.MaxForm = 100 })
	w := f.do("POST", "/loki/api/v1/labels", "application/x-www-form-urlencoded", "query="+strings.Repeat("x", 200))
	require.Equal(t, 413, w.Code, w.Body.String())
	w = f.do("POST", "/loki/api/v1/label/app/values?start=5", "application/x-www-form-urlencoded", "start=bad")
	require.Equal(t, 400, w.Code)
	require.Equal(t, `could not parse 'start' parameter: strconv.ParseInt: parsing "bad": invalid syntax`, w.Body.String(), "the body wins")
}

func TestParseTime(t *testing.T) {
	for text, want := range map[string]int64{
		"": 7, "1795214520": 1795214520e9, "1795214520.5": 1795214520500e6, "1795214520000000000": 1795214520e9, "2026-11-20T22:42:00Z": 1795214520e9,
		"2026-11-20T22:42:00.5+00:00": 1795214520500e6, "1.7934954e9": 1793495400e9, "1795214520.1239": 1795214520124e6, "0": 0, "-5": -5e9, "1795214520000": 1795214520000,
	} {
		got, err := parseTime(text, 7)
		require.NoError(t, err, text)
		require.Equal(t, want, got, text)
	}
	for _, text := range []string{"bad", "12:00", "1h", "1e300", "99999999999999999999", "1.0e300", "NaN.0"} {
		_, err := parseTime(text, 7)
		require.Error(t, err, text)
	}
}

func TestParseSpan(t *testing.T) {
	for text, want := range map[string]int64{"60": 60e9, "60.5": 60500e6, "1m": 60e9, "500ms": 5e8, "-1": -1e9, "0": 0, "1d": 86400e9} {
		got, err := parseSpan(text)
		require.NoError(t, err, text)
		require.Equal(t, want, got, text)
	}
	for _, text := range []string{"abc", "-5m", "1x", "1e300", "NaN", ""} {
		_, err := parseSpan(text)
		require.Error(t, err, text)
	}
}

func TestExport(t *testing.T) {
	f := newFixture(t, nil)
	var lines []string
	for i := range 3 * exportPage {
		lines = append(lines, fmt.Sprintf("line %d", i))
	}
	for i := 0; i < len(lines); i += 1000 {
		var values []string
		for k, line := range lines[i : i+1000] {
			// Many entries share a timestamp, at the ends of pages too.
			values = append(values, fmt.Sprintf(`["%d","%s"]`, testNow.Add(-time.Hour).UnixNano()+int64((i+k)/700), line))
		}
		w := f.do("POST", "/loki/api/v1/push", "application/json", `{"streams":[{"stream":{"app":"x"},"values":[`+strings.Join(values, ",")+`]}]}`)
		require.Equal(t, 204, w.Code, w.Body.String())
	}
	w := f.get("/cambium/v1/export?query=%7Bapp%3D%22x%22%7D&since=2h")
	require.Equal(t, 200, w.Code, w.Body.String())
	require.Equal(t, "application/x-ndjson", w.Header().Get("Content-Type"))
	got := strings.Split(strings.TrimSpace(w.Body.String()), "\n")
	require.Len(t, got, len(lines))
	for i, text := range got {
		var e struct {
			Timestamp, Line  string
			Stream, Metadata map[string]string
		}
		require.NoError(t, json.Unmarshal([]byte(text), &e))
		require.Equal(t, lines[i], e.Line)
		require.Equal(t, "unknown", e.Metadata["detected_level"])
		require.Equal(t, "x", e.Stream["service_name"])
	}
	require.Equal(t, 400, f.get("/cambium/v1/export?query=rate(%7Bapp%3D%22x%22%7D%5B1m%5D)").Code)
}

func TestShutdownRoutes(t *testing.T) {
	f := newFixture(t, nil)
	const prepare = "/ingester/prepare_shutdown"
	require.Equal(t, "unset", f.get(prepare).Body.String())
	require.Equal(t, 204, f.do("POST", prepare, "", "").Code)
	require.Equal(t, 1, f.flushed)
	require.Equal(t, "set", f.get(prepare).Body.String())
	require.Equal(t, 204, f.do("DELETE", prepare, "", "").Code)
	require.Equal(t, "unset", f.get(prepare).Body.String())
	require.Equal(t, 400, f.do("POST", "/ingester/shutdown", "", "").Code)
	require.Equal(t, 204, f.do("POST", "/ingester/shutdown?terminate=false", "", "").Code)
	require.Equal(t, 2, f.flushed)
	require.Equal(t, 204, f.do("POST", "/ingester/shutdown?terminate=false&flush=false", "", "").Code)
	require.Equal(t, 2, f.flushed)
	require.Equal(t, "This instance doesn't use memberlist.\n", f.get("/memberlist").Body.String())
	for _, path := range []string{"/ring", "/loki/api/v1/index/shards", "/loki/api/v1/rules"} {
		require.Equal(t, 404, f.get(path).Code, path)
	}
	f.principal.Role = RoleEditor
	require.Equal(t, 403, f.do("POST", prepare, "", "").Code)
	require.Equal(t, 403, f.do("POST", "/ingester/shutdown?terminate=false", "", "").Code)
}

func TestDetectedFieldsSaySample(t *testing.T) {
	f := newFixture(t, nil)
	f.push(`{"app":"x"}`, "a=1 b=2", "a=3 b=4")
	w := f.get("/loki/api/v1/detected_fields?line_limit=1&query=%7Bapp%3D%22x%22%7D")
	require.Contains(t, w.Body.String(), `{"label":"a","type":"int","cardinality":1,"parsers":["logfmt"]}`)
	require.Equal(t, "newest 1 lines", w.Header().Get("X-Cambium-Sample"))
	w = f.get("/loki/api/v1/detected_fields?line_limit=all&query=%7Bapp%3D%22x%22%7D")
	require.Equal(t, http.StatusOK, w.Code)
	require.Empty(t, w.Header().Get("X-Cambium-Sample"))
}

func TestPatternAge(t *testing.T) {
	f := newFixture(t, nil)
	f.push(`{"app":"x"}`, "user 1 came", "user 2 came")
	ask := func() string {
		w := f.get("/loki/api/v1/patterns?step=1h&query=%7Bapp%3D%22x%22%7D")
		require.Equal(t, 200, w.Code, w.Body.String())
		return w.Body.String()
	}
	found := `{"status":"success","data":[{"pattern":"user \u003c_\u003e came","level":"unknown","samples":[[1795215600,2]]}]}` + "\n"
	require.Equal(t, found, ask())
	f.limits.MaxPatternAge = tenant.Duration(time.Second)
	require.Equal(t, `{"status":"success","data":[]}`+"\n", ask())
	f.limits.MaxPatternAge = 0
	require.Equal(t, found, ask())
}

func TestExtensions(t *testing.T) {
	f := newFixture(t, nil)
	const q = "/loki/api/v1/query?query=abs(vector(1))"
	require.Equal(t, 400, f.get(q).Code)
	require.Equal(t, 200, f.get(q+"&extensions=true").Code)
	f = newFixture(t, func(o *Options) { o.Extensions = true })
	require.Equal(t, 200, f.get(q).Code)
	require.Equal(t, 400, f.get(q+"&extensions=false").Code)
}
