package logql_test

import (
	"strings"
	"testing"

	"github.com/cambium-logs/cambium/pkg/logql"
)

const emptyMatchers = `queries require at least one regexp or equality matcher that does not have an empty-compatible value. For instance, app=~".*" does not meet this requirement, but app=~".+" will`

// Each pair is a query and its error without the words "parse error ".
var refused = [][2]string{
	{"", ": syntax error: unexpected $end"},
	{" ", "at line 1, col 2: syntax error: unexpected $end"},
	{`foo`, "at line 1, col 1: syntax error: unexpected IDENTIFIER"},
	{`{foo="bar"`, "at line 1, col 11: syntax error: unexpected $end, expecting } or ,"},
	{`{foo="bar",}`, "at line 1, col 12: syntax error: unexpected }, expecting IDENTIFIER"},
	{`{foo="bar}`, "at line 1, col 6: literal not terminated"},
	{"{foo=\"b\nar\"}", "at line 1, col 6: literal not terminated"},
	{`{foo=bar}`, "at line 1, col 6: syntax error: unexpected IDENTIFIER, expecting STRING"},
	{`{foo.bar="x"}`, "at line 1, col 5: syntax error: unexpected ., expecting = or =~ or !~ or !="},
	{`{a-b="c"}`, "at line 1, col 3: syntax error: unexpected -, expecting = or =~ or !~ or !="},
	{`{1a="b"}`, "at line 1, col 2: syntax error: unexpected NUMBER, expecting IDENTIFIER or }"},
	{`{"foo"="bar"}`, "at line 1, col 2: syntax error: unexpected STRING, expecting IDENTIFIER or }"},
	{`{json="x"}`, "at line 1, col 2: syntax error: unexpected json, expecting IDENTIFIER or }"},
	{`{JSON="x"}`, "at line 1, col 2: syntax error: unexpected json, expecting IDENTIFIER or }"},
	{`{foo=~"("}`, ": error parsing regexp: missing closing ): `(`"},
	{`{foo="\d"}`, "at line 1, col 6: invalid char escape"},
	{`{foo="\'"}`, "at line 1, col 6: invalid char escape"},
	{`{foo="\ud800"}`, "at line 1, col 6: invalid char escape"},
	{`{a="b"}[5m]`, "at line 0, col 8: syntax error: unexpected RANGE"},
	{`{é="日本" x}`, "at line 1, col 9: syntax error: unexpected IDENTIFIER, expecting } or ,"},
	{"{a=\"b\"}\n  | json\n  | }", "at line 3, col 5: syntax error: unexpected }"},
	{`{@="b"}`, "at line 1, col 2: syntax error: unexpected IDENTIFIER"},
	{"{a=\"\xff\"}", "at line 1, col 4: invalid UTF-8 encoding"},
	{"{a=\"b\"} /* x", "at line 1, col 9: comment not terminated"},
	{`{a=~".*"}`, ": " + emptyMatchers},
	{`{a="b"} + {c=""}`, ": unexpected type for left leg of binary operation (+): *syntax.MatchersExpr"},
	{`rate({a="b"}[5m]) + rate({c=""}[5m])`, ": " + emptyMatchers},

	{`{a="b"} |`, "at line 1, col 10: syntax error: unexpected $end"},
	{`{a="b"} |~`, "at line 1, col 11: syntax error: unexpected $end, expecting STRING or ip"},
	{`{a="b"} |=x`, "at line 1, col 11: syntax error: unexpected IDENTIFIER, expecting STRING or ip"},
	{`{a="b"} |= 'x'`, "at line 1, col 12: syntax error: unexpected IDENTIFIER, expecting STRING or ip"},
	{`{a="b"} | = "x"`, "at line 1, col 11: syntax error: unexpected ="},
	{`{a="b"} | "x"`, "at line 1, col 11: syntax error: unexpected STRING"},
	{`{a="b"} | x`, "at line 1, col 12: syntax error: unexpected $end"},
	{`{a="b"} | foo bar`, "at line 1, col 15: syntax error: unexpected IDENTIFIER"},
	{`{a="b"} | x=="1"`, "at line 1, col 14: syntax error: unexpected STRING"},
	{`{a="b"} | x=~1`, "at line 1, col 14: syntax error: unexpected NUMBER, expecting STRING"},
	{`{a="b"} | x.y="x"`, "at line 1, col 12: syntax error: unexpected ."},
	{`{a="b"} | by="x"`, "at line 1, col 11: syntax error: unexpected by"},
	{`{a="b"} | x>1.5d`, "at line 1, col 17: syntax error: unexpected $end"},
	{`{a="b"} | x>1EB`, "at line 1, col 13: exponent has no digits"},
	{`{a="b"} | x>0B`, "at line 1, col 13: decimal literal has no digits"},
	{`{a="b"} | x>-0x10`, `: unable to parse literal as a float: strconv.ParseFloat: parsing "0x10": invalid syntax`},
	{`{a="b"} | json "x"`, "at line 1, col 16: syntax error: unexpected STRING"},
	{`{a="b"} | logfmt --foo`, "at line 1, col 20: syntax error: unexpected IDENTIFIER, expecting NUMBER"},
	{`{a="b"} | logfmt a --strict`, "at line 0, col 20: syntax error: unexpected FUNCTION_FLAG"},
	{`{a="b"} | regexp`, "at line 1, col 17: syntax error: unexpected $end, expecting STRING"},
	{`{a="b"} | line_format x`, "at line 1, col 23: syntax error: unexpected IDENTIFIER, expecting STRING"},
	{`{a="b"} | label_format x`, "at line 1, col 25: syntax error: unexpected $end, expecting ="},
	{`{a="b"} | label_format x=y,`, "at line 1, col 28: syntax error: unexpected $end, expecting IDENTIFIER"},
	{`{a="b"} | drop`, "at line 1, col 15: syntax error: unexpected $end, expecting IDENTIFIER"},
	{`{a="b"} | unwrap x`, "at line 1, col 11: syntax error: unexpected unwrap"},
	{`{a="b"} | distinct x`, "at line 1, col 20: syntax error: unexpected IDENTIFIER"},
	{`{a="b"} offset 1m`, "at line 1, col 9: syntax error: unexpected offset"},
	{`({a="b"}) |= "x"`, "at line 0, col 11: syntax error: unexpected |="},

	{`rate({foo="bar"})`, "at line 1, col 17: syntax error: unexpected )"},
	{`rate(`, "at line 1, col 6: syntax error: unexpected $end, expecting NUMBER or { or ("},
	{`rate(("x"))`, "at line 1, col 7: syntax error: unexpected STRING, expecting { or ("},
	{`rate(({a="b"}))`, "at line 1, col 15: syntax error: unexpected ), expecting RANGE"},
	{`rate(({a="b"} | unwrap x))`, "at line 1, col 26: syntax error: unexpected ), expecting RANGE"},
	{`rate({foo="bar"}[5m)`, "at line 0, col 17: missing closing ']' in duration"},
	{`rate({foo="bar"}[5])`, `at line 0, col 17: not a valid duration string: "5"`},
	{`rate({foo="bar"}[])`, "at line 0, col 17: empty duration string"},
	{`rate({foo="bar"}[5m:1m])`, `at line 0, col 17: unknown unit "m:" in duration "5m:1m"`},
	{`rate({a="b"}[1.5h])`, `at line 0, col 13: unknown unit "." in duration "1.5h"`},
	{`rate({a="b"}[$__interval])`, `at line 0, col 13: not a valid duration string: "$__interval"`},
	{`rate({a="b"}[5m] offset 10)`, "at line 1, col 25: syntax error: unexpected NUMBER, expecting DURATION"},
	{`rate({a="b"}[5m]) offset 1h`, "at line 1, col 19: syntax error: unexpected offset"},
	{`rate({a="b"}[5m] |= "x" offset 5m)`, "at line 1, col 25: syntax error: unexpected offset, expecting )"},
	{`rate({a="b"} |= "x" offset 5m [5m])`, "at line 1, col 21: syntax error: unexpected offset"},
	{`rate({a="b"}[5m] @ 1)`, "at line 1, col 18: syntax error: unexpected IDENTIFIER, expecting )"},
	{`rate({a="b"}[5m])[5m]`, "at line 0, col 18: syntax error: unexpected RANGE"},
	{`rate({a="b"} | unwrap x | json [5m])`, "at line 1, col 27: syntax error: unexpected json, expecting IDENTIFIER or ("},
	{`sum_over_time({a="b"} | unwrap foo(x) [5m])`, "at line 1, col 35: syntax error: unexpected (, expecting RANGE or |"},
	{`sum_over_time({a="b"}[5m])`, ": invalid aggregation sum_over_time without unwrap"},
	{`count_over_time({a="b"} | unwrap x [5m])`, ": invalid aggregation count_over_time with unwrap"},
	{`sum_over_time({a="b"} | unwrap x [5m]) by (y)`, ": grouping not allowed for sum_over_time aggregation"},
	{`quantile_over_time({a="b"} | unwrap x [5m])`, ": parameter required for operation quantile_over_time"},
	{`quantile_over_time(-1, {a="b"} | unwrap x [5m])`, "at line 1, col 20: syntax error: unexpected -, expecting NUMBER or { or ("},
	{`rate(0.5, {a="b"}[5m])`, ": parameter 0.5 not supported for operation rate"},
	{`increase({a="b"}[5m])`, "at line 1, col 1: syntax error: unexpected IDENTIFIER"},
	{`abs(rate({a="b"}[5m]))`, "at line 1, col 1: syntax error: unexpected IDENTIFIER"},
	{`time()`, "at line 1, col 1: syntax error: unexpected IDENTIFIER"},
	{`variants(rate({a="b"}[5m])) of ({a="b"}[5m])`, "at line 1, col 1: syntax error: unexpected IDENTIFIER"},

	{`sum`, "at line 1, col 1: syntax error: unexpected IDENTIFIER"},
	{`sum({a="b"})`, "at line 1, col 12: syntax error: unexpected )"},
	{`sum by (x,) (rate({a="b"}[5m]))`, "at line 1, col 11: syntax error: unexpected ), expecting IDENTIFIER"},
	{`sum by (x) (rate({a="b"}[5m])) by (y)`, "at line 1, col 32: syntax error: unexpected by"},
	{`sum by (y) sum_over_time({a="b"} | unwrap x [5m])`, "at line 1, col 12: syntax error: unexpected SUM_OVER_TIME, expecting ("},
	{`count without (rate({a="b"}[5m]))`, "at line 1, col 16: syntax error: unexpected RATE, expecting IDENTIFIER or )"},
	{`topk(rate({a="b"}[5m]))`, ": parameter required for operation topk"},
	{`topk(2.0, rate({a="b"}[5m]))`, ": invalid parameter topk(2.0,"},
	{`topk(-1, rate({a="b"}[5m]))`, "at line 1, col 8: syntax error: unexpected ,"},
	{`sort by (x) (rate({a="b"}[5m]))`, ": sort and sort_desc doesn't allow grouping by "},
	{`-rate({a="b"}[5m])`, "at line 1, col 2: syntax error: unexpected RATE, expecting NUMBER"},
	{`vector(-1)`, "at line 1, col 8: syntax error: unexpected -, expecting NUMBER"},
	{`vector(rate({a="b"}[5m]))`, "at line 1, col 8: syntax error: unexpected RATE, expecting NUMBER"},
	{`bool 1 > 1`, "at line 1, col 1: syntax error: unexpected bool"},
	{`vector(1) + group_left vector(1)`, "at line 1, col 13: syntax error: unexpected group_left"},
	{`label_replace(rate({a="b"}[5m]), "a","b","c")`, "at line 1, col 45: syntax error: unexpected ), expecting ,"},
	{`{a="b"} + 1`, ": unexpected type for left leg of binary operation (+): *syntax.MatchersExpr"},
	{`{a="b"} | json + 1`, ": unexpected type for left leg of binary operation (+): *syntax.PipelineExpr"},
	{`1 and 2`, ": unexpected literal for left leg of logical/set binary operation (and): 1.000000"},
	{`vector(1) or 1`, ": unexpected literal for right leg of logical/set binary operation (or): 1.000000"},
	{`0x10`, `: unable to parse literal as a float: strconv.ParseFloat: parsing "0x10": invalid syntax`},
	{`{a="b"} | x=~"("`, ": error parsing regexp: missing closing ): `(`"},
	{`{a="b"} | drop x=~"("`, ": error parsing regexp: missing closing ): `(`"},
}

func TestErrors(t *testing.T) {
	for _, c := range refused {
		_, err := logql.Parse(c[0], logql.ParseOptions{})
		if err == nil {
			t.Errorf("%s\naccepted", c[0])
			continue
		}
		if got := strings.TrimPrefix(err.Error(), "parse error "); got != c[1] {
			t.Errorf("%s\n got %s\nwant %s", c[0], got, c[1])
		}
	}
}

// What uses no extension is refused with the same words whether they are allowed or not.
func TestErrorsWithExtensions(t *testing.T) {
	uses := map[string]bool{`increase({a="b"}[5m])`: true, `vector(rate({a="b"}[5m]))`: true}
	for _, c := range refused {
		_, err := logql.Parse(c[0], logql.ParseOptions{Extensions: true})
		if err == nil || uses[c[0]] {
			continue
		}
		if got := strings.TrimPrefix(err.Error(), "parse error "); got != c[1] {
			t.Errorf("%s\n got %s\nwant %s", c[0], got, c[1])
		}
	}
}

func TestTextTooLong(t *testing.T) {
	text := "1" + strings.Repeat(" ", logql.MaxTextBytes)
	_, err := logql.Parse(text, logql.ParseOptions{})
	if err == nil || err.Error() != "parse error : input size too long (131073 > 131072)" {
		t.Fatal(err)
	}
	if _, err := logql.Parse(text[:logql.MaxTextBytes], logql.ParseOptions{}); err != nil {
		t.Fatal(err)
	}
}

// Texts that nest without end are refused, or flat ones accepted, without exhausting the stack.
func TestDeepTexts(t *testing.T) {
	repeat := func(s string) string { return strings.Repeat(s, (logql.MaxTextBytes-100)/len(s)) }
	deep := []string{
		repeat("("), repeat("sum("), repeat("rate("), repeat("topk(1,"), repeat("-"), repeat("1^"), "rate" + repeat("("),
		`{a="b"} | ` + repeat("("), `{a="b"} | ` + repeat("a=1,") + "a=1", `{a="b"} | ` + repeat("a=1 or ") + "a=1",
		repeat("vector(1)+") + "vector(1)", repeat("vector(1)^") + "vector(1)", repeat("max_over_time(("), repeat("1[1m:]"),
	}
	for _, text := range deep {
		for _, extensions := range []bool{false, true} {
			if _, err := logql.Parse(text, logql.ParseOptions{Extensions: extensions}); err == nil {
				t.Errorf("%.40s… accepted", text)
			}
		}
	}
	for _, text := range []string{`{a="b"}` + repeat(` |= "x"`), repeat("1+") + "1", `{a="b"} | json ` + repeat("a,") + "a"} {
		if _, err := logql.Parse(text, logql.ParseOptions{}); err != nil {
			t.Errorf("%.40s… %s", text, err)
		}
	}
}

func TestParseSelector(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{`{a="b", c=~"d"}`, ""},
		{`{a="b"} |= "x"`, "only label matchers are supported"},
		{`rate({a="b"}[5m])`, "only label matchers are supported"},
		{`{}`, "parse error : " + emptyMatchers},
		{`{a=~".*"}`, "parse error : " + emptyMatchers},
		{`{a="b"`, "parse error at line 1, col 7: syntax error: unexpected $end, expecting } or ,"},
		{``, "parse error : syntax error: unexpected $end"},
	} {
		got := ""
		if _, err := logql.ParseSelector(c.text); err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%s: got %q, want %q", c.text, got, c.want)
		}
	}
	if m, err := logql.ParseSelectorOrAll("{ }"); err != nil || len(m) != 0 {
		t.Errorf("{ }: %v, %v", m, err)
	}
	if _, err := logql.ParseLog(`rate({a="b"}[5m])`); err != logql.ErrNotLog {
		t.Errorf("ParseLog of a metric query: %v", err)
	}
}
