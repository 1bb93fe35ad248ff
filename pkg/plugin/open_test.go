package plugin

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/cambium-logs/cambium/pkg/httpapi"
)

// environment is one with some variables set, of a plugin that lies in a Grafana of its own.
func environment(t *testing.T, variables map[string]string) Environment {
	t.Helper()
	return Environment{
		Getenv:     func(key string) string { return variables[key] },
		Executable: filepath.Join(t.TempDir(), "plugins", ID, "gpx_cambium"),
	}
}

func TestConfiguration(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "cambium.yaml")
	write := func(text string) { require.NoError(t, os.WriteFile(file, []byte(text), 0o600)) }

	e := environment(t, nil)
	c, err := e.configuration()
	require.NoError(t, err)
	require.Equal(t, filepath.Join(filepath.Dir(filepath.Dir(filepath.Dir(e.Executable))), "cambium"), c.DataDir)
	require.Empty(t, c.Server.Listen, "no listener unless grafana.ini asks for one")

	write("data_dir: here\nserver: {listen: 127.0.0.1:9}\nlimits: {ingestion_rate_mb: 7}\n")
	c, err = environment(t, map[string]string{"GF_PLUGIN_CONFIG": file}).configuration()
	require.NoError(t, err)
	require.Equal(t, filepath.Join(dir, "here"), c.DataDir)
	require.Equal(t, 7.0, c.Limits.IngestionRateMB)
	require.Empty(t, c.Server.Listen, "the file of a server does not open a port in Grafana")

	c, err = environment(t, map[string]string{"GF_PLUGIN_CONFIG": file, "GF_PLUGIN_DATA_DIR": "/srv/logs", "GF_PLUGIN_LISTEN": "127.0.0.1:0"}).configuration()
	require.NoError(t, err)
	require.Equal(t, "/srv/logs", c.DataDir)
	require.Equal(t, "127.0.0.1:0", c.Server.Listen)

	write("limits: {ingestion_rate: 7}\n")
	_, err = environment(t, map[string]string{"GF_PLUGIN_CONFIG": file}).configuration()
	require.ErrorContains(t, err, "ingestion_rate")
	_, err = environment(t, map[string]string{"GF_PLUGIN_CONFIG": filepath.Join(dir, "missing.yaml")}).configuration()
	require.ErrorContains(t, err, "missing.yaml")
}

// Old and new instances of a data source overlap, and a store that was closed is opened again: metrics and locks must take part.
func TestOpenAgain(t *testing.T) {
	e := environment(t, map[string]string{"GF_PLUGIN_DATA_DIR": t.TempDir()})
	for range 2 {
		db, err := e.Open(t.Context(), Location{})
		require.NoError(t, err)
		require.NoError(t, db.Ready())
		require.NoError(t, db.Close(t.Context()))
	}
	families, err := prometheus.DefaultGatherer.Gather()
	require.NoError(t, err)
	for _, f := range families {
		require.NotContains(t, f.GetName(), "cambium_wal", "metrics of a closed store are gone")
	}
}

func TestUnsafeListenerIsRefused(t *testing.T) {
	e := environment(t, map[string]string{"GF_PLUGIN_DATA_DIR": t.TempDir(), "GF_PLUGIN_LISTEN": "0.0.0.0:0"})
	_, err := e.Open(t.Context(), Location{})
	require.ErrorContains(t, err, "the setting listen of grafana.ini")
}

// The whole way inside one process: settings, roles, push, query, tail, health.
func TestInstanceOverARealStore(t *testing.T) {
	databases := NewDatabases(environment(t, map[string]string{"GF_PLUGIN_DATA_DIR": t.TempDir()}).Open)
	t.Cleanup(func() { require.NoError(t, databases.Close(context.Background())) })
	i := NewInstance(databases, backend.DataSourceInstanceSettings{})
	editor := backend.PluginContext{OrgID: 4, User: &backend.User{Role: "Editor"}}
	now := time.Now()
	body := []byte(`{"streams":[{"stream":{"app":"x"},"values":[["` + strconv.FormatInt(now.UnixNano(), 10) + `","level=error hello"]]}]}`)
	push := backend.CallResourceRequest{
		Method: "POST", Path: "loki/api/v1/push", Headers: map[string][]string{"content-type": {"application/json"}}, Body: body, PluginContext: editor,
	}
	status, text := callResource(t, i, push)
	require.Equal(t, http.StatusNoContent, status, text)
	push.PluginContext.User = &backend.User{Role: "Viewer"}
	status, _ = callResource(t, i, push)
	require.Equal(t, http.StatusForbidden, status)

	for _, path := range []string{"metrics", "config", "services", "log_level", "debug/pprof/heap"} {
		status, _ = callResource(t, i, backend.CallResourceRequest{Method: "GET", Path: path, PluginContext: editor})
		require.Equal(t, http.StatusNotFound, status, path)
	}

	history, live, err := mustDatabase(t, i).Tail(t.Context(), httpapi.TailParams{Tenant: "org-4", Expr: `{app="x"}`, Since: now.Add(-time.Hour).UnixNano(), History: 10})
	require.NoError(t, err)
	require.Len(t, history, 1)
	live.Close()

	result, err := i.CheckHealth(t.Context(), &backend.CheckHealthRequest{PluginContext: editor})
	require.NoError(t, err)
	require.Equal(t, backend.HealthStatusOk, result.Status, result.Message)
	require.Contains(t, result.Message, "1 line of 1 stream")
}

func mustDatabase(t *testing.T, i *Instance) Database {
	t.Helper()
	db, err := i.handle.Database(t.Context())
	require.NoError(t, err)
	return db
}
