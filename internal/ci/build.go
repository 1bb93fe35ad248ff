package ci

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"

	sdk "github.com/grafana/grafana-plugin-sdk-go/build"
)

// staticEnv is the environment that the plugin is compiled in. Checks that compile use it too, so that they share the build cache with it.
var staticEnv = []string{"CGO_ENABLED=0"}

// buildTags are the tags that the plugin is compiled with.
const buildTags = "arrow_json_stdlib"

// Binary is where Backend puts the plugin for this machine.
func Binary() string {
	name := fmt.Sprintf("gpx_cambium_%s_%s", runtime.GOOS, runtime.GOARCH)
	if runtime.GOOS == "windows" {
		name += ".exe"
	}
	return filepath.Join("dist", name)
}

// Backend builds the plugin for this machine: static, stripped, with the version of package.json, as Grafana's tool chain does.
func Backend(context.Context) error {
	if err := os.MkdirAll("dist", 0o755); err != nil {
		return err
	}
	return sdk.Build{}.Custom(runtime.GOOS, runtime.GOARCH)
}

// Frontend installs the npm packages where they are missing or old and builds the plugin's frontend and the workbench page.
func Frontend(ctx context.Context) error {
	if err := npmInstall(ctx, os.Stdout); err != nil {
		return err
	}
	for _, script := range frontendBuilds() {
		if err := command(ctx, os.Stdout, nil, "npm", "run", script); err != nil {
			return err
		}
	}
	return nil
}

// frontendBuilds are the scripts of package.json that put something into dist/ or workbench/dist/.
func frontendBuilds() []string {
	return []string{"build", "build:workbench"}
}

// npmInstall runs `npm ci` unless what is installed is what the lock file asks for.
func npmInstall(ctx context.Context, out io.Writer) error {
	want, err := os.Stat("package-lock.json")
	if err != nil {
		return fmt.Errorf("the npm lock file is missing: %w", err)
	}
	if have, err := os.Stat("node_modules/.package-lock.json"); err == nil && !have.ModTime().Before(want.ModTime()) {
		return nil
	}
	return quiet(ctx, out, nil, "npm", "ci", "--no-audit", "--no-fund")
}

// hasScript tells whether package.json has a script, so that a checkout without a part of the frontend says so instead of failing oddly.
func hasScript(name string) bool {
	text, err := os.ReadFile("package.json")
	if err != nil {
		return false
	}
	var pkg struct {
		Scripts map[string]string `json:"scripts"`
	}
	if err := json.Unmarshal(text, &pkg); err != nil {
		return false
	}
	_, ok := pkg.Scripts[name]
	return ok
}
