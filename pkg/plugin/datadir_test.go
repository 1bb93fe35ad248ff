package plugin

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestDataDir(t *testing.T) {
	executable := filepath.FromSlash("/var/lib/grafana/plugins/cambium-logs-datasource/gpx_cambium_linux_amd64")
	for _, c := range []struct {
		name, dataDir, pathsData, want, err string
	}{
		{name: "own setting", dataDir: "/srv/logs", pathsData: "/var/lib/grafana", want: "/srv/logs"},
		{name: "grafana's data directory", pathsData: "/data/grafana", want: "/data/grafana/cambium"},
		{name: "beside the plugins", want: "/var/lib/grafana/cambium"},
		{name: "inside the plugin", dataDir: "/var/lib/grafana/plugins/cambium-logs-datasource/data", err: "which an upgrade replaces"},
		{name: "the plugin itself", dataDir: "/var/lib/grafana/plugins/cambium-logs-datasource", err: "which an upgrade replaces"},
	} {
		t.Run(c.name, func(t *testing.T) {
			env := map[string]string{"GF_PLUGIN_DATA_DIR": c.dataDir, "GF_PATHS_DATA": c.pathsData}
			got, err := DataDir(func(key string) string { return env[key] }, executable)
			if c.err != "" {
				require.ErrorContains(t, err, c.err)
				return
			}
			require.NoError(t, err)
			require.Equal(t, filepath.FromSlash(c.want), got)
		})
	}
}
