package pipeline_test

import (
	"fmt"
	"testing"

	"github.com/prometheus/prometheus/model/labels"
)

// sample describes what a query makes of one line.
func sample(t *testing.T, query string, stream labels.Labels, line string, metadata ...labels.Label) string {
	t.Helper()
	v, res, keep := sampler(t, query).ForStream(stream).Process(1, []byte(line), metadata)
	switch {
	case !keep:
		return "-"
	case res.Error() != nil:
		return "error " + res.Merged.String()
	}
	return fmt.Sprintf("%v %s", v, res.Merged)
}

func TestSamples(t *testing.T) {
	for _, c := range []struct{ query, line, want string }{
		{`count_over_time({a="b"} | logfmt [5m])`, `n=1`, `1 {app="x", n="1"}`},
		{`bytes_over_time({a="b"}[5m])`, `12345`, `5 {app="x"}`},
		{`bytes_rate({a="b"} | line_format "{{.app}}" [5m])`, `12345`, `1 {app="x"}`},
		{`count_over_time({a="b"} | line_format "{{div 1 0}}" [5m])`, ``, `1 {app="x"}`},
		{`sum(count_over_time({a="b"} | json [5m]))`, `bad`, `1 {}`},
		{`sum by (app) (count_over_time({a="b"} | json [5m]))`, `bad`, `error {__error__="JSONParserErr", __error_details__="Value looks like object, but can't find closing '}' symbol", app="x"}`},
		{`sum by (__error__) (count_over_time({a="b"} | json [5m]))`, `bad`, `1 {__error__="JSONParserErr"}`},
		{`sum by (__error__) (count_over_time({a="b"} | logfmt | n>1 [5m]))`, `n=x`, `error {__error__="LabelFilterErr", __error_details__="strconv.ParseFloat: parsing \"x\": invalid syntax", app="x", n="x"}`},
		{`max(count_over_time({a="b"} | json [5m]))`, `bad`, `error {__error__="JSONParserErr", __error_details__="Value looks like object, but can't find closing '}' symbol", app="x"}`},
		{`sum(count_over_time({a="b"} | json | __error__="" [5m]))`, `bad`, `-`},
		{`sum by (n) (count_over_time({a="b"} | logfmt [5m]))`, `m=2 n=1`, `1 {n="1"}`},
		{`sum without (n) (count_over_time({a="b"} | logfmt [5m]))`, `m=2 n=1`, `1 {app="x", m="2", n="1"}`},
		{`sum by (who) (count_over_time({a="b"} | logfmt who="user" [5m]))`, `user=al`, `1 {who="al"}`},
		{`sum by (who) (count_over_time({a="b"} | logfmt who="user" [5m]))`, `x`, `1 {who=""}`},
		{`sum by (app_extracted) (count_over_time({a="b"} | json [5m]))`, `{"b":{"app":1},"app":"in"}`, `1 {app_extracted="in"}`},
		{`sum by (b_c) (count_over_time({a="b"} | json [5m]))`, `{"x":{"y":1},"b":{"a":2,"c":3}}`, `1 {b_c="3"}`},
		{`sum_over_time({a="b"} | logfmt | unwrap n [5m])`, `n=1.5 m=2`, `1.5 {app="x", m="2"}`},
		{`sum_over_time({a="b"} | logfmt | unwrap n [5m])`, `m=2`, `-`},
		{`sum_over_time({a="b"} | logfmt --keep-empty | unwrap n [5m])`, `n= m=2`, `-`},
		{`sum_over_time({a="b"} | logfmt | unwrap n [5m])`, `n=bad`, `error {__error__="SampleExtractionErr", __error_details__="strconv.ParseFloat: parsing \"bad\": invalid syntax", app="x", n="bad"}`},
		{`sum_over_time({a="b"} | logfmt | unwrap n | __error__="" [5m])`, `n=bad`, `-`},
		{`sum_over_time({a="b"} | logfmt | unwrap duration(n) [5m])`, `n=1m30s`, `90 {app="x"}`},
		{`sum_over_time({a="b"} | logfmt | unwrap duration_seconds(n) | m="2" | n>1s [5m])`, `n=1500ms m=2`, `1.5 {app="x", m="2"}`},
		{`sum_over_time({a="b"} | logfmt | unwrap bytes(n) [5m])`, `n="1.5 KiB"`, `1536 {app="x"}`},
		{`max_over_time({a="b"} | logfmt | unwrap n [5m]) by (n, app)`, `n=1 m=2`, `1 {app="x", n="1"}`},
		{`max_over_time({a="b"} | logfmt | unwrap n [5m]) by ()`, `n=1 m=2`, `1 {}`},
		{`max_over_time({a="b"} | logfmt | unwrap n [5m]) without (m)`, `n=1 m=2 o=3`, `1 {app="x", o="3"}`},
		{`sum by (m) (max_over_time({a="b"} | logfmt | unwrap n [5m]))`, `n=1 m=2 o=3`, `1 {app="x", m="2", o="3"}`},
		{`sum by (app) (count_over_time({a="b"} | json [5m]))`, `{"a":1,"b":{"c":tru}}`, `1 {app="x"}`},
		{`count_over_time({a="b"} | json | drop __error__ [5m])`, `{"a":1,"b":x}`, `1 {__error_details__="Unknown value type", a="1", app="x"}`},
		{`sum(count_over_time({a="b"} | unpack |= "in" [5m]))`, `{"_entry":"in"}`, `1 {}`},
	} {
		if got := sample(t, c.query, appX, c.line); got != c.want {
			t.Errorf("%s on %s\ngot  %s\nwant %s", c.query, c.line, got, c.want)
		}
	}
	custom := labels.Label{Name: "__error__", Value: "Custom"}
	if got := sample(t, `count_over_time({a="b"}[5m])`, appX, ``, custom); got != `error {__error__="Custom", app="x"}` {
		t.Errorf("error in metadata gave %s", got)
	}
	if got := sample(t, `sum by (k) (count_over_time({a="b"}[5m]))`, appX, ``, labels.Label{Name: "k", Value: "v"}); got != `1 {k="v"}` {
		t.Errorf("group by metadata gave %s", got)
	}
}

func TestErrorText(t *testing.T) {
	_, res, _ := sampler(t, `count_over_time({a="b"} | json x="a" [5m])`).ForStream(appX).Process(1, []byte("bad"), nil)
	want := "pipeline error: 'JSONParserErr' for series: '{__error__=\"JSONParserErr\", app=\"x\"}'.\n" +
		"Use a label filter to intentionally skip this error. (e.g | __error__!=\"JSONParserErr\").\n" +
		"To skip all potential errors you can match empty errors.(e.g __error__=\"\")\n" +
		"The label filter can also be specified after unwrap. (e.g | unwrap latency | __error__=\"\" )\n"
	if got := res.Error().Error(); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
