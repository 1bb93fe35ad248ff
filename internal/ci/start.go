package ci

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"time"

	sdk "github.com/grafana/grafana-plugin-sdk-go/build"
)

// Run builds backend and frontend and starts what a person can open: Grafana in a container, a Grafana that is installed here, or
// the workbench. CAMBIUM_RUN=docker, grafana or workbench chooses; CAMBIUM_LOAD names a directory of log files for the workbench to load.
func Run(ctx context.Context) error {
	if err := Backend(ctx); err != nil {
		return err
	}
	if err := Frontend(ctx); err != nil {
		return err
	}
	switch choice := os.Getenv("CAMBIUM_RUN"); choice {
	case "docker":
		return runCompose(ctx)
	case "grafana":
		return runGrafana(ctx)
	case "workbench":
		return runWorkbench(ctx)
	case "":
		if hasCompose(ctx) {
			return runCompose(ctx)
		}
		if _, err := exec.LookPath("grafana"); err == nil {
			return runGrafana(ctx)
		}
		return runWorkbench(ctx)
	default:
		return fmt.Errorf("CAMBIUM_RUN=%s: want docker, grafana or workbench", choice)
	}
}

// hasCompose tells whether a container engine answers; that its client is installed says nothing.
func hasCompose(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	return quiet(ctx, io.Discard, nil, "docker", "info") == nil && quiet(ctx, io.Discard, nil, "docker", "compose", "version") == nil
}

func runCompose(ctx context.Context) error {
	if runtime.GOOS != "linux" { // the container's system, on this machine's processor
		if err := (sdk.Build{}).Custom("linux", runtime.GOARCH); err != nil {
			return err
		}
	}
	fmt.Print(`
Grafana starts in a container.
  open   http://localhost:3000   (admin, admin)
  try    Explore, data source Cambium, query {job=~".+"}
  stop   Ctrl+C

`)
	return interactive(ctx, nil, "docker", "compose", "up", "--build")
}

func runGrafana(ctx context.Context) error {
	root, err := os.Getwd()
	if err != nil {
		return err
	}
	plugins := filepath.Join(root, "data", "plugins")
	if err := os.MkdirAll(plugins, 0o755); err != nil {
		return err
	}
	link := filepath.Join(plugins, "cambium-logs-datasource")
	if _, err := os.Lstat(link); err != nil {
		if err := os.Symlink(filepath.Join(root, "dist"), link); err != nil {
			return err
		}
	}
	fmt.Print(`
The Grafana of this machine starts with the plugin.
  open   http://localhost:3000   (no login)
  try    Explore, data source Cambium, query {job=~".+"}
  stop   Ctrl+C

`)
	args := []string{"server"}
	if home := os.Getenv("GF_PATHS_HOME"); home != "" {
		args = append(args, "--homepath", home)
	} else if _, err := os.Stat("/usr/share/grafana"); err == nil {
		args = append(args, "--homepath", "/usr/share/grafana")
	}
	return interactive(ctx, []string{
		"GF_PATHS_DATA=" + filepath.Join(root, "data", "grafana"),
		"GF_PATHS_PLUGINS=" + plugins,
		"GF_PATHS_PROVISIONING=" + filepath.Join(root, "provisioning"),
		"GF_PLUGINS_ALLOW_LOADING_UNSIGNED_PLUGINS=cambium-logs-datasource",
		"GF_PLUGIN_DATA_DIR=" + filepath.Join(root, "data", "cambium"),
		"GF_AUTH_ANONYMOUS_ENABLED=true",
		"GF_AUTH_ANONYMOUS_ORG_ROLE=Admin",
		"GF_AUTH_DISABLE_LOGIN_FORM=true",
	}, "grafana", args...)
}

func runWorkbench(ctx context.Context) error {
	args := []string{"run", "./pkg/workbench/cmd/workbench", "-plugin", Binary(), "-listen", "127.0.0.1:3000"}
	if dir := os.Getenv("CAMBIUM_LOAD"); dir != "" {
		args = append(args, "-load", dir)
	}
	return interactive(ctx, staticEnv, "go", args...)
}

// interactive runs a program in the foreground until it ends or ctx does; an interrupt reaches it as well as us.
func interactive(ctx context.Context, env []string, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = append(os.Environ(), env...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 15 * time.Second
	return cmd.Run()
}
