package agents

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// configuration fills in a configuration of testdata and writes it to a file.
func configuration(t *testing.T, name string, a *agent, d *door, more ...string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name))
	require.NoError(t, err)
	replacer := strings.NewReplacer(append(more, "URL", d.base, "TOKEN", d.token(a.name))...)
	file := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(file, []byte(replacer.Replace(string(text))), 0o600))
	return file
}

// runDaemon has a daemon send the lines of a file, and stops it when they are stored.
func runDaemon(t *testing.T, a *agent, d *door, lines []string, cmd *exec.Cmd) {
	t.Helper()
	running := startDaemon(t, cmd)
	d.await(t, a.name, a.selector, len(lines), running)
	running.stop(30 * time.Second)
}

func prepareSyslogNG(t *testing.T) string {
	path := debian(t, "syslog-ng", "syslog-ng-core", "syslog-ng-mod-http")
	if modules, err := filepath.Glob("/usr/lib/syslog-ng/*/libhttp.so"); err != nil || len(modules) == 0 {
		missing(t, "syslog-ng", "needs `apt-get install syslog-ng-mod-http`")
	}
	return path
}

func sendSyslogNG(t *testing.T, path string, a *agent, d *door, lines []string) {
	dir := t.TempDir()
	file := configuration(t, "syslog-ng.conf", a, d, "FILE", corpusFile(t, lines))
	runDaemon(t, a, d, lines, exec.Command(path, "--foreground", "--stderr", "--no-caps", "--cfgfile", file,
		"--persist-file", filepath.Join(dir, "persist"), "--pidfile", filepath.Join(dir, "pid"), "--control", filepath.Join(dir, "control")))
}

// prepareRsyslog gives the directory that holds Debian's rsyslog with its omhttp.
func prepareRsyslog(t *testing.T) string {
	base, err := cacheDir("")
	require.NoError(t, err)
	root := filepath.Join(base, "rsyslog")
	if _, err := os.Stat(root); err == nil {
		return root
	}
	if !heavy() {
		missing(t, "rsyslog", "Debian's package has no omhttp; it is built from Debian's source where CAMBIUM_AGENTS=all or CI=true")
	}
	if err := quietly(exec.Command("sh", "-c", "command -v gcc make dpkg-source pkg-config && pkg-config --exists libestr libfastjson libcurl uuid zlib")); err != nil {
		if err := aptInstall("gcc", "make", "dpkg-dev", "pkg-config", "xz-utils", "libestr-dev", "libfastjson-dev", "libcurl4-gnutls-dev", "uuid-dev",
			"zlib1g-dev", "liblognorm5"); err != nil {
			missing(t, "rsyslog", err.Error())
		}
	}
	require.NoError(t, quietly(exec.Command("testdata/rsyslog-omhttp.sh", root)))
	return root
}

func sendRsyslog(t *testing.T, root string, a *agent, d *door, lines []string) {
	host, port, err := net.SplitHostPort(d.host())
	require.NoError(t, err)
	modules, err := filepath.Glob(filepath.Join(root, "usr/lib/*/rsyslog"))
	require.NoError(t, err)
	require.Len(t, modules, 1)
	dir := t.TempDir()
	file := configuration(t, "rsyslog.conf", a, d, "FILE", corpusFile(t, lines), "DIR", dir, "HOST", host, "PORT", port,
		"PATH", strings.TrimPrefix(d.path("/loki/api/v1/push"), "/"), "READY", strings.TrimPrefix(d.path("/ready"), "/"))
	runDaemon(t, a, d, lines, exec.Command(filepath.Join(root, "usr/sbin/rsyslogd"), "-n", "-f", file, "-i", filepath.Join(dir, "pid"), "-M", modules[0]))
}

// prepareCollector gives the program of the OpenTelemetry Collector, which takes minutes to build the first time.
func prepareCollector(t *testing.T) string {
	dir, err := cacheDir("collector")
	require.NoError(t, err)
	if _, err := os.Stat(filepath.Join(dir, "collector")); err != nil && !heavy() {
		missing(t, "OpenTelemetry Collector", "takes minutes to build; it is built where CAMBIUM_AGENTS=all or CI=true")
	}
	path, err := buildModule("collector")
	require.NoError(t, err)
	return path
}

func sendCollector(t *testing.T, path string, a *agent, d *door, lines []string) {
	runDaemon(t, a, d, lines, exec.Command(path, "--config", configuration(t, "collector.yaml", a, d, "FILE", corpusFile(t, lines))))
}
