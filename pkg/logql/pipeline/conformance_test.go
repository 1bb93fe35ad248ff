package pipeline_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strconv"
	"strings"
	"testing"

	"github.com/golang/snappy"
	"github.com/grafana/loki/pkg/push"
	"github.com/prometheus/prometheus/model/labels"

	"github.com/cambium-logs/cambium/pkg/logql"
	"github.com/cambium-logs/cambium/pkg/logql/pipeline"
)

// sharedDir finds the directory with the recorded corpus, or skips the test.
func sharedDir(t testing.TB, sub string) string {
	t.Helper()
	dir := os.Getenv("CAMBIUM_SHARED")
	if dir == "" {
		wd, err := os.Getwd()
		if err != nil {
			t.Fatal(err)
		}
		for d := wd; d != filepath.Dir(d); d = filepath.Dir(d) {
			if _, err := os.Stat(filepath.Join(d, "go.mod")); err == nil {
				dir = filepath.Join(filepath.Dir(d), "shared")
				break
			}
		}
	}
	path := filepath.Join(dir, sub)
	if _, err := os.Stat(path); err != nil {
		t.Skipf("%s is missing: set CAMBIUM_SHARED to the directory that holds it", sub)
	}
	return path
}

func readJSONLines(t testing.TB, path string, each func(raw json.RawMessage)) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	sc := bufio.NewScanner(f)
	sc.Buffer(nil, 64<<20)
	for sc.Scan() {
		each(append(json.RawMessage(nil), sc.Bytes()...))
	}
	if sc.Err() != nil {
		t.Fatal(sc.Err())
	}
}

type testEntry struct {
	ts   int64
	line string
	meta []labels.Label
}

type testStream struct {
	labels  labels.Labels
	entries []testEntry
}

// normalName is what ingestion does to names of structured metadata.
func normalName(s string) string {
	var b strings.Builder
	for i, r := range s {
		switch {
		case r == '_' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z':
			b.WriteRune(r)
		case r >= '0' && r <= '9':
			if i == 0 {
				b.WriteString("key_")
			}
			b.WriteRune(r)
		default:
			b.WriteByte('_')
		}
	}
	return b.String()
}

func loadDataset(t testing.TB, dir string) []*testStream {
	byKey := make(map[string]*testStream)
	var out []*testStream
	readJSONLines(t, filepath.Join(dir, "dataset.jsonl"), func(raw json.RawMessage) {
		var push struct {
			Streams []struct {
				Stream map[string]string
				Values [][]json.RawMessage
			}
		}
		if err := json.Unmarshal(raw, &push); err != nil {
			t.Fatal(err)
		}
		for _, s := range push.Streams {
			ls := labels.FromMap(s.Stream)
			st := byKey[ls.String()]
			if st == nil {
				st = &testStream{labels: ls}
				byKey[ls.String()] = st
				out = append(out, st)
			}
			for _, v := range s.Values {
				var ts, line string
				var meta map[string]string
				if err := json.Unmarshal(v[0], &ts); err != nil {
					t.Fatal(err)
				}
				if err := json.Unmarshal(v[1], &line); err != nil {
					t.Fatal(err)
				}
				if len(v) > 2 {
					if err := json.Unmarshal(v[2], &meta); err != nil {
						t.Fatal(err)
					}
				}
				e := testEntry{line: line}
				e.ts, _ = strconv.ParseInt(ts, 10, 64)
				for k, v := range meta {
					if v != "" {
						e.meta = append(e.meta, labels.Label{Name: normalName(k), Value: v})
					}
				}
				sort.Slice(e.meta, func(i, j int) bool { return e.meta[i].Name < e.meta[j].Name })
				dup := slices.ContainsFunc(st.entries, func(o testEntry) bool {
					return o.ts == e.ts && o.line == e.line && slices.Equal(o.meta, e.meta)
				})
				if !dup {
					st.entries = append(st.entries, e)
				}
			}
		}
	})
	out = append(out, loadBinary(t, dir)...)
	for _, s := range out {
		sort.SliceStable(s.entries, func(i, j int) bool { return s.entries[i].ts < s.entries[j].ts })
	}
	return out
}

// loadBinary reads the push whose lines are not valid UTF-8.
func loadBinary(t testing.TB, dir string) (out []*testStream) {
	readJSONLines(t, filepath.Join(dir, "dataset-binary.jsonl"), func(raw json.RawMessage) {
		var body struct {
			Body []byte `json:"body_b64"`
		}
		if err := json.Unmarshal(raw, &body); err != nil {
			t.Fatal(err)
		}
		decoded, err := snappy.Decode(nil, body.Body)
		if err != nil {
			t.Fatal(err)
		}
		var req push.PushRequest
		if err := req.Unmarshal(decoded); err != nil {
			t.Fatal(err)
		}
		for _, s := range req.Streams {
			expr, err := logql.Parse(s.Labels, logql.ParseOptions{})
			if err != nil {
				t.Fatal(err)
			}
			ls := make(map[string]string)
			for _, m := range expr.(*logql.LogExpr).Matchers {
				ls[m.Name] = m.Value
			}
			st := &testStream{labels: labels.FromMap(ls)}
			for _, e := range s.Entries {
				te := testEntry{ts: e.Timestamp.UnixNano(), line: e.Line}
				for _, l := range e.StructuredMetadata {
					te.meta = append(te.meta, labels.Label{Name: l.Name, Value: l.Value})
				}
				st.entries = append(st.entries, te)
			}
			out = append(out, st)
		}
	})
	return out
}

type conformanceCase struct {
	ID, Group, Method, Path string
	Params                  map[string]any
	Headers                 map[string]string
}

type conformanceAnswer struct {
	ID     string
	Status int
	Body   json.RawMessage
	Quirk  any
}

func param(p map[string]any, name string) string {
	s, _ := p[name].(string)
	return s
}

// TestConformanceOfLogQueries runs the recorded log queries that need nothing but a pipeline, and compares the entries with those
// the reference gave.
func TestConformanceOfLogQueries(t *testing.T) {
	dir := sharedDir(t, "conformance")
	streams := loadDataset(t, dir)
	cases := make(map[string]conformanceCase)
	readJSONLines(t, filepath.Join(dir, "queries.jsonl"), func(raw json.RawMessage) {
		var c conformanceCase
		if err := json.Unmarshal(raw, &c); err != nil {
			t.Fatal(err)
		}
		cases[c.ID] = c
	})
	groups := strings.Fields("linefilter filter_ip filter_pattern json json_expr logfmt logfmt_expr regexp pattern unpack lf_string lf_number " +
		"lf_duration lf_bytes lf_logic line_format label_format template decolorize drop keep pipeline_error categorize structured err_stage")
	ran := 0
	readJSONLines(t, filepath.Join(dir, "answers.jsonl"), func(raw json.RawMessage) {
		var a conformanceAnswer
		if err := json.Unmarshal(raw, &a); err != nil {
			t.Fatal(err)
		}
		c := cases[a.ID]
		if !slices.Contains(groups, c.Group) || !strings.HasSuffix(c.Path, "/query_range") || a.Quirk != nil {
			return
		}
		query := param(c.Params, "query")
		expr, err := logql.Parse(query, logql.ParseOptions{})
		if a.Status != 200 {
			ran++
			text := ""
			if err == nil {
				if log, ok := expr.(*logql.LogExpr); ok {
					_, err = pipeline.Compile(log.Stages, pipeline.Options{})
				}
			}
			if err != nil {
				text = err.Error()
			}
			want := ""
			if err := json.Unmarshal(a.Body, &want); err != nil {
				t.Fatal(err)
			}
			if strings.TrimSpace(want) != strings.TrimSpace(text) {
				t.Errorf("%s: %s\nwant error %s\ngot        %s", a.ID, query, want, text)
			}
			return
		}
		if err != nil {
			t.Errorf("%s: %s: %v", a.ID, query, err)
			return
		}
		log, ok := expr.(*logql.LogExpr)
		if !ok {
			return
		}
		p, err := pipeline.Compile(log.Stages, pipeline.Options{})
		if err != nil {
			t.Errorf("%s: %s: %v", a.ID, query, err)
			return
		}
		ran++
		categorized := strings.Contains(c.Headers["X-Loki-Response-Encoding-Flags"], "categorize-labels")
		got, dropped := runLogQuery(streams, log, p, c.Params, categorized)
		want := recordedEntries(t, a.Body, categorized)
		if diff := diffEntries(want, got, dropped); diff != "" {
			t.Errorf("%s: %s\n%s", a.ID, query, diff)
		}
	})
	if ran < 300 {
		t.Errorf("only %d cases ran", ran)
	}
}

// runLogQuery returns the texts of the entries, and of those the limit may have cut off.
func runLogQuery(streams []*testStream, log *logql.LogExpr, p *pipeline.Pipeline, params map[string]any, categorized bool) (got, spare []string) {
	start, _ := strconv.ParseInt(param(params, "start"), 10, 64)
	end, _ := strconv.ParseInt(param(params, "end"), 10, 64)
	limit := 100
	if l := param(params, "limit"); l != "" {
		limit, _ = strconv.Atoi(l)
	}
	type kept struct {
		ts   int64
		text string
	}
	var all []kept
	for _, s := range streams {
		if !matchesAll(log.Matchers, s.labels) {
			continue
		}
		sp := p.ForStream(s.labels)
		for _, e := range s.entries {
			if e.ts < start || e.ts >= end {
				continue
			}
			line, res, keep := sp.Process(e.ts, []byte(e.line), e.meta)
			if !keep {
				continue
			}
			text := fmt.Sprintf("%d %s %s", e.ts, res.Merged, strings.ToValidUTF8(string(line), "\ufffd"))
			if categorized {
				text = fmt.Sprintf("%d %s | %s | %s %s", e.ts, res.Stream, res.Metadata, res.Parsed, string(line))
			}
			all = append(all, kept{e.ts, text})
		}
	}
	sort.SliceStable(all, func(i, j int) bool {
		if param(params, "direction") == "forward" {
			return all[i].ts < all[j].ts
		}
		return all[i].ts > all[j].ts
	})
	for i, k := range all {
		switch {
		case i < limit:
			got = append(got, k.text)
		case k.ts == all[limit-1].ts:
			spare = append(spare, k.text)
		}
	}
	return got, spare
}

func matchesAll(ms []*labels.Matcher, ls labels.Labels) bool {
	for _, m := range ms {
		if !m.Matches(ls.Get(m.Name)) {
			return false
		}
	}
	return true
}

func recordedEntries(t *testing.T, body json.RawMessage, categorized bool) []string {
	var answer struct {
		Data struct {
			Result []struct {
				Stream map[string]string
				Values [][]json.RawMessage
			}
		}
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, s := range answer.Data.Result {
		for _, v := range s.Values {
			var ts, line string
			var cat struct{ StructuredMetadata, Parsed map[string]string }
			if json.Unmarshal(v[0], &ts) != nil || json.Unmarshal(v[1], &line) != nil {
				t.Fatal("bad entry in answer")
			}
			if !categorized {
				out = append(out, fmt.Sprintf("%s %s %s", ts, labels.FromMap(s.Stream), line))
				continue
			}
			if err := json.Unmarshal(v[2], &cat); err != nil {
				t.Fatal(err)
			}
			stream := make(map[string]string)
			for k, v := range s.Stream {
				if cat.StructuredMetadata[k] == "" && cat.Parsed[k] == "" {
					stream[k] = v
				}
			}
			for k := range cat.Parsed {
				delete(stream, k)
			}
			out = append(out, fmt.Sprintf("%s %s | %s | %s %s", ts, labels.FromMap(stream), labels.FromMap(cat.StructuredMetadata), labels.FromMap(cat.Parsed), line))
		}
	}
	return out
}

func diffEntries(want, got, spare []string) string {
	count := make(map[string]int)
	for _, w := range want {
		count[w]++
	}
	var b strings.Builder
	for _, g := range got {
		if count[g]--; count[g] < 0 && !slices.Contains(spare, g) && len(spare) == 0 {
			fmt.Fprintf(&b, "unexpected %s\n", g)
		}
	}
	for w, n := range count {
		if n > 0 && !slices.Contains(spare, w) {
			fmt.Fprintf(&b, "missing    %s\n", w)
		}
	}
	if s := b.String(); len(s) > 6000 {
		return s[:6000] + "…"
	}
	return b.String()
}
