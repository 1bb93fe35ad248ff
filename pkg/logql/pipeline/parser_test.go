package pipeline_test

import (
	"strings"
	"testing"

	"github.com/prometheus/prometheus/model/labels"
)

type parserCase struct{ tail, line, want string }

func checkParsers(t *testing.T, cases []parserCase) {
	t.Helper()
	for _, c := range cases {
		if got := run(t, c.tail, appX, c.line); got != c.want {
			t.Errorf("%s on %s\ngot  %s\nwant %s", c.tail, c.line, got, c.want)
		}
	}
}

func jsonError(details string) string {
	return `{__error__="JSONParserErr", __error_details__=` + details + `}`
}

func TestJSON(t *testing.T) {
	checkParsers(t, []parserCase{
		{`| json`, `{"f":{"g":{"h":1.50}},"e":[1],"d":null,"1x":"y","a-b":"z"}`, `{_1x="y", a_b="z", f_g_h="1.50"}`},
		{`| json`, ` {"a":true,"b":"é\u00e9\n"} tail`, `{a="true", b="éé\n"}`},
		{`| json`, `{"app":"in","app_extracted":"two"}`, `{app_extracted="in"}`},
		{`| json`, `{"a":"\q","b":"x\ufffdy"}`, `{a="", b="x y"}`},
		{`| json`, `{"k":{"":"e"}," s p ":1,"":2}`, `{k="e", s_p="1"}`},
		{`| json`, `not json`, jsonError(`"Value looks like object, but can't find closing '}' symbol"`)},
		{`| json`, `{"a":1,"b":tru}`, `{__error__="JSONParserErr", __error_details__="Unknown value type", a="1"}`},
		{`| json`, `{"a":1,"b":`, `{__error__="JSONParserErr", __error_details__="Malformed JSON error", a="1"}`},
		{`| json`, `{"a":"un`, jsonError(`"Value is string, but can't find closing '\"' symbol"`)},
		{`| json`, `{"a":{"b":1}`, `{__error__="JSONParserErr", __error_details__="Value is array, but can't find closing ']' symbol", a_b="1"}`},
		{`| json | logfmt`, `{"a":1} a=2 b=3`, `{a="1", b="3"}`},
		{`| json x="a.b[1].c", y="d", z="a", n="none"`, `{"d":"v","a":{"b":[0,{"c":7}]}}`, `{n="", x="7", y="v", z="{\"b\":[0,{\"c\":7}]}"}`},
		{`| json x="[1][0]"`, `[1,["a"]]`, `{x="a"}`},
		{"| json x=`[\"k.k\"]`", `{"k.k":"v"}`, `{x="v"}`},
		{`| json a`, ` {"a":1}`, `{__error__="JSONParserErr"}`},
		{`| json a`, ``, `{}`},
		{`| json a`, `{"a":1,,,"b`, `{a="1"}`},
		{`| json a`, `{"b":{"a":2},"c":[{"a":3}]}`, `{a=""}`},
		{`| json app="a"`, `{"a":1}`, `{app_extracted="1"}`},
		{`| json app="a"`, `{"b":1}`, `{}`},
	})
}

func TestLogfmt(t *testing.T) {
	strict := func(details, rest string) string {
		return `{__error__="LogfmtParserErr", __error_details__="logfmt syntax error at pos ` + details + `"` + rest + `}`
	}
	checkParsers(t, []parserCase{
		{`| logfmt`, `a=1 b="x y" c= d e=""`, `{a="1", b="x y"}`},
		{`| logfmt --keep-empty`, `a=1 c= d e=""`, `{a="1", c="", d="", e=""}`},
		{`| logfmt`, `a=1 h==2 c=3 =d e="u`, `{a="1", c="3"}`},
		{`| logfmt --strict`, `a=1 h==2 c=3`, strict(`7 : unexpected '='`, `, a="1"`)},
		{`| logfmt --strict`, `a=1 =b c=2`, strict(`5 : unexpected '='`, `, a="1"`)},
		{`| logfmt --strict`, `a=1 b="u`, strict(`9 : unterminated quoted value`, `, a="1"`)},
		{`| logfmt --strict`, `{"a":1}`, strict(`2 : unexpected '\"'`, ``)},
		{`| logfmt`, `a="x"y b=2 g='q r'`, `{a="x", b="2", g="'q"}`},
		{`| logfmt`, `key-x=1 1y=2 k.y=3 é=4`, `{_="4", _1y="2", k_y="3", key_x="1"}`},
		{`| logfmt`, `a= a=2 a=3`, `{a="2"}`},
		{`| logfmt who="user", x="none", dup`, `user=al dup=1 dup=2`, `{dup="2", who="al", x=""}`},
		{`| logfmt app="a"`, `a=1 app=2`, `{app_extracted="1"}`},
		{`| logfmt app="a"`, `b=1`, `{}`},
	})
}

func TestRegexpPatternUnpack(t *testing.T) {
	checkParsers(t, []parserCase{
		{`| regexp "(?P<m>\\w+) (?P<p>\\S+)(?P<o>!)?"`, `GET /a`, `{m="GET", o="", p="/a"}`},
		{`| regexp "(?P<m>\\d+)"`, `none`, `{}`},
		{`| regexp "(?P<app>\\d+)"`, `7`, `{app_extracted="7"}`},
		{`| pattern "<ip> - <_> [<ts>] <rest>"`, `1.2.3.4 - u [t1] a b`, `{ip="1.2.3.4", rest="a b", ts="t1"}`},
		{`| pattern "<ip> - <_> [<ts>] <rest>"`, `nope`, `{ip="nope"}`},
		{`| pattern "x <a> y"`, `x 1 y tail`, `{a="1"}`},
		{`| pattern "x <a> y"`, `zx 1 y`, `{}`},
		{`| pattern "x <a> y"`, `x  y`, `{a=""}`},
		{`| pattern "<a>,<b>"`, `1,2,3`, `{a="1", b="2,3"}`},
		{`| pattern "<a>,<b>"`, ``, `{}`},
		{`| pattern "<1a> <b>"`, `<1a> v`, `{b="v"}`},
		{`| unpack`, `{"a":"b","c":1,"_entry":"msg","app":"y"}`, `msg {a="b", app_extracted="y"}`},
		{`| unpack`, `{"a":"b"}`, `{}`},
		{`| unpack`, `{"_entry":1,"a":"b"}`, `{}`},
		{`| unpack`, ``, `{}`},
		{`| unpack`, ` {"_entry":"x"}`, jsonError(`"expecting json object(6), but it is not"`)},
	})
}

// TestCategories holds the rules by which names of streams, metadata and parsers keep out of each other's way.
func TestCategories(t *testing.T) {
	stream := labels.FromStrings("app", "foo", "env", "prod")
	for _, c := range []struct {
		tail, line string
		metadata   []labels.Label
		want       string
	}{
		{`| json`, `{"q":"x"}`, []labels.Label{{Name: "q", Value: "1"}}, `meta{q="1"} {q_extracted="x"}`},
		{``, ``, []labels.Label{{Name: "app", Value: "b"}}, `meta{app_extracted="b"} {}`},
		{``, ``, []labels.Label{{Name: "app", Value: "b"}, {Name: "app_extracted", Value: "c"}}, `meta{app_extracted="c"} {}`},
		{`| json`, `{"app":"x"}`, []labels.Label{{Name: "app", Value: "b"}, {Name: "k", Value: "v"}}, `meta{k="v"} {app_extracted="x"}`},
		{`| label_format app="new"`, ``, nil, `stream{env="prod"} {app="new"}`},
		{`| label_format app="foo"`, ``, nil, `{}`},
		{`| label_format k="v", env=k`, ``, []labels.Label{{Name: "k", Value: "1"}}, `stream{app="foo"} {env="v"}`},
		{`| drop app, k`, ``, []labels.Label{{Name: "k", Value: "1"}}, `stream{env="prod"} {}`},
		{`| keep k`, ``, []labels.Label{{Name: "k", Value: "1"}, {Name: "l", Value: "2"}}, `stream{} meta{k="1"} {}`},
		{`| __error__="Custom" | __error__!=""`, ``, []labels.Label{{Name: "__error__", Value: "Custom"}}, `{__error__="Custom"}`},
		{`| json`, `x`, []labels.Label{{Name: "__error__", Value: "Custom"}}, jsonError(`"Value looks like object, but can't find closing '}' symbol"`)},
	} {
		if got := run(t, c.tail, stream, c.line, c.metadata...); got != c.want {
			t.Errorf("%s on %s\ngot  %s\nwant %s", c.tail, c.line, got, c.want)
		}
	}
}

// TestDeepJSON holds that nesting costs neither the stack nor quadratic time.
func TestDeepJSON(t *testing.T) {
	deep := strings.Repeat(`{"a":`, 200_000)
	if got := run(t, `| json`, appX, deep+`1`+strings.Repeat(`}`, 200_000)); got != `{}` {
		t.Errorf("deep object gave %.100s", got)
	}
	for _, line := range []string{deep, `{"a":"` + strings.Repeat(`\\`, 400_000), strings.Repeat(`{"a":[`, 100_000)} {
		for _, tail := range []string{`| json`, `| json x="a.a.a"`, `| unpack`, `| logfmt`} {
			run(t, tail, appX, line)
		}
	}
}
