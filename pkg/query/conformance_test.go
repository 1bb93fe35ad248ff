package query_test

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/stretchr/testify/require"

	"github.com/cambium-logs/cambium/pkg/ingest"
	"github.com/cambium-logs/cambium/pkg/query"
	"github.com/cambium-logs/cambium/pkg/storage/chunk"
	"github.com/cambium-logs/cambium/pkg/storage/storagetest"
	"github.com/cambium-logs/cambium/pkg/tenant"
)

// sharedDir finds the directory of reference data, which is not part of the repository.
func sharedDir(t testing.TB) string {
	t.Helper()
	if dir := os.Getenv("CAMBIUM_SHARED"); dir != "" {
		return dir
	}
	dir, err := os.Getwd()
	require.NoError(t, err)
	for ; dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err != nil {
			continue
		}
		shared := filepath.Join(filepath.Dir(dir), "shared")
		if _, err := os.Stat(filepath.Join(shared, "conformance")); err != nil {
			t.Skipf("no conformance corpus: set CAMBIUM_SHARED or put a directory shared beside %s", dir)
		}
		return shared
	}
	t.Skip("no conformance corpus: the module root was not found")
	return ""
}

func eachRecord(t testing.TB, path string, visit func(line []byte)) {
	t.Helper()
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	s := bufio.NewScanner(bytes.NewReader(data))
	s.Buffer(nil, 64<<20)
	for s.Scan() {
		visit(s.Bytes())
	}
	require.NoError(t, s.Err())
}

// sink puts what ingestion accepts into an in-memory store.
type sink struct{ *storagetest.Memory }

func (s sink) ActiveStreams(string) int             { return 0 }
func (s sink) HasStream(string, labels.Labels) bool { return true }

func (s sink) Append(_ context.Context, _ string, streams []ingest.Stream) error {
	for _, st := range streams {
		for _, e := range st.Entries {
			own := chunk.Entry{Timestamp: e.Timestamp, Line: bytes.Clone(e.Line)}
			for _, l := range e.Metadata {
				own.Metadata = append(own.Metadata, labels.Label{Name: strings.Clone(l.Name), Value: strings.Clone(l.Value)})
			}
			s.Add(st.Labels.Copy(), own)
		}
	}
	return nil
}

// corpusStore loads the data set.
func corpusStore(t testing.TB, dir string, chunkRows int) *storagetest.Memory {
	t.Helper()
	limits := tenant.DefaultLimits()
	limits.RejectOldSamples = false
	limits.CreationGracePeriod = tenant.Duration(100 * 365 * 24 * time.Hour)
	limits.DiscoverServiceName = nil
	limits.DiscoverLogLevels = false
	limits.IngestionRateMB, limits.IngestionBurstSizeMB = 1e6, 1e6
	m := &storagetest.Memory{ChunkRows: chunkRows}
	receiver := ingest.NewReceiver(sink{m}, ingest.Options{Limits: func(string) *tenant.Limits { return &limits }})
	push := func(contentType string, body []byte) {
		var bounds ingest.Bounds
		bounds.EnsureDefaults()
		batch := ingest.NewBatch(bounds)
		require.NoError(t, ingest.DecodePush(contentType, "", false, body, bounds, batch))
		require.NoError(t, receiver.Receive(context.Background(), "t", batch))
	}
	eachRecord(t, filepath.Join(dir, "dataset.jsonl"), func(line []byte) { push("application/json", bytes.Clone(line)) })
	eachRecord(t, filepath.Join(dir, "dataset-binary.jsonl"), func(line []byte) {
		var r struct {
			ContentType string `json:"content_type"`
			Body        string `json:"body_b64"`
		}
		require.NoError(t, json.Unmarshal(line, &r))
		body, err := base64.StdEncoding.DecodeString(r.Body)
		require.NoError(t, err)
		push(r.ContentType, body)
	})
	return m
}

type recordedCase struct {
	ID      string
	Group   string
	Path    string
	Params  map[string]any
	Headers map[string]string

	Status  int
	Body    json.RawMessage
	Compare string
	skip    bool
	volatil bool
}

func corpusCases(t testing.TB, dir string) []recordedCase {
	t.Helper()
	answers := map[string]recordedCase{}
	eachRecord(t, filepath.Join(dir, "answers.jsonl"), func(line []byte) {
		var a struct {
			recordedCase
			StatusAlso []int  `json:"status_also"`
			Volatile   bool   `json:"text_volatile"`
			Unstable   string `json:"unstable"`
			Quirk      any    `json:"quirk"`
		}
		require.NoError(t, json.Unmarshal(line, &a))
		a.skip = a.Unstable != "" || a.Quirk != nil || len(a.StatusAlso) > 0
		a.volatil = a.Volatile
		answers[a.ID] = a.recordedCase
	})
	var cases []recordedCase
	eachRecord(t, filepath.Join(dir, "queries.jsonl"), func(line []byte) {
		var c recordedCase
		require.NoError(t, json.Unmarshal(line, &c))
		a := answers[c.ID]
		c.Status, c.Body, c.Compare, c.skip, c.volatil = a.Status, bytes.Clone(a.Body), a.Compare, a.skip, a.volatil
		cases = append(cases, c)
	})
	return cases
}

// params reads the request parameters in the forms that the corpus has for queries proper; ok is false for what the HTTP layer decides.
func (c *recordedCase) params() (p query.Params, ok bool) {
	get := func(name string) string {
		s, _ := c.Params[name].(string)
		return s
	}
	at := func(name string) int64 {
		n, err := strconv.ParseInt(get(name), 10, 64)
		ok = ok && err == nil && len(get(name)) > 10
		return n
	}
	span := func(name string) int64 {
		if f, err := strconv.ParseFloat(get(name), 64); err == nil {
			return int64(f * 1e9)
		}
		d, err := model.ParseDuration(get(name))
		ok = ok && err == nil
		return int64(d)
	}
	ok = true
	limits := tenant.DefaultLimits()
	p = query.Params{Expr: get("query"), Limit: 100, Limits: query.LimitsOf(limits)}
	for name := range c.Params {
		if !slices.Contains([]string{"query", "time", "start", "end", "step", "limit", "direction", "interval"}, name) {
			return p, false
		}
	}
	var err error
	p.Direction, err = query.ParseDirection(get("direction"))
	ok = ok && err == nil
	if l := get("limit"); l != "" {
		p.Limit, err = strconv.Atoi(l)
		ok = ok && err == nil && p.Limit > 0
	}
	if i := get("interval"); i != "" {
		p.Interval = span("interval")
	}
	switch c.Path {
	case "/loki/api/v1/query":
		p.Instant = true
		p.Time = at("time")
	case "/loki/api/v1/query_range":
		p.Start, p.End = at("start"), at("end")
		p.Step = max(1, (p.End-p.Start)/250/1e9) * 1e9
		if s := get("step"); s != "" {
			p.Step = span("step")
		}
	default:
		return p, false
	}
	return p, ok
}

type wireStream struct {
	Stream map[string]string
	Values [][]json.RawMessage
}

type wireSeries struct {
	Metric map[string]string
	Value  []any
	Values [][]any
}

func labelKey(m map[string]string) string {
	b, _ := json.Marshal(m)
	return string(b)
}

func mapOf(ls labels.Labels) map[string]string {
	m := map[string]string{}
	ls.Range(func(l labels.Label) { m[l.Name] = strings.ToValidUTF8(l.Value, " ") })
	return m
}

// wireText shows bytes as JSON does: U+FFFD for every byte that is not UTF-8.
func wireText(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	return string([]rune(s))
}

func streamLines(categorized bool, r *query.Result) []string {
	var out []string
	for _, s := range r.Streams(false) {
		for i, e := range s.Entries {
			extra := ""
			if categorized {
				third := map[string]map[string]string{}
				if !e.Labels.Metadata.IsEmpty() {
					third["structuredMetadata"] = mapOf(e.Labels.Metadata)
				}
				if !e.Labels.Parsed.IsEmpty() {
					third["parsed"] = mapOf(e.Labels.Parsed)
				}
				b, _ := json.Marshal(third)
				extra = string(b)
			}
			out = append(out, fmt.Sprintf("%s #%d %d %q %s", labelKey(mapOf(s.Labels)), i, e.Timestamp, wireText(e.Line), extra))
		}
	}
	return out
}

func wantedLines(t *testing.T, result json.RawMessage) []string {
	var streams []wireStream
	require.NoError(t, json.Unmarshal(result, &streams))
	var out []string
	for _, s := range streams {
		for i, v := range s.Values {
			var ts, line string
			require.NoError(t, json.Unmarshal(v[0], &ts))
			require.NoError(t, json.Unmarshal(v[1], &line))
			extra := ""
			if len(v) > 2 {
				var third map[string]map[string]string
				require.NoError(t, json.Unmarshal(v[2], &third))
				b, _ := json.Marshal(third)
				extra = string(b)
			}
			out = append(out, fmt.Sprintf("%s #%d %s %q %s", labelKey(s.Stream), i, ts, line, extra))
		}
	}
	return out
}

type numbered struct {
	key   string
	ts, v float64
}

func wantedNumbers(t *testing.T, result json.RawMessage) []numbered {
	var series []wireSeries
	require.NoError(t, json.Unmarshal(result, &series))
	var out []numbered
	point := func(key string, p []any) {
		v, err := strconv.ParseFloat(p[1].(string), 64)
		require.NoError(t, err)
		out = append(out, numbered{key, p[0].(float64), v})
	}
	for _, s := range series {
		if s.Value != nil {
			point(labelKey(s.Metric), s.Value)
		}
		for _, p := range s.Values {
			point(labelKey(s.Metric), p)
		}
	}
	return out
}

func gotNumbers(r *query.Result) []numbered {
	var out []numbered
	for _, s := range r.Vector {
		out = append(out, numbered{labelKey(mapOf(s.Labels)), float64(s.Timestamp/1e6) / 1e3, s.Value})
	}
	for _, s := range r.Matrix {
		for _, p := range s.Points {
			out = append(out, numbered{labelKey(mapOf(s.Labels)), float64(p.Timestamp/1e6) / 1e3, p.Value})
		}
	}
	return out
}

func sameNumber(a, b float64) bool {
	return a == b || math.IsNaN(a) && math.IsNaN(b) || math.Abs(a-b) <= 1e-15 || math.Abs(a-b) <= 1e-9*math.Max(math.Abs(a), math.Abs(b))
}

// judge compares an answer with the recorded one and says what differs.
func (c *recordedCase) judge(t *testing.T, r *query.Result, err error) string {
	if err != nil {
		var own *query.Error
		if !errors.As(err, &own) {
			return fmt.Sprintf("not an own error: %v", err)
		}
		var text string
		_ = json.Unmarshal(c.Body, &text)
		switch {
		case own.Status != c.Status:
			return fmt.Sprintf("status %d (%s), want %d %.300s", own.Status, own.Message, c.Status, c.Body)
		case !c.volatil && strings.TrimSpace(own.Message) != strings.TrimSpace(text):
			return fmt.Sprintf("text  %s\nwant %s", own.Message, text)
		}
		return ""
	}
	if c.Status != 200 {
		return fmt.Sprintf("answered, want %d %s", c.Status, c.Body)
	}
	var body struct {
		Data struct {
			ResultType query.ResultType
			Result     json.RawMessage
		}
	}
	require.NoError(t, json.Unmarshal(c.Body, &body))
	if r.Type != body.Data.ResultType {
		return fmt.Sprintf("type %s, want %s", r.Type, body.Data.ResultType)
	}
	switch r.Type {
	case query.ResultScalar:
		var pair []any
		require.NoError(t, json.Unmarshal(body.Data.Result, &pair))
		if want, _ := strconv.ParseFloat(pair[1].(string), 64); !sameNumber(want, r.Scalar.Value) {
			return fmt.Sprintf("%v, want %v", r.Scalar.Value, want)
		}
	case query.ResultStreams:
		categorized := strings.Contains(c.Headers["X-Loki-Response-Encoding-Flags"], "categorize-labels")
		want, got := wantedLines(t, body.Data.Result), streamLines(categorized, r)
		slices.Sort(want)
		slices.Sort(got)
		if !slices.Equal(want, got) {
			return difference(want, got)
		}
	default:
		want, got := wantedNumbers(t, body.Data.Result), gotNumbers(r)
		if c.Compare != "ordered" {
			order := func(a, b numbered) int { return cmp.Or(cmp.Compare(a.key, b.key), cmp.Compare(a.ts, b.ts)) }
			slices.SortStableFunc(want, order)
			slices.SortStableFunc(got, order)
		}
		if !slices.EqualFunc(want, got, func(a, b numbered) bool { return a.key == b.key && math.Abs(a.ts-b.ts) < 5e-4 && sameNumber(a.v, b.v) }) {
			return difference(format(want), format(got))
		}
	}
	return ""
}

func format(list []numbered) []string {
	var out []string
	for _, n := range list {
		out = append(out, fmt.Sprintf("%s %.3f %v", n.key, n.ts, n.v))
	}
	return out
}

func difference(want, got []string) string {
	for i := 0; i < len(want) || i < len(got); i++ {
		w, g := "nothing", "nothing"
		if i < len(want) {
			w = want[i]
		}
		if i < len(got) {
			g = got[i]
		}
		if w != g {
			return fmt.Sprintf("%d elements, want %d\nfirst %.600s\nwant  %.600s", len(got), len(want), g, w)
		}
	}
	return ""
}

// TestConformance runs the recorded queries against the executor. What the HTTP layer decides is left to its own tests.
func TestConformance(t *testing.T) {
	dir := filepath.Join(sharedDir(t), "conformance")
	store := corpusStore(t, dir, 50)
	engine := query.New(query.Options{Source: store})
	type tally struct{ passed, failed int }
	groups := map[string]*tally{}
	for _, c := range corpusCases(t, dir) {
		p, ok := c.params()
		if !ok || c.skip || c.Group == "err_params" {
			continue
		}
		g := groups[c.Group]
		if g == nil {
			g = &tally{}
			groups[c.Group] = g
		}
		r, err := engine.Query(context.Background(), p)
		if diff := c.judge(t, r, err); diff != "" {
			g.failed++
			t.Errorf("%s %s\n%s\n%s", c.Group, c.ID, p.Expr, diff)
			continue
		}
		g.passed++
	}
	for name, g := range groups {
		t.Logf("%s: %d of %d", name, g.passed, g.passed+g.failed)
	}
	require.Zero(t, store.OpenNow())
}
