package plugin

import (
	"fmt"
	"path/filepath"
)

// DataDir chooses where the embedded database lives: GF_PLUGIN_DATA_DIR, which is data_dir in the plugin's section of grafana.ini; else
// cambium in Grafana's data directory; else cambium beside the directory of plugins that the executable lies in. It is never inside the
// plugin's own directory, which an upgrade replaces.
func DataDir(getenv func(string) string, executable string) (string, error) {
	dir := getenv("GF_PLUGIN_DATA_DIR")
	if dir == "" {
		if data := getenv("GF_PATHS_DATA"); data != "" {
			dir = filepath.Join(data, "cambium")
		}
	}
	own := filepath.Dir(executable)
	if dir == "" {
		// <data>/plugins/<plugin id>/gpx_cambium_…
		return filepath.Join(filepath.Dir(filepath.Dir(own)), "cambium"), nil
	}
	abs, err := filepath.Abs(dir)
	if err != nil {
		return "", fmt.Errorf("data directory %s: %w", dir, err)
	}
	if inside, err := filepath.Rel(own, abs); err == nil && filepath.IsLocal(inside) {
		return "", fmt.Errorf("data directory %s lies inside the plugin's directory %s, which an upgrade replaces: choose another", abs, own)
	}
	return abs, nil
}
