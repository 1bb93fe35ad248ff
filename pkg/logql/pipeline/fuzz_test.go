package pipeline_test

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/cambium-logs/cambium/pkg/logql"
	"github.com/cambium-logs/cambium/pkg/logql/pipeline"
)

// checkParsed holds what is true of every parser's labels: names and values are well formed, and reusing the state does not
// change them.
func checkParsed(t *testing.T, p *pipeline.StreamPipeline, line []byte, validValues bool) labels.Labels {
	t.Helper()
	before := string(line)
	_, first, keep := p.Process(1, line, nil)
	if !keep {
		t.Fatalf("a parser dropped %q", line)
	}
	_, second, _ := p.Process(1, line, nil)
	if first != second {
		t.Fatalf("two results for %q: %s and %s", line, first.Merged, second.Merged)
	}
	if string(line) != before {
		t.Fatalf("%q was modified", before)
	}
	first.Parsed.Range(func(l labels.Label) {
		if l.Name == "" || strings.Trim(l.Name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") != "" {
			t.Fatalf("label name %q from %q", l.Name, line)
		}
		if validValues && !utf8.ValidString(l.Value) {
			t.Fatalf("value %q of %s from %q", l.Value, l.Name, line)
		}
	})
	return first.Parsed
}

func FuzzJSON(f *testing.F) {
	for _, s := range []string{`{"a":1}`, `{"a":{"b":"\u00e9\n"},"c":[1,{"a":2}],"d":null}`, `{"a":"\ud83d\ude00"`, `{"a" 1}`, `[1]`, ` {"a":tru}`, `{"a":1}{"b":2}`, "{\"\xff\":\"\xff\"}"} {
		f.Add([]byte(s))
	}
	all, expr := compile(f, `| json`), compile(f, "| json a, b=\"a.b\", c=`c[1][\"a\"]`")
	f.Fuzz(func(t *testing.T, line []byte) {
		got := checkParsed(t, all.ForStream(labels.EmptyLabels()), line, true)
		checkParsed(t, expr.ForStream(labels.EmptyLabels()), line, true)
		var object map[string]json.RawMessage
		if json.Unmarshal(line, &object) != nil || object == nil {
			return
		}
		if got.Has(pipeline.ErrorLabel) && object[pipeline.ErrorLabel] == nil {
			t.Fatalf("%q is valid and gave %s", line, got)
		}
	})
}

func FuzzLogfmt(f *testing.F) {
	for _, s := range []string{`a=1 b="x y" c= d`, `a=1 =b`, `a="\u00e9\"" b="un`, "a=\xff b=\"\ufffd\"", `h==2 a="x"y`} {
		f.Add([]byte(s))
	}
	pipelines := []*pipeline.Pipeline{compile(f, `| logfmt`), compile(f, `| logfmt --strict --keep-empty`), compile(f, `| logfmt a, x="b"`)}
	f.Fuzz(func(t *testing.T, line []byte) {
		for _, p := range pipelines {
			checkParsed(t, p.ForStream(labels.EmptyLabels()), line, true)
		}
	})
}

func FuzzUnpack(f *testing.F) {
	f.Add([]byte(`{"a":"b","_entry":"msg"}`))
	f.Add([]byte(`{"_entry":"\q","a":"b"`))
	p := compile(f, `| unpack`)
	f.Fuzz(func(t *testing.T, line []byte) { checkParsed(t, p.ForStream(labels.EmptyLabels()), line, true) })
}

func FuzzRegexp(f *testing.F) {
	f.Add(`(?P<a>\w+) (?P<b>x)?`, []byte("foo x"))
	f.Add(`(?i)(?P<a>err|warn)`, []byte("an ERROR"))
	f.Fuzz(func(t *testing.T, pattern string, line []byte) {
		p, err := pipeline.Compile([]logql.Stage{&logql.RegexpParser{Pattern: pattern}}, pipeline.Options{})
		if err != nil {
			return
		}
		checkParsed(t, p.ForStream(labels.EmptyLabels()), line, false)
	})
}

func FuzzPattern(f *testing.F) {
	f.Add(`<a> - <_> [<b>]`, []byte("1 - x [y]"))
	f.Add(`foo<_>bar`, []byte("foo1bar"))
	f.Add(`<a><b>`, []byte(""))
	f.Fuzz(func(t *testing.T, pattern string, line []byte) {
		if p, err := pipeline.Compile([]logql.Stage{&logql.PatternParser{Pattern: pattern}}, pipeline.Options{}); err == nil {
			checkParsed(t, p.ForStream(labels.EmptyLabels()), line, false)
		}
		filter := &logql.LineFilter{Op: logql.LinePattern, Operands: []logql.LineFilterOperand{{Text: pattern}}}
		p, err := pipeline.Compile([]logql.Stage{filter}, pipeline.Options{})
		if err != nil {
			return
		}
		if _, _, keep := p.ForStream(appX).Process(1, line, nil); !keep {
			return
		}
		for _, l := range pipeline.RequiredLiterals([]logql.Stage{filter}) {
			if !strings.Contains(string(line), l) {
				t.Fatalf("|> %q keeps %q, which lacks the required %q", pattern, line, l)
			}
		}
	})
}

// FuzzLineRegex holds that the literals in front of a regex neither change its answers nor promise too much.
func FuzzLineRegex(f *testing.F) {
	f.Add(`foo.*(bar|baz)`, []byte("foo bar"))
	f.Add(`(?i)err(or)?`, []byte("ERR"))
	f.Add(`a?b+[cd]{2}$`, []byte("bcd"))
	f.Fuzz(func(t *testing.T, pattern string, line []byte) {
		if len(pattern) > 200 || strings.Contains(pattern, "(?") && strings.Contains(pattern, "i") {
			return // a regex that is only a literal folds in ASCII alone
		}
		filter := &logql.LineFilter{Op: logql.LineMatches, Operands: []logql.LineFilterOperand{{Text: pattern}}}
		p, err := pipeline.Compile([]logql.Stage{filter}, pipeline.Options{})
		if err != nil {
			return
		}
		parser := &logql.RegexpParser{Pattern: `(?P<whole>` + pattern + `)`}
		q, err := pipeline.Compile([]logql.Stage{parser}, pipeline.Options{})
		if err != nil {
			return
		}
		_, _, got := p.ForStream(appX).Process(1, line, nil)
		_, res, _ := q.ForStream(appX).Process(1, line, nil)
		if got != res.Parsed.Has("whole") {
			t.Fatalf("|~ %q on %q: %v", pattern, line, got)
		}
		if !got {
			return
		}
		for _, set := range pipeline.RequiredAnyOf([]logql.Stage{filter}) {
			found := false
			for _, l := range set {
				found = found || strings.Contains(string(line), l)
			}
			if !found {
				t.Fatalf("|~ %q matches %q, which has none of %q", pattern, line, set)
			}
		}
	})
}

// FuzzTemplate holds that templates end, with little output, whatever they are.
func FuzzTemplate(f *testing.F) {
	for _, s := range []string{`{{.a}} {{.b | upper}}`, `{{range $k, $v := .}}{{$k}}{{end}}`, `{{repeat 9999999 "x"}}`, `{{printf "%9999999d" 1}}`, `{{define "a"}}{{template "a"}}{{end}}{{template "a"}}`, `{{substr 5 2 "x"}}`} {
		f.Add(s, "a=1 b=2")
	}
	f.Fuzz(func(t *testing.T, text, line string) {
		p, err := pipeline.Compile([]logql.Stage{&logql.LogfmtParser{}, &logql.LineFormat{Template: text}}, pipeline.Options{})
		if err != nil {
			return
		}
		out, _, keep := p.ForStream(appX).Process(1, []byte(line), nil)
		if !keep || len(out) > len(line) && len(out) > 1<<20 {
			t.Fatalf("template %q gave %d bytes", text, len(out))
		}
	})
}
