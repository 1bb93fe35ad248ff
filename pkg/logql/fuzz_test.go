package logql_test

import (
	"errors"
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/cambium-logs/cambium/pkg/logql"
	"github.com/cambium-logs/cambium/pkg/logql/logqltest"
)

// checkText holds for every text: an error stands inside the text, and an accepted query prints to a text, of any
// layout, that is accepted and means the same.
func checkText(t *testing.T, text string, opts logql.ParseOptions) {
	e, err := logql.Parse(text, opts)
	if err != nil {
		var pe *logql.ParseError
		if !errors.As(err, &pe) {
			t.Fatalf("%q: %T: %s", text, err, err)
		}
		checkPosition(t, text, pe)
		return
	}
	for _, printed := range []string{e.String(), logql.Format(e)} {
		if len(printed) > logql.MaxTextBytes {
			continue
		}
		back, err := logql.Parse(printed, opts)
		if err != nil {
			t.Fatalf("%q prints as %q: %s", text, printed, err)
		}
		if !logqltest.Equal(e, back) {
			t.Fatalf("%q prints as %q, which means\n%s\ninstead of\n%s", text, printed, logqltest.Dump(back), logqltest.Dump(e))
		}
	}
}

func checkPosition(t *testing.T, text string, e *logql.ParseError) {
	lines := strings.Split(text, "\n")
	if e.Line < 0 || e.Col < 0 || e.Line > len(lines) {
		t.Fatalf("%q: %s: no such line", text, e)
	}
	longest := 0
	for i, line := range lines {
		if e.Line == 0 || e.Line == i+1 {
			longest = max(longest, utf8.RuneCountInString(line))
		}
	}
	if e.Col > longest+1 {
		t.Fatalf("%q: %s: no such column", text, e)
	}
}

func FuzzParse(f *testing.F) {
	for _, c := range refused {
		f.Add(c[0], false)
	}
	for seed := range uint64(200) {
		g := logqltest.New(rand.New(rand.NewPCG(seed, 3)), logqltest.Options{Odd: true, Extensions: seed%2 == 1})
		f.Add(g.Expr().String(), seed%2 == 1)
	}
	f.Fuzz(func(t *testing.T, text string, extensions bool) {
		checkText(t, text, logql.ParseOptions{Extensions: extensions})
	})
}

// Queries with a few characters or tokens changed keep the properties of FuzzParse.
func TestDamagedTexts(t *testing.T) {
	pieces := []string{" ", "(", ")", "{", "}", "[5m]", "[1h:1m]", ",", "|", "|=", "!=", "=", "==", "\"", "`", "or", "and", "by (x)", "5", "5m", "1KB", "-", "+", "x",
		"unwrap", "| json", "bool", "on(x)", "group_left", "offset 1m", "@ end()", "\n", "#", "é", "\xff", "\x00", "sum", "rate", "ip(", "--strict", "0x", "1e"}
	for seed := range uint64(6000) {
		r := rand.New(rand.NewPCG(seed, 4))
		extensions := seed%2 == 1
		text := logqltest.New(r, logqltest.Options{Odd: true, Extensions: extensions, MaxDepth: 2}).Expr().String()
		for range 1 + r.IntN(3) {
			at := r.IntN(len(text) + 1)
			end := min(len(text), at+r.IntN(4))
			text = text[:at] + pieces[r.IntN(len(pieces))] + text[end:]
		}
		checkText(t, text, logql.ParseOptions{Extensions: extensions})
	}
}

func BenchmarkParse(b *testing.B) {
	const text = `sum by (status, method) (rate({app="checkout", env=~"prod|dev"} |= "error" | json | status >= 500 | line_format "{{.msg}}" [5m])) / 2`
	b.ReportAllocs()
	for b.Loop() {
		if _, err := logql.Parse(text, logql.ParseOptions{}); err != nil {
			b.Fatal(err)
		}
	}
}
