package logql

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

type recorded struct {
	id, group, query string
	status           int
	body             json.RawMessage
}

// sharedDir finds the directory of reference data, which is not part of the repository.
func sharedDir(t testing.TB) string {
	t.Helper()
	if dir := os.Getenv("CAMBIUM_SHARED"); dir != "" {
		return dir
	}
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			shared := filepath.Join(filepath.Dir(dir), "shared")
			if _, err := os.Stat(shared); err != nil {
				t.Skipf("no reference data: set CAMBIUM_SHARED or put a directory shared beside %s", dir)
			}
			return shared
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			t.Skip("no reference data: the module root was not found")
		}
		dir = parent
	}
}

func eachLine(t testing.TB, path string, visit func([]byte)) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Skipf("no conformance corpus: %s", err)
	}
	s := bufio.NewScanner(bytes.NewReader(data))
	s.Buffer(nil, 64<<20)
	for s.Scan() {
		visit(s.Bytes())
	}
}

// corpus gives the recorded requests that carry a query.
func corpus(t testing.TB) []recorded {
	dir := filepath.Join(sharedDir(t), "conformance")
	answers := map[string]recorded{}
	eachLine(t, filepath.Join(dir, "answers.jsonl"), func(line []byte) {
		var a struct {
			ID     string
			Status int
			Body   json.RawMessage
		}
		if err := json.Unmarshal(line, &a); err != nil {
			t.Fatal(err)
		}
		answers[a.ID] = recorded{status: a.Status, body: a.Body}
	})
	var list []recorded
	eachLine(t, filepath.Join(dir, "queries.jsonl"), func(line []byte) {
		var q struct {
			ID, Group, Path string
			Params          map[string]any
		}
		if err := json.Unmarshal(line, &q); err != nil {
			t.Fatal(err)
		}
		query, ok := q.Params["query"].(string)
		if !ok {
			return
		}
		a := answers[q.ID]
		list = append(list, recorded{id: q.ID, group: q.Group, query: query, status: a.status, body: a.body})
	})
	return list
}

func (r recorded) text(t *testing.T) string {
	var s string
	if err := json.Unmarshal(r.body, &s); err != nil {
		t.Fatalf("%s: %s", r.id, err)
	}
	return strings.TrimSpace(s)
}

// builtLater tells whether an error text comes from building a stage, which this package does not do.
func builtLater(text string) bool {
	for _, s := range []string{"parse error : stage '", "parse error : invalid regexp parser", "parse error : invalid pattern parser"} {
		if strings.HasPrefix(text, s) {
			return true
		}
	}
	return false
}

// refusedByParser tells whether an answer is about the text of the query.
func refusedByParser(r recorded) bool {
	return r.status >= 400 && strings.HasPrefix(string(r.body), `"parse error`)
}

func TestConformanceErrors(t *testing.T) {
	groups := map[string]bool{"err_lex": true, "err_selector": true, "err_pipeline": true, "err_range": true, "err_agg": true, "err_binop": true, "err_stage": true}
	for _, r := range corpus(t) {
		if !groups[r.group] && !refusedByParser(r) {
			continue
		}
		t.Run(r.id, func(t *testing.T) {
			_, err := Parse(r.query, ParseOptions{})
			if r.status == 200 {
				if err != nil {
					t.Fatalf("%s\nrefused: %s", r.query, err)
				}
				return
			}
			want := r.text(t)
			if builtLater(want) {
				if err != nil {
					t.Fatalf("%s\nrefused by the parser: %s", r.query, err)
				}
				return
			}
			if err == nil {
				t.Fatalf("%s\naccepted, want %s", r.query, want)
			}
			if got := strings.TrimSpace(err.Error()); got != want {
				t.Fatalf("%s\n got %s\nwant %s", r.query, got, want)
			}
		})
	}
}

func TestConformanceFormat(t *testing.T) {
	for _, r := range corpus(t) {
		if r.group != "format_query" {
			continue
		}
		t.Run(r.id, func(t *testing.T) {
			var want struct{ Data, Error string }
			body := r.body
			if r.status != 200 {
				body = []byte(r.text(t))
			}
			if err := json.Unmarshal(body, &want); err != nil {
				t.Fatal(err)
			}
			e, err := Parse(r.query, ParseOptions{})
			if err != nil {
				if err.Error() != want.Error {
					t.Fatalf("%s\n got %s\nwant %s", r.query, err, want.Error)
				}
				return
			}
			if got := Format(e); got != want.Data {
				t.Fatalf("%s\n got\n%s\nwant\n%s", r.query, got, want.Data)
			}
		})
	}
}

// Every query that was answered parses, with and without extensions to the same tree.
func TestConformanceAccepted(t *testing.T) {
	n := 0
	for _, r := range corpus(t) {
		if r.status != 200 || r.query == "" {
			continue
		}
		e, err := Parse(r.query, ParseOptions{})
		if r.query == "{}" && err != nil {
			continue
		}
		if err != nil {
			t.Errorf("%s: %s: %s", r.id, r.query, err)
			continue
		}
		n++
		back, err := Parse(e.String(), ParseOptions{Extensions: true})
		if err != nil {
			t.Errorf("%s: canonical text %s: %s", r.id, e, err)
			continue
		}
		if back.String() != e.String() {
			t.Errorf("%s: %s became %s", r.id, e, back)
		}
	}
	t.Logf("%d queries", n)
}
