package e2e

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/grafana/loki/pkg/push"
	"github.com/stretchr/testify/require"

	"github.com/cambium-logs/cambium/pkg/workbench"
)

// ledger pushes numbered lines and remembers which were acknowledged.
type ledger struct {
	loader *workbench.Loader
	start  time.Time
	next   atomic.Int64

	mu    sync.Mutex // guards acked
	acked map[int64]bool
}

const ledgerBatch = 20

func newLedger(l *lab) *ledger {
	return &ledger{
		loader: &workbench.Loader{URL: l.server.URL + workbench.PushPath, Role: "Editor", Retries: 200},
		start:  time.Now().Add(-time.Hour).Truncate(time.Second), acked: map[int64]bool{},
	}
}

// push sends batches until ctx ends. Each line has its own time and text.
func (g *ledger) push(ctx context.Context, stream string) {
	for ctx.Err() == nil {
		first := g.next.Add(ledgerBatch) - ledgerBatch
		request := push.PushRequest{Streams: []push.Stream{{Labels: stream}}}
		for n := first; n < first+ledgerBatch; n++ {
			request.Streams[0].Entries = append(request.Streams[0].Entries, push.Entry{
				Timestamp: g.start.Add(time.Duration(n) * time.Microsecond), Line: fmt.Sprintf("line %d of the ledger", n),
			})
		}
		if g.loader.Push(ctx, &request) != nil {
			continue // not acknowledged: it may be there or not
		}
		g.mu.Lock()
		for n := first; n < first+ledgerBatch; n++ {
			g.acked[n] = true
		}
		g.mu.Unlock()
	}
}

// check demands that every acknowledged line is there once, and that no line is there twice.
func (g *ledger) check(t *testing.T, l *lab) {
	t.Helper()
	counts := map[int64]int{}
	const window = 4000 // lines of one query, under its limit
	for first := int64(0); first < g.next.Load(); first += window {
		from := g.start.Add(time.Duration(first) * time.Microsecond)
		for _, line := range l.linesNanos(`{job="ledger"}`, from, from.Add(window*time.Microsecond)) {
			var n int64
			_, err := fmt.Sscanf(line, "line %d of the ledger", &n)
			require.NoError(t, err, line)
			counts[n]++
		}
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	missing := 0
	for n := range g.acked {
		if counts[n] == 0 {
			missing++
		}
	}
	require.Zero(t, missing, "acknowledged lines that are gone, of %d", len(g.acked))
	for n, count := range counts {
		require.Equal(t, 1, count, "line %d", n)
	}
	t.Logf("%d lines acknowledged, %d found", len(g.acked), len(counts))
}

// linesNanos is lines over the HTTP API, whose range is exact to the nanosecond.
func (l *lab) linesNanos(selector string, from, to time.Time) []string {
	l.t.Helper()
	return apiLines(l.t, l, selector, from, to)
}

// killLoop pushes from several clients while the plugin is killed again and again.
func killLoop(t *testing.T, kills int, until time.Time) {
	l := start(t, t.TempDir())
	g := newLedger(l)
	ctx, cancel := context.WithCancel(context.Background())
	var pushers sync.WaitGroup
	for i := range 3 {
		pushers.Go(func() { g.push(ctx, fmt.Sprintf(`{job="ledger", pusher="%d"}`, i)) })
	}
	for n := 0; n < kills || time.Now().Before(until); n++ {
		time.Sleep(time.Duration(200+rand.IntN(600)) * time.Millisecond)
		if pid := l.process.PID(); pid > 0 {
			require.NoError(t, syscall.Kill(pid, syscall.SIGKILL))
		}
		starts := l.process.Starts()
		eventually(t, func() bool { return l.process.Starts() > starts || l.process.PID() > 0 }, "the plugin is started again")
	}
	time.Sleep(300 * time.Millisecond)
	cancel()
	pushers.Wait()
	eventually(t, func() bool { status, _ := l.health(); return status == "OK" }, "the plugin is healthy again")
	g.check(t, l)
	l.stop()
	again := start(t, l.data)
	g.check(t, again)
}

func TestKilledMidPush(t *testing.T) {
	kills := 4
	if testing.Short() {
		kills = 1
	}
	killLoop(t, kills, time.Time{})
}

func TestStoppedGently(t *testing.T) {
	l := start(t, t.TempDir())
	now := time.Now()
	l.pushLines(map[string]string{"job": "stop"}, now, "one", "two", "three")
	begun := time.Now()
	l.stop()
	t.Logf("stopped in %s; Grafana kills after two seconds", time.Since(begun).Round(time.Millisecond))
	l = start(t, l.data)
	require.Equal(t, []string{"one", "two", "three"}, l.lines(`{job="stop"}`, now.Add(-time.Minute), now.Add(time.Minute)))
}

func TestChangedSettingsKeepData(t *testing.T) {
	l := start(t, t.TempDir())
	now := time.Now()
	l.pushLines(map[string]string{"job": "settings"}, now, "before")
	pid := l.process.PID()
	for n := range 3 {
		l.host.Update(fmt.Sprintf(`{"maxLines":%d}`, 100+n), nil)
		l.pushLines(map[string]string{"job": "settings"}, now.Add(time.Duration(n+1)*time.Second), fmt.Sprint("after ", n))
	}
	require.Equal(t, []string{"before", "after 0", "after 1", "after 2"}, l.lines(`{job="settings"}`, now.Add(-time.Minute), now.Add(time.Minute)))
	require.Equal(t, pid, l.process.PID(), "it is one process all the time")

	l.host.Update(`{"tenant":"other"}`, nil)
	require.Empty(t, l.lines(`{job="settings"}`, now.Add(-time.Minute), now.Add(time.Minute)), "another tenant")
	l.host.Update(`{"tenant":"../org-2"}`, nil)
	status, message := l.health()
	require.Equal(t, "ERROR", status)
	require.Contains(t, message, "unsupported character '/'")
	l.host.Update(`{}`, nil)
	require.Len(t, l.lines(`{job="settings"}`, now.Add(-time.Minute), now.Add(time.Minute)), 4)
}

func TestOrgsAreApart(t *testing.T) {
	l := start(t, t.TempDir())
	now := time.Now()
	body := pushJSON(map[string]string{"job": "orgs"}, now, "of org 2")
	status, text := l.do("POST", resources+"/loki/api/v1/push", body, "Content-Type", "application/json", "X-Workbench-Org", "2")
	require.Equal(t, http.StatusNoContent, status, text)
	for org, want := range map[string]bool{"1": false, "2": true} {
		_, text := l.do("GET", resources+"/loki/api/v1/labels", nil, "X-Workbench-Org", org, "X-Scope-OrgID", "org-2")
		require.Equal(t, want, strings.Contains(text, `"job"`), text)
	}
}

func TestWhoMayPush(t *testing.T) {
	l := start(t, t.TempDir())
	push := func(role string, headers ...string) int {
		headers = append([]string{"Content-Type", "application/json", "X-Workbench-Role", role}, headers...)
		status, _ := l.do("POST", resources+"/loki/api/v1/push", pushJSON(map[string]string{"job": "roles"}, time.Now(), "x"), headers...)
		return status
	}
	require.Equal(t, http.StatusForbidden, push("Viewer"))
	require.Equal(t, http.StatusForbidden, push("Viewer", "X-Grafana-Role", "Admin", "X-Grafana-User", "admin"))
	require.Equal(t, http.StatusForbidden, push("none"))
	require.Equal(t, http.StatusNoContent, push("Editor"))
	l.host.Update(`{"pushRole":"Viewer"}`, nil)
	require.Equal(t, http.StatusNoContent, push("Viewer"))
	l.host.Update(`{"pushRole":"Admin"}`, map[string]string{"pushToken": "t0ken"})
	require.Equal(t, http.StatusForbidden, push("Admin"))
	require.Equal(t, http.StatusForbidden, push("Editor", "X-Push-Token", "t0ken"))
	require.Equal(t, http.StatusNoContent, push("Admin", "X-Push-Token", "t0ken"))
}

func TestLargeBodies(t *testing.T) {
	l := start(t, t.TempDir())
	const mib = 1 << 20
	push := func(size int) (int, string) {
		// Blanks behind the document count towards the body and towards no limit of a line.
		body := append(pushJSON(map[string]string{"job": "large"}, time.Now(), "x"), make([]byte, size)...)
		for i := len(body) - size; i < len(body); i++ {
			body[i] = ' '
		}
		return l.do("POST", resources+"/loki/api/v1/push", body, "Content-Type", "application/json")
	}
	status, text := push(20 * mib)
	require.Equal(t, http.StatusNoContent, status, text)
	status, text = push(61 * mib)
	require.Equal(t, http.StatusRequestEntityTooLarge, status, text)
	require.Contains(t, text, "60 MiB")
}

func TestUnusableDataDirectory(t *testing.T) {
	t.Run("not a directory", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "file")
		require.NoError(t, os.WriteFile(path, nil, 0o600))
		l := start(t, path)
		status, message := l.health()
		require.Equal(t, "ERROR", status)
		require.Contains(t, message, path)
		t.Log(message)
	})
	t.Run("not writable", func(t *testing.T) {
		if os.Geteuid() == 0 {
			t.Skip("root may write everywhere")
		}
		path := t.TempDir()
		require.NoError(t, os.Chmod(path, 0o500))
		l := start(t, path)
		status, message := l.health()
		require.Equal(t, "ERROR", status)
		require.Contains(t, message, "not writable")
	})
	t.Run("in use", func(t *testing.T) {
		first := start(t, t.TempDir())
		eventually(t, func() bool { status, _ := first.health(); return status == "OK" }, "the first plugin is up")
		second := start(t, first.data)
		var message string
		eventually(t, func() bool { _, message = second.health(); return strings.Contains(message, "in use") }, "the second plugin says why")
		require.Contains(t, message, fmt.Sprintf("process %d", first.process.PID()))
		t.Log(message)
		first.stop()
		eventually(t, func() bool { status, _ := second.health(); return status == "OK" }, "the second plugin takes over")
	})
}

func TestDamagedLogTail(t *testing.T) {
	l := start(t, t.TempDir())
	now := time.Now()
	for n := range 5 {
		l.pushLines(map[string]string{"job": "torn"}, now.Add(time.Duration(n)*time.Second), fmt.Sprint("line ", n))
	}
	require.NoError(t, syscall.Kill(l.process.PID(), syscall.SIGKILL))
	l.stop()
	segments, err := filepath.Glob(filepath.Join(l.data, "wal", "*", "*"))
	require.NoError(t, err)
	more, err := filepath.Glob(filepath.Join(l.data, "wal", "[0-9]*"))
	require.NoError(t, err)
	segments = append(segments, more...)
	torn := 0
	for _, path := range segments {
		if info, err := os.Stat(path); err != nil || info.IsDir() {
			continue
		}
		file, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
		require.NoError(t, err)
		_, err = file.WriteString("\x01\x7f half a record")
		require.NoError(t, err)
		require.NoError(t, file.Close())
		torn++
	}
	require.NotZero(t, torn)
	l = start(t, l.data)
	eventually(t, func() bool { status, _ := l.health(); return status == "OK" }, "it starts all the same")
	require.Equal(t, []string{"line 0", "line 1", "line 2", "line 3", "line 4"}, l.lines(`{job="torn"}`, now.Add(-time.Minute), now.Add(time.Minute)))
	l.pushLines(map[string]string{"job": "torn"}, now.Add(10*time.Second), "line 5")
}

func TestDamagedSegment(t *testing.T) {
	l := start(t, t.TempDir())
	now := time.Now()
	l.pushLines(map[string]string{"job": "rot"}, now, "will rot")
	status, text := l.do("POST", resources+"/flush", nil)
	require.Equal(t, http.StatusNoContent, status, text)
	l.stop()
	var segment string
	require.NoError(t, filepath.WalkDir(l.data, func(path string, _ os.DirEntry, err error) error {
		if strings.HasSuffix(path, ".seg") {
			segment = path
		}
		return err
	}))
	require.NotEmpty(t, segment)
	bytes, err := os.ReadFile(segment)
	require.NoError(t, err)
	bytes[20] ^= 0xff // in the first chunk
	require.NoError(t, os.WriteFile(segment, bytes, 0o600))

	l = start(t, l.data)
	l.pushLines(map[string]string{"job": "sound"}, now, "is sound")
	_, code, message := l.tryQuery(map[string]any{"expr": `{job="rot"}`}, now.Add(-time.Minute), now.Add(time.Minute))
	require.Equal(t, http.StatusBadRequest, code)
	require.Contains(t, message, filepath.Base(segment))
	t.Log(message)
	require.Equal(t, []string{"is sound"}, l.lines(`{job="sound"}`, now.Add(-time.Minute), now.Add(time.Minute)))
}

// TestOrphan kills the host of a plugin, which is this test's binary run again, and waits for the plugin to notice.
func TestOrphan(t *testing.T) {
	if data := os.Getenv("CAMBIUM_E2E_HOST"); data != "" {
		hostForOrphan(t, data)
		return
	}
	host := exec.Command(os.Args[0], "-test.run=^TestOrphan$", "-test.v")
	host.Env = append(os.Environ(), "CAMBIUM_E2E_HOST="+t.TempDir(), "CAMBIUM_PLUGIN_BINARY="+binary(t))
	out, err := host.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, host.Start())
	pid := 0
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if n, _ := fmt.Sscanf(strings.TrimSpace(lines.Text()), "plugin %d", &pid); n == 1 {
			break
		}
	}
	require.NotZero(t, pid)
	require.NoError(t, syscall.Kill(pid, 0), "the plugin runs")
	require.NoError(t, host.Process.Kill())
	_ = host.Wait()
	eventually(t, func() bool { return !running(pid) }, "the orphan ends")
}

// running tells whether a process is there and not just waiting to be reaped.
func running(pid int) bool {
	if syscall.Kill(pid, 0) != nil {
		return false
	}
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return !os.IsNotExist(err)
	}
	_, state, _ := strings.Cut(string(text), ") ")
	return !strings.HasPrefix(state, "Z")
}

func hostForOrphan(t *testing.T, data string) {
	process, err := workbench.StartProcess(context.Background(), workbench.ProcessOptions{Binary: binary(t), DataDir: data})
	require.NoError(t, err)
	fmt.Printf("plugin %d\n", process.PID())
	time.Sleep(time.Minute) // it is killed long before
	process.Close()
}

func TestMemory(t *testing.T) {
	l := start(t, t.TempDir())
	eventually(t, func() bool { status, _ := l.health(); return status == "OK" }, "the plugin is up")
	time.Sleep(2 * time.Second)
	idle := residentMiB(l.process.PID())
	if idle == 0 {
		t.Skip("the memory of a process is read from /proc, which is not here")
	}
	g := newLedger(l)
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	peak := 0.0
	var watch sync.WaitGroup
	watch.Go(func() {
		for ctx.Err() == nil {
			peak = max(peak, residentMiB(l.process.PID()))
			time.Sleep(50 * time.Millisecond)
		}
	})
	g.push(ctx, `{job="ledger"}`)
	watch.Wait()
	t.Logf("resident: %.0f MiB idle (wanted: under 60), %.0f MiB while one client pushes (wanted: under 300)", idle, peak)
	require.Less(t, peak, 1000.0, "far beyond what it may be")
}

// kill ends the plugin's process at once.
func kill(t *testing.T, l *lab) {
	t.Helper()
	require.NoError(t, syscall.Kill(l.process.PID(), syscall.SIGKILL))
}
