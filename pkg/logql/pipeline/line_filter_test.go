package pipeline_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/cambium-logs/cambium/pkg/logql"
	"github.com/cambium-logs/cambium/pkg/logql/pipeline"
)

var appX = labels.FromStrings("app", "x")

func kept(t testing.TB, tail, line string) bool { return run(t, tail, appX, line) != "-" }

func TestLineFilters(t *testing.T) {
	for _, c := range []struct {
		tail     string
		kept     []string
		dropped  []string
		ofFilter string
	}{
		{tail: `|= "foo"`, kept: []string{"foo", "xfoox"}, dropped: []string{"", "fo", "FOO"}},
		{tail: `|= ""`, kept: []string{"", "x"}},
		{tail: `!= ""`, dropped: []string{"", "x"}},
		{tail: `!~ ".*"`, dropped: []string{"", "x"}},
		{tail: `|= "a" or "b"`, kept: []string{"a", "xb"}, dropped: []string{"c"}},
		{tail: `|= "" or "b"`, kept: []string{"b"}, dropped: []string{"a"}},
		{tail: `!= "a" or "b"`, kept: []string{"c", ""}, dropped: []string{"a", "b"}},
		{tail: `|~ "a.b"`, kept: []string{"axb"}, dropped: []string{"a\nb"}},
		{tail: `|~ "(?s)a.b"`, kept: []string{"a\nb"}},
		{tail: `|~ "foo$"`, kept: []string{"foo"}, dropped: []string{"foo\n"}},
		{tail: `|~ "(?i)disk FULL"`, kept: []string{"Disk Full", "xDISK FULLx"}, dropped: []string{"disk  full"}},
		{tail: `|~ "(?i)k"`, kept: []string{"K", "k"}, dropped: []string{"\u212a", ""}},
		{tail: `|~ "(?i)su.+n"`, kept: []string{"\u017fuxn", "SUxN"}, dropped: []string{"sun"}},
		{tail: `|~ "err(or|no)|fatal"`, kept: []string{"an error", "errno", "fatal"}, dropped: []string{"err", "fata"}},
		{tail: `|~ "caf.? au"`, kept: []string{"caf\xe9 au", "café au"}, dropped: []string{"cafee au"}},
		{tail: `|= ip("10.0.0.0/8")`, kept: []string{"a10.0.0.1", "10.0.0.1:80"}, dropped: []string{"1.2.3.4.5", "10.0.0", "010.0.0.1"}},
		{tail: `!= ip("10.0.0.1-10.0.0.9")`, kept: []string{"10.0.0.10", "none"}, dropped: []string{"10.0.0.1", "10.0.0.9"}},
		{tail: `|= ip("::1")`, kept: []string{"[::1]:80"}, dropped: []string{"::2", "0.0.0.1"}},
		{tail: `|> "foo"`, kept: []string{"foo", "xfoo"}, dropped: []string{"foox", "foofoo"}},
		{tail: `|> ""`, kept: []string{""}, dropped: []string{"x"}},
		{tail: `|> "foo<_>"`, kept: []string{"foox", "xfoox"}, dropped: []string{"foo"}},
		{tail: `|> "<_>foo"`, kept: []string{"xfoo"}, dropped: []string{"foo", "foox"}},
		{tail: `|> "<_>foo<_>"`, kept: []string{"xfoox"}, dropped: []string{"foo", "xfoo", "foox"}},
		{tail: `|> "foo<_>bar"`, kept: []string{"foo1bar"}, dropped: []string{"foobar", "xfoo1bar2", "foo1bar2bar"}},
		{tail: `|> "foo <_> bar<_>"`, kept: []string{"x foo 1 bar y"}, dropped: []string{"foo 1 bar", "foo  bar y"}},
		{tail: `|> "<_>"`, kept: []string{"x"}, dropped: []string{""}},
		{tail: `!> "<_> <_>"`, kept: []string{"foo"}, dropped: []string{"a b"}},
	} {
		for _, l := range c.kept {
			if !kept(t, c.tail, l) {
				t.Errorf("%s drops %q", c.tail, l)
			}
		}
		for _, l := range c.dropped {
			if kept(t, c.tail, l) {
				t.Errorf("%s keeps %q", c.tail, l)
			}
		}
	}
}

// TestPrefilterAgreesWithRegex holds that literals in front of the regex engine never change what a regex decides.
func TestPrefilterAgreesWithRegex(t *testing.T) {
	patterns := []string{
		`foo.*bar`, `(a|b)c+d`, `x?yz*`, `[ab]c`, `(foo|fob|bar)[0-9]`, `(?i)foo.bar`, `(?i)(err|warn)ing`, `a{2,3}b`, `^foo`, `foo$`, `\bfoo\b`,
		`(?:a|)b`, `.*foo.*`, `(foo)?bar`, `a\.b`, `[^a]b`, `(?m)^b$`, `foo|bar|baz|qux|quux`, `a|ab|abc`, `\d+ms`, `[[:upper:]]x`, `(?s).`, `é+`, `(?i)é`, `k(?i)k`,
		`foo\x{FFFD}`, `[\x{FFFD}a]b`, `(ab|cd)(ef|gh)?ij`,
	}
	lines := []string{
		"", "foo", "foo bar", "fooxbar", "FOO-BAR", "acd", "bccd", "yz", "xy", "ac", "fob3", "bar9", "foo", "warning", "ERRing", "aab", "aaaab", "xfoo", "foox", "a foo b",
		"b", "ab", "a\nb\nc", "quux", "12ms", "Ax", "\xff", "é", "É", "kK", "kk", "k\u212a", "\u017f", "foo\xff", "foo\ufffd", "\xffb", "abij", "cdghij", strings.Repeat("foo ", 50) + "bar",
	}
	for _, p := range patterns {
		re := regexp.MustCompile(p)
		for _, l := range lines {
			f := &logql.LineFilter{Op: logql.LineMatches, Operands: []logql.LineFilterOperand{{Text: p}}}
			c, err := pipeline.Compile([]logql.Stage{f}, pipeline.Options{})
			if err != nil {
				t.Fatal(err)
			}
			if _, _, got := c.ForStream(appX).Process(1, []byte(l), nil); got != re.MatchString(l) {
				t.Errorf("|~ %q on %q: %v", p, l, got)
			}
		}
	}
}

func TestRequiredLiterals(t *testing.T) {
	for _, c := range []struct{ tail, want string }{
		{``, ""},
		{`|= "foo"`, "foo"},
		{`|= "foo" |= "foobar"`, "foobar"},
		{`|= "foo" or "bar"`, ""},
		{`|= "" or "bar"`, "bar"},
		{`!= "foo"`, ""},
		{`|~ "foo.*bar" |= "baz"`, "foo,bar,baz"},
		{`|~ "(?i)foo"`, ""},
		{`|~ "(foo|bar)baz"`, ""},
		{`|~ "x(foo|bar)+baz"`, "x,baz"},
		{`|> "a <_> b<_>"`, "a , b"},
		{`| json | x="1" |= "foo"`, "foo"},
		{`| line_format "x" |= "foo"`, ""},
		{`| decolorize |= "foo"`, "foo"},
		{`| decolorize | x="1" |= "foo"`, ""},
		{`|= ip("10.0.0.1")`, ""},
	} {
		if got := strings.Join(pipeline.RequiredLiterals(stages(t, c.tail)), ","); got != c.want {
			t.Errorf("%s requires %q, want %q", c.tail, got, c.want)
		}
	}
	sets := pipeline.RequiredAnyOf(stages(t, `|= "a" or "b" |~ "foo|bar"`))
	if len(sets) != 2 || strings.Join(sets[0], ",") != "a,b" || strings.Join(sets[1], ",") != "foo,bar" {
		t.Errorf("alternatives %q", sets)
	}
	if w := strings.Join(pipeline.SearchWords(stages(t, `|= "a" or "b" |~ "(?i)Foo|bar" != "no" | json |= "z"`)), ","); w != "a,b,bar,foo,z" {
		t.Errorf("search words %s", w)
	}
}
