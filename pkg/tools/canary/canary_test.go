package canary

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/cambium-logs/cambium/pkg/storage/bucket/buckettest"
	"github.com/cambium-logs/cambium/pkg/tools/cli"
	"github.com/cambium-logs/cambium/pkg/tools/toolstest"
)

func TestMain(m *testing.M) {
	for _, name := range []string{"CAMBIUM_ADDR", "CAMBIUM_TOKEN", "CAMBIUM_TOKEN_FILE", "CAMBIUM_USER", "CAMBIUM_PASSWORD", "CAMBIUM_TENANT"} {
		_ = os.Unsetenv(name)
	}
	goleak.VerifyTestMain(m, buckettest.KnownGoroutines()...)
}

func canaryRun(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var out, errs bytes.Buffer
	code = Main(ctx, args, nil, &out, &errs)
	return code, out.String(), errs.String()
}

// TestServer runs against a real server.
func TestServer(t *testing.T) {
	s := toolstest.Start(t, toolstest.DataDir(t))
	code, out, errs := canaryRun(t, "-addr", s.URL, "-rate", "200", "-batch", "5", "-duration", "1s", "-every", "200ms")
	require.Equal(t, cli.ExitOK, code, errs)
	require.Regexp(t, `^canary: \d+ sent, \d+ acknowledged; query: 0 missing, \d+ late, 0 duplicate; tail: 0 missing, \d+ late, 0 duplicate, 0 dropped\n$`, out)
	sent := regexp.MustCompile(`(\d+) sent, (\d+) ack`).FindStringSubmatch(out)
	require.Equal(t, sent[1], sent[2])
	require.Empty(t, errs)
}

func TestNothingThere(t *testing.T) {
	code, out, errs := canaryRun(t, "-addr", "http://127.0.0.1:1", "-duration", "100ms")
	require.Equal(t, cli.ExitUnusable, code)
	require.Empty(t, out)
	require.Contains(t, errs, "tail: nothing listens at 127.0.0.1:1")
	code, _, errs = canaryRun(t, "-addr", "http://127.0.0.1:1", "-duration", "100ms", "-no-tail", "-wait", "100ms", "-late", "10ms", "-every", "20ms")
	require.Equal(t, cli.ExitUnusable, code)
	require.Contains(t, errs, "no line was acknowledged: nothing listens")
	for want, args := range map[string][]string{
		"-rate must":          {"-rate", "0"},
		"must be on loopback": {"-metrics", "0.0.0.0:0"},
		"-wait not shorter":   {"-wait", "1s"},
		"no arguments":        {"x"},
	} {
		code, _, errs = canaryRun(t, args...)
		require.Equal(t, cli.ExitUnusable, code)
		require.Contains(t, errs, want)
	}
}

// entry is a line that the faulty server has.
type entry struct {
	at   string
	text string
	seq  int
}

// faulty is a server that loses, repeats and holds back lines, by their number.
type faulty struct {
	*httptest.Server
	query, tail func(seq int) int // how often a line is shown: 0 never
	holdBack    func(seq int) int // from which query on
	refuse      func(push int) bool

	mu      sync.Mutex
	entries []entry
	shown   map[int]int // queries that covered a line
	pushes  int
	tails   map[chan entry]bool
}

var number = regexp.MustCompile(` seq=(\d+) `)

func newFaulty(t *testing.T) *faulty {
	once := func(int) int { return 1 }
	f := &faulty{query: once, tail: once, holdBack: func(int) int { return 0 }, refuse: func(int) bool { return false }, shown: map[int]int{}, tails: map[chan entry]bool{}}
	mux := http.NewServeMux()
	mux.HandleFunc("/loki/api/v1/push", f.servePush)
	mux.HandleFunc("/loki/api/v1/query_range", f.serveQuery)
	mux.HandleFunc("/loki/api/v1/tail", f.serveTail)
	f.Server = httptest.NewServer(mux)
	t.Cleanup(f.Close)
	return f
}

func (f *faulty) servePush(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Streams []struct {
			Values [][2]string `json:"values"`
		} `json:"streams"`
	}
	if json.NewDecoder(r.Body).Decode(&body) != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.pushes++; f.refuse(f.pushes) {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	for _, v := range body.Streams[0].Values {
		seq, _ := strconv.Atoi(number.FindStringSubmatch(v[1])[1])
		e := entry{v[0], v[1], seq}
		f.entries = append(f.entries, e)
		for c := range f.tails {
			for range f.tail(seq) {
				c <- e
			}
		}
	}
	w.WriteHeader(http.StatusNoContent)
}

func (f *faulty) serveQuery(w http.ResponseWriter, r *http.Request) {
	_ = r.ParseForm()
	start, _ := strconv.ParseInt(r.Form.Get("start"), 10, 64)
	end, _ := strconv.ParseInt(r.Form.Get("end"), 10, 64)
	f.mu.Lock()
	defer f.mu.Unlock()
	values := [][2]string{}
	for _, e := range f.entries {
		at, _ := strconv.ParseInt(e.at, 10, 64)
		if at < start || at >= end {
			continue
		}
		f.shown[e.seq]++
		if f.shown[e.seq] <= f.holdBack(e.seq) {
			continue
		}
		for range f.query(e.seq) {
			values = append(values, [2]string{e.at, e.text})
		}
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"data": map[string]any{"resultType": "streams", "result": []any{map[string]any{"stream": map[string]string{}, "values": values}}}})
}

func (f *faulty) serveTail(w http.ResponseWriter, r *http.Request) {
	conn, err := websocket.Accept(w, r, nil)
	if err != nil {
		return
	}
	ctx := conn.CloseRead(r.Context())
	c := make(chan entry, 10_000)
	f.mu.Lock()
	f.tails[c] = true
	for _, e := range f.entries { // a server sends the past first
		for range f.tail(e.seq) {
			c <- e
		}
	}
	f.mu.Unlock()
	defer func() {
		f.mu.Lock()
		delete(f.tails, c)
		f.mu.Unlock()
	}()
	for {
		select {
		case <-ctx.Done():
			return
		case e := <-c:
			text := fmt.Sprintf(`{"streams":[{"stream":{},"values":[[%q,%q]]}]}`, e.at, e.text)
			if conn.Write(ctx, websocket.MessageText, []byte(text)) != nil {
				return
			}
		}
	}
}

func among(set ...int) func(int) bool { return func(seq int) bool { return slices.Contains(set, seq) } }

func times(n int, in func(int) bool) func(int) int {
	return func(seq int) int {
		if in(seq) {
			return n
		}
		return 1
	}
}

// flags make a run of about 60 lines that are missing after a second and, on any machine, hardly ever late.
var flags = []string{"-rate", "100", "-duration", "600ms", "-every", "50ms", "-late", "900ms", "-wait", "1s"}

func TestMissing(t *testing.T) {
	f := newFaulty(t)
	f.query, f.tail = times(0, among(7, 20)), times(0, among(3))
	code, out, errs := canaryRun(t, append(flags, "-addr", f.URL)...)
	require.Equal(t, cli.ExitFound, code, errs)
	require.Contains(t, out, "query: 2 missing, 0 late, 0 duplicate; tail: 1 missing")
	for _, want := range []string{"line 7 ", "is missing by query", "line 20 ", "line 3 ", "is missing by tail"} {
		require.Contains(t, errs, want)
	}
}

func TestDuplicate(t *testing.T) {
	f := newFaulty(t)
	f.query, f.tail = times(2, among(5)), times(3, among(6, 8))
	code, out, errs := canaryRun(t, append(flags, "-addr", f.URL, "-wait", "10s")...)
	require.Equal(t, cli.ExitOK, code, errs)
	require.Regexp(t, `query: 0 missing, \d+ late, 1 duplicate; tail: 0 missing, \d+ late, 2 duplicate, 0 dropped`, out)
}

func TestLate(t *testing.T) {
	f := newFaulty(t)
	f.holdBack = func(seq int) int {
		if seq == 4 {
			return 10
		}
		return 0
	}
	code, out, errs := canaryRun(t, append(flags, "-addr", f.URL, "-late", "100ms", "-wait", "20s", "-no-tail")...)
	require.Equal(t, cli.ExitOK, code, errs)
	require.Contains(t, errs, "line 4 ")
	require.Contains(t, errs, "is late by query")
	require.Contains(t, out, "query: 0 missing, ")
	require.NotContains(t, out, " 0 late")
}

func TestRefused(t *testing.T) {
	f := newFaulty(t)
	f.refuse = func(push int) bool { return push%3 == 0 }
	code, out, errs := canaryRun(t, append(flags, "-addr", f.URL, "-wait", "10s")...)
	require.Equal(t, cli.ExitOK, code, errs)
	require.Contains(t, errs, "a push failed: the server answered 503")
	require.Equal(t, 1, strings.Count(errs, "a push failed"))
	counted := regexp.MustCompile(`(\d+) sent, (\d+) ack`).FindStringSubmatch(out)
	require.NotEqual(t, counted[1], counted[2])
	require.Contains(t, out, "query: 0 missing")
}

// TestInterrupted stops writing early and checks what was written.
func TestInterrupted(t *testing.T) {
	f := newFaulty(t)
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(300*time.Millisecond, cancel)
	var out, errs bytes.Buffer
	require.Equal(t, cli.ExitOK, Main(ctx, []string{"-addr", f.URL, "-rate", "100", "-duration", "0s", "-every", "50ms", "-wait", "20s"}, nil, &out, &errs))
	require.Contains(t, out.String(), "query: 0 missing")
}

func TestMetrics(t *testing.T) {
	m := newMetrics()
	address, stop, err := m.serve("127.0.0.1:0")
	require.NoError(t, err)
	defer stop()
	m.found.WithLabelValues("missing", "tail").Inc()
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	answer, err := (&http.Client{Transport: transport}).Get("http://" + address + "/metrics")
	require.NoError(t, err)
	defer answer.Body.Close()
	var text bytes.Buffer
	_, err = text.ReadFrom(answer.Body)
	require.NoError(t, err)
	require.Contains(t, text.String(), `cambium_canary_lines_wrong_total{by="tail",kind="missing"} 1`)
	require.Contains(t, text.String(), `cambium_canary_lines_wrong_total{by="query",kind="late"} 0`)
}

// TestLedgerForgets holds the memory of a long run.
func TestLedgerForgets(t *testing.T) {
	g := &ledger{late: time.Second, wait: 2 * time.Second, tail: true, tell: func(string, channel, *line) {}}
	start := time.Unix(1000, 0)
	for i := range 10_000 {
		now := start.Add(time.Duration(i) * 10 * time.Millisecond)
		g.add(uint64(i), now.UnixNano())
		g.pushed(uint64(i), 1, now)
		g.tailed(uint64(i), 1, now)
		for _, w := range g.windows(50) {
			require.LessOrEqual(t, w.lines, 50)
			found := map[uint64]int{}
			for _, l := range g.lines {
				if l.at >= w.from && l.at <= w.to {
					found[l.seq] = 1
				}
			}
			require.Len(t, found, w.lines)
			g.queried(w, found, now)
		}
		g.expire(now, now)
		require.LessOrEqual(t, len(g.lines), 402)
	}
	require.True(t, g.finished())
	require.Zero(t, g.totals())
}
