package workbench

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/grafana/grafana-plugin-sdk-go/backend/datasource"
	"github.com/grafana/grafana-plugin-sdk-go/backend/instancemgmt"
	"github.com/grafana/grafana-plugin-sdk-go/data"
	"github.com/stretchr/testify/require"
)

// TestMain makes the test binary the plugin when the host starts it.
func TestMain(m *testing.M) {
	if os.Getenv("grafana_plugin_type") != "" {
		if err := datasource.Manage(PluginID, newEcho, datasource.ManageOpts{}); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// echo is a data source that tells what it was asked.
type echo struct {
	settings backend.DataSourceInstanceSettings
}

func newEcho(_ context.Context, s backend.DataSourceInstanceSettings) (instancemgmt.Instance, error) {
	return &echo{settings: s}, nil
}

func role(pc backend.PluginContext) string {
	if pc.User == nil {
		return "none"
	}
	return pc.User.Role
}

func (e *echo) QueryData(_ context.Context, req *backend.QueryDataRequest) (*backend.QueryDataResponse, error) {
	response := backend.NewQueryDataResponse()
	for _, q := range req.Queries {
		if strings.Contains(string(q.JSON), "fail") {
			response.Responses[q.RefID] = backend.ErrDataResponse(backend.StatusBadRequest, "as you wish")
			continue
		}
		response.Responses[q.RefID] = backend.DataResponse{Frames: data.Frames{data.NewFrame(q.RefID,
			data.NewField("span", nil, []string{q.TimeRange.Duration().String()}),
			data.NewField("role", nil, []string{role(req.PluginContext)}))}}
	}
	return response, nil
}

func (e *echo) CallResource(_ context.Context, req *backend.CallResourceRequest, sender backend.CallResourceResponseSender) error {
	if req.Path == "die" {
		os.Exit(3)
	}
	text := fmt.Sprintf("%s %s | %s | org %d %s | %s %s | %s", req.Method, req.Path, req.URL, req.PluginContext.OrgID, role(req.PluginContext),
		e.settings.JSONData, e.settings.DecryptedSecureJSONData["token"], req.Body)
	if err := sender.Send(&backend.CallResourceResponse{Status: http.StatusAccepted, Headers: map[string][]string{
		"X-Authorization": req.Headers["Authorization"], "X-Other": req.Headers["X-Other"], "Set-Cookie": {"a=b"},
	}, Body: []byte(text)}); err != nil {
		return err
	}
	return sender.Send(&backend.CallResourceResponse{Status: http.StatusAccepted, Body: []byte(" | end")})
}

func (e *echo) CheckHealth(context.Context, *backend.CheckHealthRequest) (*backend.CheckHealthResult, error) {
	if strings.Contains(string(e.settings.JSONData), "sick") {
		return &backend.CheckHealthResult{Status: backend.HealthStatusError, Message: "sick"}, nil
	}
	return &backend.CheckHealthResult{Status: backend.HealthStatusOk, Message: "well", JSONDetails: []byte(`{"n":1}`)}, nil
}

func (e *echo) SubscribeStream(_ context.Context, req *backend.SubscribeStreamRequest) (*backend.SubscribeStreamResponse, error) {
	switch {
	case strings.HasPrefix(req.Path, "none"):
		return &backend.SubscribeStreamResponse{Status: backend.SubscribeStreamStatusNotFound}, nil
	case role(req.PluginContext) == "Viewer":
		return &backend.SubscribeStreamResponse{Status: backend.SubscribeStreamStatusPermissionDenied}, nil
	}
	initial, err := backend.NewInitialData(req.Data)
	return &backend.SubscribeStreamResponse{Status: backend.SubscribeStreamStatusOK, InitialData: initial}, err
}

func (e *echo) PublishStream(context.Context, *backend.PublishStreamRequest) (*backend.PublishStreamResponse, error) {
	return &backend.PublishStreamResponse{Status: backend.PublishStreamStatusPermissionDenied}, nil
}

func (e *echo) RunStream(ctx context.Context, _ *backend.RunStreamRequest, sender *backend.StreamSender) error {
	for n := 1; ; n++ {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(10 * time.Millisecond):
			if err := sender.SendJSON([]byte(fmt.Sprintf(`{"n":%d}`, n))); err != nil {
				return err
			}
		}
	}
}

func startHost(t *testing.T) *httptest.Server {
	t.Helper()
	process, err := StartProcess(t.Context(), ProcessOptions{Binary: os.Args[0], Log: io.Discard})
	require.NoError(t, err)
	t.Cleanup(process.Close)
	page := t.TempDir()
	require.NoError(t, os.WriteFile(page+"/index.html", []byte("the page"), 0o600))
	host := NewHost(HostOptions{Process: process, Dist: t.TempDir(), Page: page})
	t.Cleanup(host.Close)
	server := httptest.NewServer(host)
	t.Cleanup(server.Close)
	return server
}

func do(t *testing.T, method, url, body string, headers ...string) (int, string, http.Header) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	require.NoError(t, err)
	for i := 0; i < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return response.StatusCode, string(text), response.Header
}

func TestHost(t *testing.T) {
	server := startHost(t)
	ds := server.URL + "/api/datasources/uid/" + UID

	t.Run("resources", func(t *testing.T) {
		status, text, header := do(t, "POST", ds+"/resources/a%2Fb/c?x=1", "body", "X-Workbench-Role", "Viewer", "X-Workbench-Org", "3", "Authorization", "Bearer x", "X-Other", "y")
		require.Equal(t, http.StatusAccepted, status)
		require.Equal(t, "POST a/b/c | a%2Fb/c?x=1 | org 3 Viewer | {}  | body | end", text)
		require.Empty(t, header.Get("X-Authorization"), "Grafana keeps it")
		require.Equal(t, "y", header.Get("X-Other"))
		require.Empty(t, header.Get("Set-Cookie"))
		status, _, _ = do(t, "GET", ds+"/resources/x", "", "X-Workbench-Role", "Owner")
		require.Equal(t, http.StatusBadRequest, status)
	})

	t.Run("queries", func(t *testing.T) {
		const body = `{"from":"now-1h","to":"now","queries":[{"refId":"A"},{"refId":"B","timeRange":{"from":"1000","to":"3000"}}]}`
		status, text, _ := do(t, "POST", server.URL+"/api/ds/query", body, "X-Workbench-Role", "none")
		require.Equal(t, http.StatusOK, status)
		require.Contains(t, text, `"values":[["1h0m0s"],["none"]]`)
		require.Contains(t, text, `"values":[["2s"],["none"]]`)
		status, text, _ = do(t, "POST", server.URL+"/api/ds/query", `{"from":"now-1h","to":"now","queries":[{"refId":"A","expr":"fail"}]}`)
		require.Equal(t, http.StatusBadRequest, status)
		require.Contains(t, text, `"error":"as you wish"`)
		status, _, _ = do(t, "POST", server.URL+"/api/ds/query", `{"queries":[]}`)
		require.Equal(t, http.StatusBadRequest, status)
	})

	t.Run("settings", func(t *testing.T) {
		status, text, _ := do(t, "PUT", ds, `{"name":"Mine","jsonData":{"sick":true},"secureJsonData":{"token":"t0p"}}`)
		require.Equal(t, http.StatusOK, status)
		require.NotContains(t, text, "t0p")
		_, text, _ = do(t, "GET", ds, "")
		var got DataSource
		require.NoError(t, json.Unmarshal([]byte(text), &got))
		require.Equal(t, "Mine", got.Name)
		require.Equal(t, 2, got.Version)
		require.Equal(t, map[string]bool{"token": true}, got.SecureJSONFields)
		_, text, _ = do(t, "GET", ds+"/resources/x", "")
		require.Contains(t, text, `{"sick":true} t0p`)
		status, text, _ = do(t, "GET", ds+"/health", "")
		require.Equal(t, http.StatusBadRequest, status)
		require.JSONEq(t, `{"status":"ERROR","message":"sick"}`, text)
		do(t, "PUT", ds, `{"jsonData":{},"secureJsonFields":{"token":false}}`)
		_, text, _ = do(t, "GET", ds+"/resources/x", "")
		require.NotContains(t, text, "t0p")
		status, text, _ = do(t, "GET", ds+"/health", "")
		require.Equal(t, http.StatusOK, status)
		require.JSONEq(t, `{"status":"OK","message":"well","details":{"n":1}}`, text)
		_, text, _ = do(t, "GET", server.URL+"/api/datasources", "")
		require.Contains(t, text, `"uid":"cambium"`)
	})

	t.Run("metrics and pages", func(t *testing.T) {
		_, text, _ := do(t, "GET", server.URL+"/api/plugins/"+PluginID+"/metrics", "")
		require.Contains(t, text, "go_goroutines")
		status, text, _ := do(t, "GET", server.URL+"/explore", "", "Accept", "text/html")
		require.Equal(t, http.StatusOK, status)
		require.Equal(t, "the page", text)
		status, _, _ = do(t, "GET", server.URL+"/missing.js", "")
		require.Equal(t, http.StatusNotFound, status)
	})

	t.Run("live", func(t *testing.T) {
		base := strings.Replace(server.URL, "http", "ws", 1) + "/api/live/ds/" + UID
		for range 2 { // the second one joins the running channel
			conn, _, err := websocket.Dial(t.Context(), base+"/tail/x?data=%7B%22expr%22%3A1%7D", nil)
			require.NoError(t, err)
			_, first, err := conn.Read(t.Context())
			require.NoError(t, err)
			require.JSONEq(t, `{"expr":1}`, string(first))
			_, next, err := conn.Read(t.Context())
			require.NoError(t, err)
			require.Contains(t, string(next), `"n":`)
			defer conn.CloseNow()
		}
		for path, want := range map[string]int{"/none": 404, "/tail/x?workbenchRole=Viewer": 403, "/tail/x?data=%7B": 400, "/" + strings.Repeat("x", 160): 400} {
			_, response, err := websocket.Dial(t.Context(), base+path, nil)
			require.Error(t, err)
			require.Equal(t, want, response.StatusCode, path)
		}
	})

	t.Run("restart", func(t *testing.T) {
		do(t, "GET", ds+"/resources/die", "")
		require.Eventually(t, func() bool {
			status, _, _ := do(t, "GET", ds+"/resources/x", "")
			return status == http.StatusAccepted
		}, 10*time.Second, 50*time.Millisecond)
		_, text, _ := do(t, "GET", server.URL+"/api/health", "")
		require.Contains(t, text, `"pluginStarts":2`)
	})
}
