package query

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/stretchr/testify/require"

	"github.com/cambium-logs/cambium/pkg/storage/segment"
	"github.com/cambium-logs/cambium/pkg/tools/cli"
	"github.com/cambium-logs/cambium/pkg/tools/client"
	"github.com/cambium-logs/cambium/pkg/tools/toolstest"
)

func TestMain(m *testing.M) {
	for _, name := range []string{"CAMBIUM_ADDR", "CAMBIUM_TOKEN", "CAMBIUM_TOKEN_FILE", "CAMBIUM_USER", "CAMBIUM_PASSWORD", "CAMBIUM_TENANT", "NO_COLOR"} {
		_ = os.Unsetenv(name)
	}
	os.Exit(m.Run())
}

func ask(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	code = Main(t.Context(), args, strings.NewReader(`{app="web"}`), &out, &errs)
	return code, out.String(), errs.String()
}

// sample makes a bucket with lines of two streams.
func sample(t *testing.T) string {
	dir := t.TempDir()
	toolstest.Write(t, dir, segment.WriterOptions{Tenant: "t", Level: 1},
		toolstest.Chunk{Stream: labels.FromStrings("app", "web", "level", "error"), Entries: toolstest.Entries(time.Hour, 3, func(i int) string {
			return []string{"plain", "tab\tand \x1b[31mescape", "two\nlines and ünïcode \xff"}[i]
		})},
		toolstest.Chunk{Stream: labels.FromStrings("app", "web", "level", "info"), Entries: toolstest.Entries(time.Hour+500*time.Millisecond, 2, toolstest.Lines("GET /"))},
	)
	return dir
}

const wholeDay = "2026-09-21"

func TestFormats(t *testing.T) {
	dir := sample(t)
	before := toolstest.Files(t, dir)
	base := []string{"-data", dir, "-from", wholeDay, "-to", "2026-09-22"}
	for name, args := range map[string][]string{
		"log-table.txt":    {`{app="web"}`},
		"log-color.txt":    {`{app="web"}`, "-color", "always", "-limit", "3"},
		"log-pages.txt":    {`{app="web"}`, "-batch", "2", "-direction", "forward"},
		"log-raw.txt":      {`{app="web"}`, "-format", "raw", "-direction", "forward"},
		"log-jsonl.txt":    {`-`, "-format", "jsonl"},
		"matrix-table.txt": {`sum by (level) (count_over_time({app="web"}[1h]))`, "-step", "30m", "-to", "2026-09-21T02:00", "-from", "2026-09-21T01:30"},
		"matrix-raw.txt":   {`sum by (level) (count_over_time({app="web"}[1h]))`, "-step", "30m", "-to", "2026-09-21T02:00", "-from", "2026-09-21T01:30", "-format", "raw"},
		"vector-table.txt": {`count_over_time({app="web"}[1h])`, "-at", "2026-09-21T01:30:00Z"},
		"vector-jsonl.txt": {`count_over_time({app="web"}[1h])`, "-at", "2026-09-21T01:30:00Z", "-format", "jsonl"},
	} {
		t.Run(name, func(t *testing.T) {
			code, out, errs := ask(t, append(slices.Clone(base), args...)...)
			require.Equal(t, cli.ExitOK, code, errs)
			toolstest.Golden(t, name, out+"--- standard error\n"+errs)
		})
	}
	require.Equal(t, before, toolstest.Files(t, dir))
}

func TestErrors(t *testing.T) {
	dir := sample(t)
	toolstest.Write(t, dir, segment.WriterOptions{Tenant: "u", Level: 1}, toolstest.Chunk{Stream: labels.FromStrings("a", "b"), Entries: toolstest.Entries(0, 1, toolstest.Lines("x"))})
	for want, args := range map[string][]string{
		"give a query, such as":         {},
		"in quotes":                     {"{app=", `"web"}`},
		"parse error":                   {"{app=", "-data", dir, "-tenant", "t"},
		"-tenant: t, u":                 {"{}", "-data", dir},
		"-tail needs a server":          {`{a="b"}`, "-data", dir, "-tail"},
		"-from is after -to":            {`{a="b"}`, "-from", "now", "-to", "now-1h"},
		`"noon" is not a time`:          {`{a="b"}`, "-from", "noon"},
		"-format is":                    {`{a="b"}`, "-format", "xml"},
		"-direction is":                 {`{a="b"}`, "-direction", "up"},
		"-limit must not":               {`{a="b"}`, "-limit", "-1"},
		"-addr is not a URL":            {`{a="b"}`, "-addr", "localhost:3100"},
		"nothing listens at 127.0.0.1:": {`{a="b"}`, "-addr", "http://127.0.0.1:1"},
		"a token or a user":             {`{a="b"}`, "-token", "x", "-user", "y"},
		"there is no directory":         {`{a="b"}`, "-data", filepath.Join(dir, "missing")},
	} {
		code, out, errs := ask(t, args...)
		require.Equal(t, cli.ExitUnusable, code, want)
		require.Empty(t, out)
		require.Contains(t, errs, want)
		require.True(t, strings.HasPrefix(errs, "query: "), errs)
	}
}

func TestServerErrors(t *testing.T) {
	answer := func(status int, body string, header ...string) *httptest.Server {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			for i := 0; i < len(header); i += 2 {
				w.Header().Set(header[i], header[i+1])
			}
			w.WriteHeader(status)
			fmt.Fprint(w, body)
		}))
		t.Cleanup(s.Close)
		return s
	}
	for want, s := range map[string]*httptest.Server{
		"401: no org id. Name the tenant with -tenant":        answer(401, "no org id\n"),
		"401: bad token. Set CAMBIUM_TOKEN":                   answer(401, "bad token"),
		"403: no. Use a token":                                answer(403, "no"),
		"404: Not Found. Check that -addr":                    answer(404, "<html>"),
		"429: too many outstanding. Try again in 7 seconds":   answer(429, "too many outstanding", "Retry-After", "7"),
		"400: parse error at line 1, col 6: unexpected":       answer(400, "parse error at line 1, col 6: unexpected"),
		"answer cannot be read":                               answer(200, "<html>"),
		"a result of the unknown type":                        answer(200, "{}"),
		"answer cannot be read: json: cannot unmarshal stri":  answer(200, `{"data":{"resultType":"streams","result":["x"]}}`),
		"answer cannot be read: strconv.ParseInt: parsing":    answer(200, `{"data":{"resultType":"streams","result":[{"values":[["x","y"]]}]}}`),
		"answer cannot be read: an entry has 1 parts":         answer(200, `{"data":{"resultType":"streams","result":[{"values":[["1"]]}]}}`),
		"answer cannot be read: unexpected EOF. Check":        answer(200, `{"data":{"resultType":"streams","resu`),
		"answer cannot be read: invalid character 'o' in lit": answer(200, `nonsense`),
	} {
		code, out, errs := ask(t, `{a="b"}`, "-addr", s.URL, "-token", "secret-token")
		require.Equal(t, cli.ExitUnusable, code)
		require.Empty(t, out)
		require.Contains(t, errs, want)
		require.NotContains(t, errs, "secret-token")
	}
}

// TestRequestCarriesWhoAsks looks at what the server gets.
func TestRequestCarriesWhoAsks(t *testing.T) {
	var got *http.Request
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		got = r
		fmt.Fprint(w, `{"status":"success","warnings":["look out"],"data":{"resultType":"scalar","result":[1795214520000,"2"]}}`)
	}))
	defer s.Close()
	file := filepath.Join(t.TempDir(), "token")
	require.NoError(t, os.WriteFile(file, []byte("from-file\n"), 0o600))
	code, out, errs := ask(t, "1+1", "-addr", s.URL+"/prefix/", "-token-file", file, "-tenant", "a|b", "-at", "5")
	require.Equal(t, cli.ExitOK, code, errs)
	require.Equal(t, "TIME                  VALUE\n2026-11-20T22:42:00Z      2\n", out)
	require.Equal(t, "warning: look out\n", errs)
	require.Equal(t, "/prefix/loki/api/v1/query", got.URL.Path)
	require.Equal(t, "Bearer from-file", got.Header.Get("Authorization"))
	require.Equal(t, "a|b", got.Header.Get("X-Scope-OrgID"))
	require.Equal(t, "1970-01-01T00:00:05Z", got.Form.Get("time")[:20])
	code, _, _ = ask(t, "1+1", "-addr", s.URL, "-user", "ann:pass", "-q")
	require.Equal(t, cli.ExitOK, code)
	name, password, ok := got.BasicAuth()
	require.True(t, ok)
	require.Equal(t, "ann pass", name+" "+password)
	require.Equal(t, "/loki/api/v1/query_range", got.URL.Path)
}

// entriesStub answers log queries from a sorted list, as a server with a limit does.
type entriesStub struct {
	entries []client.Entry // ascending
	most    int
}

func (s *entriesStub) Query(_ context.Context, r client.Request) (*client.Result, error) {
	if r.Limit > s.most {
		return nil, fmt.Errorf("max entries limit per query exceeded, limit > max_entries_limit_per_query (%d > %d)", r.Limit, s.most)
	}
	out := &client.Result{Kind: client.KindStreams}
	for _, e := range s.entries {
		if e.Timestamp >= r.Start && e.Timestamp < r.End {
			out.Entries = append(out.Entries, e)
		}
	}
	if !r.Forward {
		slices.Reverse(out.Entries)
	}
	out.Entries = slices.Clone(out.Entries[:min(len(out.Entries), r.Limit)])
	return out, nil
}

// TestPages holds batches of every size against the whole answer: entries come once and in order, however many have one time.
func TestPages(t *testing.T) {
	var all []client.Entry
	for i := range 60 {
		all = append(all, client.Entry{Timestamp: int64(i / 7 * 7), Line: fmt.Sprint(i), Labels: labels.FromStrings("a", "b")})
	}
	for _, forward := range []bool{true, false} {
		want := slices.Clone(all)
		if !forward {
			slices.Reverse(want)
		}
		for batch := 1; batch < 70; batch++ {
			for _, limit := range []int{0, 1, 7, 30, 59, 60, 61} {
				var out bytes.Buffer
				p := &printer{out: cli.NewOutput(&out), notes: &bytes.Buffer{}, format: formatRaw, zone: time.UTC}
				r := client.Request{Start: 0, End: 100, Forward: forward}
				require.NoError(t, pages(t.Context(), &entriesStub{all, 200}, r, limit, batch, p))
				n := len(want)
				if limit > 0 {
					n = min(n, limit)
				}
				lines := strings.Fields(out.String())
				require.Len(t, lines, n, "batch %d limit %d", batch, limit)
				for i := range n {
					require.Equal(t, want[i].Line, lines[i])
				}
			}
		}
	}
}

// TestDataDirectory queries what a server has left: segments and write-ahead log; and is refused while the server runs.
func TestDataDirectory(t *testing.T) {
	data := toolstest.DataDir(t)
	s := toolstest.Start(t, data)
	c, err := client.New(client.Options{Addr: s.URL})
	require.NoError(t, err)
	defer c.Close()
	now := time.Now().UnixNano()
	require.NoError(t, c.Push(t.Context(), labels.FromStrings("app", "web"), []client.Entry{{Timestamp: now - 2e9, Line: "flushed"}}))
	code, _, errs := ask(t, `{app="web"}`, "-data", data)
	require.Equal(t, cli.ExitUnusable, code)
	require.Contains(t, errs, "Ask it with -addr, or stop it")
	answer, err := http.Post(s.URL+"/flush", "", nil)
	require.NoError(t, err)
	require.NoError(t, answer.Body.Close())
	require.Equal(t, 2, answer.StatusCode/100)
	require.NoError(t, c.Push(t.Context(), labels.FromStrings("app", "web"), []client.Entry{{Timestamp: now - 1e9, Line: "logged"}}))
	require.NoError(t, c.Push(t.Context(), labels.FromStrings("app", "web"), []client.Entry{{Timestamp: now - 3e9, Line: "secret"}}))
	deletion := url.Values{"query": {`{app="web"} |= "secret"`}, "start": {fmt.Sprint(now/1e9 - 3600)}}
	answer, err = http.Post(s.URL+"/loki/api/v1/delete?"+deletion.Encode(), "", nil)
	require.NoError(t, err)
	require.NoError(t, answer.Body.Close())
	require.Equal(t, http.StatusNoContent, answer.StatusCode)
	_, viaServer, errs := ask(t, `{app="web"}`, "-addr", s.URL)
	require.Contains(t, errs, "common labels: ")
	s.Stop()

	before := toolstest.Files(t, data)
	code, out, errs := ask(t, `{app="web"}`, "-data", data)
	require.Equal(t, cli.ExitOK, code, errs)
	require.NotContains(t, out, "secret")
	require.Equal(t, viaServer, out)
	require.Equal(t, 2, strings.Count(out, "\n"))
	require.Contains(t, strings.SplitN(out, "\n", 2)[0], "logged")
	require.Equal(t, before, toolstest.Files(t, data))
}

type closedPipe struct{}

func (closedPipe) Write([]byte) (int, error) { return 0, syscall.EPIPE }

func TestClosedPipe(t *testing.T) {
	dir := sample(t)
	var errs bytes.Buffer
	require.Equal(t, cli.ExitOK, Main(t.Context(), []string{`{app="web"}`, "-data", dir, "-from", wholeDay, "-q"}, nil, closedPipe{}, &errs))
	require.Empty(t, errs.String())
}

// lineWriter cancels a context once it has taken enough lines.
type lineWriter struct {
	mu     sync.Mutex
	buf    bytes.Buffer
	lines  int
	enough func()
}

func (w *lineWriter) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.buf.Write(b)
	if bytes.Count(w.buf.Bytes(), []byte("\n")) >= w.lines {
		w.enough()
	}
	return len(b), nil
}

func TestTail(t *testing.T) {
	s := toolstest.Start(t, toolstest.DataDir(t))
	c, err := client.New(client.Options{Addr: s.URL})
	require.NoError(t, err)
	defer c.Close()
	push := func(line string) {
		require.NoError(t, c.Push(t.Context(), labels.FromStrings("app", "web"), []client.Entry{{Timestamp: time.Now().UnixNano(), Line: line}}))
	}
	push("history")
	push("not shown")
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	var errs bytes.Buffer
	seen := make(chan struct{})
	live := sync.OnceFunc(func() { close(seen) })
	out := &lineWriter{lines: 1, enough: live}
	code := make(chan int, 1)
	go func() {
		code <- Main(ctx, []string{`{app="web"} != "not shown"`, "-tail", "-addr", s.URL, "-format", "raw"}, nil, out, &errs)
	}()
	select {
	case <-seen:
	case <-ctx.Done():
		t.Fatal("no history came")
	case <-code:
		t.Fatal(errs.String())
	}
	out.mu.Lock()
	out.lines, out.enough = 3, cancel
	out.mu.Unlock()
	push("one")
	push("two")
	require.Equal(t, cli.ExitOK, <-code, errs.String())
	require.Equal(t, "history\none\ntwo\n", out.buf.String())

	refused, _, text := ask(t, `count_over_time({app="web"}[1m])`, "-tail", "-addr", s.URL)
	require.Equal(t, cli.ExitUnusable, refused, text)
	require.Contains(t, text, "only log selector is supported")
}

// TestTailGoesOn has a server that ends the first connection and repeats what it has said.
func TestTailGoesOn(t *testing.T) {
	frame := func(line string, at int) string {
		return fmt.Sprintf(`{"streams":[{"stream":{"a":"b"},"values":[["%d",%q]]}]}`, at, line)
	}
	var starts []string
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		starts = append(starts, r.URL.Query().Get("start"))
		conn, err := websocket.Accept(w, r, nil)
		if err != nil {
			return
		}
		frames := []string{frame("one", 2e18), frame("two", 2e18+1)}
		if len(starts) > 1 {
			frames = []string{frame("two", 2e18+1), frame("three", 2e18+2), `{"streams":[],"dropped_entries":[{},{}]}`, frame("four", 2e18+3)}
		}
		for _, f := range frames {
			_ = conn.Write(r.Context(), websocket.MessageText, []byte(f))
		}
		_ = conn.Close(websocket.StatusInternalError, "reached tail max duration limit")
	}))
	defer s.Close()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var errs bytes.Buffer
	out := &lineWriter{lines: 4, enough: cancel}
	require.Equal(t, cli.ExitOK, Main(ctx, []string{`{a="b"}`, "-tail", "-addr", s.URL, "-format", "raw"}, nil, out, &errs))
	require.Equal(t, "one\ntwo\nthree\nfour\n", out.buf.String())
	require.Equal(t, "2000000000000000001", starts[1])
	require.Contains(t, errs.String(), "reached tail max duration limit; trying again in 1s\nconnected again\n2 entries came too fast")
}

var errWrite = errors.New("disk is full")

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, errWrite }

func TestBrokenOutput(t *testing.T) {
	dir := sample(t)
	var errs bytes.Buffer
	require.Equal(t, cli.ExitUnusable, Main(t.Context(), []string{`{app="web"}`, "-data", dir, "-from", wholeDay}, nil, brokenWriter{}, &errs))
	require.Contains(t, errs.String(), "disk is full")
}
