package agents

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/cambium-logs/cambium/pkg/workbench"
)

// executable gives the path of the executable to test.
var executable = sync.OnceValues(func() (string, error) {
	if path := os.Getenv("CAMBIUM_PLUGIN_BINARY"); path != "" {
		return path, nil
	}
	dir, err := cacheDir("gpx_cambium")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "gpx_cambium")
	cmd := exec.Command("go", "build", "-tags", "arrow_json_stdlib", "-o", path, "..")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if text, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the executable: %w\n%s", err, text)
	}
	return path, nil
})

// cacheDir is a directory that outlives the test.
func cacheDir(name string) (string, error) {
	base, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(base, "cambium-agents", name)
	return dir, os.MkdirAll(dir, 0o755)
}

// output keeps what a process says.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// daemon is a process that runs until it is told to stop.
type daemon struct {
	cmd  *exec.Cmd
	out  *output
	done chan struct{}
	err  error // of the process; read it after done
}

// startDaemon starts a process that ends with the test at the latest. What it said is shown when the test fails.
func startDaemon(t testing.TB, cmd *exec.Cmd) *daemon {
	t.Helper()
	d := &daemon{cmd: cmd, out: &output{}, done: make(chan struct{})}
	if cmd.Stdout == nil {
		cmd.Stdout = d.out
	}
	if cmd.Stderr == nil {
		cmd.Stderr = d.out
	}
	require.NoError(t, cmd.Start())
	go func() {
		d.err = cmd.Wait()
		close(d.done)
	}()
	t.Cleanup(func() {
		d.stop(10 * time.Second)
		if t.Failed() {
			t.Logf("%s said:\n%.8000s", filepath.Base(cmd.Path), d.out)
		}
	})
	return d
}

// stop asks the process to end and kills it when it does not.
func (d *daemon) stop(patience time.Duration) {
	select {
	case <-d.done:
		return
	default:
	}
	_ = d.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-d.done:
	case <-time.After(patience):
		_ = d.cmd.Process.Kill()
		<-d.done
	}
}

// runClient runs a program to its end and demands that it succeeds.
func runClient(t testing.TB, cmd *exec.Cmd) string {
	t.Helper()
	timer := time.AfterFunc(2*time.Minute, func() { _ = cmd.Process.Kill() })
	defer timer.Stop()
	text, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s said:\n%s", filepath.Base(cmd.Path), text)
	return string(text)
}

var servedURL = regexp.MustCompile(`url=(http://\S+)`)

// serve starts the executable's listener with a configuration and returns its URL.
func serve(t testing.TB, configuration string) (url string, process *daemon) {
	t.Helper()
	return serveIn(t, t.TempDir(), configuration)
}

// serveIn is serve over what may already be in a directory.
func serveIn(t testing.TB, dir, configuration string) (url string, process *daemon) {
	t.Helper()
	path, err := executable()
	require.NoError(t, err)
	file := filepath.Join(dir, "cambium.yaml")
	require.NoError(t, os.WriteFile(file, []byte("data_dir: data\n"+configuration), 0o600))
	read, write := io.Pipe()
	cmd := exec.Command(path, "serve", "-listen", "127.0.0.1:0", "-config", file)
	said := &output{}
	cmd.Stdout, cmd.Stderr = said, io.MultiWriter(said, write)
	process = startDaemon(t, cmd)
	process.out = said
	go func() { <-process.done; write.Close() }()
	found := make(chan string, 1)
	go func() {
		scanner := bufio.NewScanner(read)
		for scanner.Scan() {
			if m := servedURL.FindStringSubmatch(scanner.Text()); m != nil {
				found <- m[1]
				break
			}
		}
		_, _ = io.Copy(io.Discard, read)
		close(found)
	}()
	select {
	case url = <-found:
	case <-time.After(30 * time.Second):
	}
	require.NotEmpty(t, url, "serve did not start:\n%s", said)
	return url, process
}

// grafana hosts the executable as Grafana does and returns the address of the data source's resources. Whoever brings serviceToken has
// the role of its service account; everybody else is refused.
func grafana(t testing.TB, configuration string) string {
	t.Helper()
	path, err := executable()
	require.NoError(t, err)
	dir := t.TempDir()
	file := filepath.Join(dir, "cambium.yaml")
	require.NoError(t, os.WriteFile(file, []byte(configuration), 0o600))
	said := &output{}
	process, err := workbench.StartProcess(context.Background(), workbench.ProcessOptions{
		Binary: path, DataDir: filepath.Join(dir, "data"), Env: []string{"GF_PLUGIN_CONFIG=" + file}, Log: said,
	})
	require.NoError(t, err)
	t.Cleanup(func() {
		process.Close()
		if t.Failed() {
			t.Logf("the plugin said:\n%.8000s", said)
		}
	})
	host := workbench.NewHost(workbench.HostOptions{Process: process, Dist: dir, Page: dir})
	t.Cleanup(host.Close)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.Header.Get("Authorization") {
		case "Bearer " + serviceToken:
			r.Header.Set("X-Workbench-Role", "Editor")
		case "Bearer " + readerToken:
			r.Header.Set("X-Workbench-Role", "Viewer")
		default:
			http.Error(w, `{"message":"Invalid API key"}`, http.StatusUnauthorized)
			return
		}
		host.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return server.URL + "/api/datasources/uid/" + workbench.UID + "/resources"
}

// missing skips a test that needs something which is not here.
func missing(t testing.TB, what, why string) {
	t.Helper()
	t.Skipf("%s: %s", what, strings.TrimSpace(why))
}

// inCI reports whether what is missing may be installed.
func inCI() bool { return os.Getenv("CI") == "true" }

// heavy reports whether what takes minutes to build may be built.
func heavy() bool { return inCI() || os.Getenv("CAMBIUM_AGENTS") == "all" }
