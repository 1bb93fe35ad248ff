package plugin

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/stretchr/testify/require"

	"github.com/cambium-logs/cambium/pkg/httpapi"
)

// callResource sends one resource call and gives the whole answer.
func callResource(t *testing.T, i *Instance, req backend.CallResourceRequest) (int, string) {
	t.Helper()
	var status int
	var body bytes.Buffer
	require.NoError(t, i.CallResource(context.Background(), &req, backend.CallResourceResponseSenderFunc(func(part *backend.CallResourceResponse) error {
		status = part.Status
		body.Write(part.Body)
		return nil
	})))
	return status, body.String()
}

func instanceOver(db Database, json string, secure map[string]string) *Instance {
	return NewInstance(NewDatabases(func(context.Context, Location) (Database, error) { return db, nil }),
		backend.DataSourceInstanceSettings{JSONData: []byte(json), DecryptedSecureJSONData: secure})
}

// echoAPI answers with the request that reached the API.
func echoAPI(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	_, _ = io.WriteString(w, r.Method+" "+r.URL.EscapedPath()+"?"+r.URL.RawQuery+" "+string(body))
}

func TestResourcePaths(t *testing.T) {
	i := instanceOver(&fakeDB{handler: echoAPI}, `{}`, nil)
	for _, c := range []struct{ path, url, want string }{
		{"loki/api/v1/labels", "loki/api/v1/labels?start=1", "GET /loki/api/v1/labels?start=1 "},
		{"/loki/api/v1/labels", "/loki/api/v1/labels", "GET /loki/api/v1/labels? "},
		{"loki/api/v1/label/a b/values", "loki/api/v1/label/a%20b/values", "GET /loki/api/v1/label/a%20b/values? "},
		{"loki/api/v1/label/a/b/values", "loki/api/v1/label/a%2Fb/values", "GET /loki/api/v1/label/a%2Fb/values? "},
		{"loki/api/v1/label/ü?/values", "", "GET /loki/api/v1/label/%C3%BC%3F/values? "},
		{"loki/api/v1/labels", "loki/api/v1/labels?", "GET /loki/api/v1/labels? "},
	} {
		status, text := callResource(t, i, backend.CallResourceRequest{Method: "GET", Path: c.path, URL: c.url, PluginContext: backend.PluginContext{OrgID: 1}})
		require.Equal(t, http.StatusOK, status)
		require.Equal(t, c.want, text)
	}
}

type fakeFlusher struct{}

func (fakeFlusher) Flush(context.Context) error { return nil }

// Headers of a request pass through Grafana as they are; who calls and for which org is told by the plugin context alone.
func TestResourceCallerIsWhomGrafanaNames(t *testing.T) {
	db := &fakeDB{}
	db.handler = httpapi.New(httpapi.Options{Reporter: db, Flusher: fakeFlusher{}}).ServeHTTP
	i := instanceOver(db, `{"tenant":"shop","pushRole":"Admin","retention":"48h"}`, nil)
	forged := map[string][]string{"X-Grafana-User": {"admin"}, "X-Grafana-Role": {"Admin"}, "X-Scope-Orgid": {"org-2"}, "X-Grafana-Org-Id": {"2"}}
	call := func(method, path string, user *backend.User) (int, string) {
		return callResource(t, i, backend.CallResourceRequest{Method: method, Path: path, Headers: forged, PluginContext: backend.PluginContext{OrgID: 5, User: user}})
	}
	for _, c := range []struct {
		user          *backend.User
		status, flush int
	}{
		{&backend.User{Role: "Viewer"}, http.StatusOK, http.StatusForbidden},
		{&backend.User{Role: "Editor"}, http.StatusOK, http.StatusForbidden},
		{&backend.User{Role: "Admin"}, http.StatusOK, http.StatusNoContent},
		{&backend.User{Role: ""}, http.StatusForbidden, http.StatusForbidden},
		{nil, http.StatusOK, http.StatusForbidden},
	} {
		status, text := call("GET", "cambium/v1/status", c.user)
		require.Equal(t, c.status, status)
		if status == http.StatusOK {
			require.Contains(t, text, `"tenant":"org-5.shop"`)
			require.Contains(t, text, `"pushRole":"Admin"`)
		}
		status, _ = call("POST", "flush", c.user)
		require.Equal(t, c.flush, status)
	}
	require.Equal(t, map[string]time.Duration{"org-5.shop": 48 * time.Hour}, db.retention)
}

func TestPushToken(t *testing.T) {
	i := instanceOver(&fakeDB{handler: echoAPI}, `{}`, map[string]string{"pushToken": "right"})
	push := func(path string, token ...string) int {
		headers := map[string][]string{}
		if len(token) > 0 {
			headers["X-Push-Token"] = token
		}
		status, text := callResource(t, i, backend.CallResourceRequest{Method: "POST", Path: path, Headers: headers, PluginContext: backend.PluginContext{OrgID: 1}})
		require.NotContains(t, text, "right")
		return status
	}
	require.Equal(t, http.StatusForbidden, push("loki/api/v1/push"))
	require.Equal(t, http.StatusForbidden, push("otlp/v1/logs", "wrong"))
	require.Equal(t, http.StatusOK, push("loki/api/v1/push", "right"))
	require.Equal(t, http.StatusOK, push("loki/api/v1/query"), "reading needs no token")
}

func TestResourceErrors(t *testing.T) {
	status, text := callResource(t, instanceOver(&fakeDB{}, `{"tenant":"../x"}`, nil), backend.CallResourceRequest{Method: "GET", Path: "ready"})
	require.Equal(t, http.StatusBadRequest, status)
	require.Contains(t, text, "setting tenant")

	closed := NewInstance(NewDatabases(func(context.Context, Location) (Database, error) { return nil, errStopping }), backend.DataSourceInstanceSettings{})
	status, text = callResource(t, closed, backend.CallResourceRequest{Method: "GET", Path: "ready"})
	require.Equal(t, http.StatusServiceUnavailable, status)
	require.Equal(t, "the log store cannot be opened: the plugin is stopping\n", text)

	big := backend.CallResourceRequest{Method: "POST", Path: "loki/api/v1/push", Body: make([]byte, maxBody+1)}
	status, text = callResource(t, instanceOver(&fakeDB{}, `{}`, nil), big)
	require.Equal(t, http.StatusRequestEntityTooLarge, status)
	require.Contains(t, text, "60 MiB")
}

func TestConfinedReads(t *testing.T) {
	i := instanceOver(&fakeDB{handler: echoAPI}, `{"roleSelectors":[{"role":"Viewer","selector":"{env=\"prod\"}"}]}`, nil)
	ask := func(role, method, path, query, body string) (int, string) {
		url := path
		if query != "" {
			url += "?" + query
		}
		return callResource(t, i, backend.CallResourceRequest{
			Method: method, Path: path, URL: url, Body: []byte(body), Headers: map[string][]string{"Content-Type": {"application/x-www-form-urlencoded"}},
			PluginContext: backend.PluginContext{OrgID: 1, User: &backend.User{Role: role}},
		})
	}
	for _, c := range []struct{ name, role, method, path, query, body, want string }{
		{"query", "Viewer", "GET", "loki/api/v1/query_range", "query=%7Ba%3D%22b%22%7D&limit=3", "", `GET /loki/api/v1/query_range?limit=3&query=%7Ba%3D%22b%22%2C+env%3D%22prod%22%7D `},
		{"form", "Viewer", "POST", "loki/api/v1/query", "query=%7Ba%3D%22c%22%7D", "query=%7Ba%3D%22b%22%7D", `GET /loki/api/v1/query?query=%7Ba%3D%22b%22%2C+env%3D%22prod%22%7D `},
		{"no selector", "Viewer", "GET", "loki/api/v1/labels", "", "", `GET /loki/api/v1/labels?query=%7Benv%3D%22prod%22%7D `},
		{"label values", "Viewer", "GET", "loki/api/v1/label/app/values", "", "", `GET /loki/api/v1/label/app/values?query=%7Benv%3D%22prod%22%7D `},
		{"series", "Viewer", "GET", "loki/api/v1/series", "match=%7Ba%3D%22b%22%7D", "", `GET /loki/api/v1/series?match%5B%5D=%7Ba%3D%22b%22%2C+env%3D%22prod%22%7D `},
		{"other role", "Editor", "GET", "loki/api/v1/labels", "query=%7Ba%3D%22b%22%7D", "", `GET /loki/api/v1/labels?query=%7Ba%3D%22b%22%7D `},
		{"no data", "Viewer", "GET", "ready", "", "", `GET /ready? `},
	} {
		t.Run(c.name, func(t *testing.T) {
			status, text := ask(c.role, c.method, c.path, c.query, c.body)
			require.Equal(t, http.StatusOK, status)
			require.Equal(t, c.want, text)
		})
	}
	for _, path := range []string{"loki/api/v1/tail", "loki/api/v1/delete", "api/prom/query", "loki/api/v1/unknown", "loki//api/v1/query"} {
		status, _ := ask("Viewer", "GET", path, "query=%7Ba%3D%22b%22%7D", "")
		require.Equal(t, http.StatusForbidden, status, path)
	}
	status, _ := ask("Viewer", "GET", "loki/api/v1/query", "query=%7Ba%3D", "")
	require.Equal(t, http.StatusBadRequest, status)
}
