package logql_test

import (
	"testing"
	"time"

	"github.com/cambium-logs/cambium/pkg/logql"
	"github.com/cambium-logs/cambium/pkg/logql/logqltest"
)

// Each pair is a query and its canonical text.
func checkCanonical(t *testing.T, opts logql.ParseOptions, pairs [][2]string) {
	t.Helper()
	for _, c := range pairs {
		e, err := logql.Parse(c[0], opts)
		if err != nil {
			t.Errorf("%s\n%s", c[0], err)
			continue
		}
		if got := e.String(); got != c[1] {
			t.Errorf("%s\n got %s\nwant %s", c[0], got, c[1])
		}
		back, err := logql.Parse(e.String(), opts)
		if err != nil || !logqltest.Equal(e, back) {
			t.Errorf("%s does not parse back: %v", e, err)
		}
	}
}

func TestCanonicalText(t *testing.T) {
	checkCanonical(t, logql.ParseOptions{}, [][2]string{
		{`{a="b",c="d"}`, `{a="b", c="d"}`},
		{`({a="b"} |= "x")`, `{a="b"} |= "x"`},
		{`{a="b"}|json|x="1"`, `{a="b"} | json | x="1"`},
		{`{a="b"} | x=1 | x>1.5e3 | x<=-2`, `{a="b"} | x==1 | x>1500 | x<=-2`},
		{`{a="b"} | x>1h30m | x>1d | x>-5m`, `{a="b"} | x>1h30m0s | x>24h0m0s | x>-5m0s`},
		{`{a="b"} | x>1KB | x<5PB | x=1.5GB | x>1KiB`, `{a="b"} | x>1.0kB | x<5.0PB | x==1.5GB | x>1024B`},
		{`{a="b"} | json a, b="c"`, `{a="b"} | json a="a",b="c"`},
		{`{a="b"} != "a" or "b"`, `{a="b"} != "a" != "b"`},
		{`{a="b"} |= "a" or ip("10.0.0.1") | json`, `{a="b"} |= "a" or ip("10.0.0.1") | json`},
		{`{a="b"} |~ ` + "`\\d+`", `{a="b"} |~ "\\d+"`},
		{`{a="A\u00e9\x41\101"}`, `{a="AéAA"}`},
		{"{a=\"b\"} # comment\n| json // more\n/* and\nmore */ | x=\"#\"", `{a="b"} | json | x="#"`},
		{`{sum="a", rate="b", duration="c", ip="d", é="e"}`, `{sum="a", rate="b", duration="c", ip="d", é="e"}`},
		{`{a="b"} | duration > 5s | bytes > 5KB | sum="x" | ip="1.2.3.4" | ip=ip("::1")`,
			`{a="b"} | duration>5s | bytes>5.0kB | sum="x" | ip="1.2.3.4" | ip=ip("::1")`},
		{`SUM BY (x) (RATE({a="b"} | JSON | x="1" AND y="2" [5m]))`, `sum by (x)(rate({a="b"} | json | ( x="1" , y="2" )[5m]))`},
		{`sum(rate({a="b"}[5m])) by (x,y)`, `sum by (x,y)(rate({a="b"}[5m]))`},
		{`sum by () (rate({a="b"}[5m]))`, `sum(rate({a="b"}[5m]))`},
		{`avg_over_time({a="b"} | unwrap x [5m]) by (y)`, `avg_over_time({a="b"} | unwrap x[5m]) by (y)`},
		{`sum_over_time({a="b"}[5m] | json | unwrap x)`, `sum_over_time({a="b"} | json | unwrap x[5m])`},
		{`sum_over_time(({a="b"} | json | unwrap bytes(x) | y="z")[5m] offset -1h)`,
			`sum_over_time({a="b"} | json | unwrap bytes(x) | y="z"[5m] offset -1h0m0s)`},
		{`rate((((({a="b"}))[5m])))`, `rate({a="b"}[5m])`},
		{`rate({a="b"}[5m] offset 1h |= "x")`, `rate({a="b"} |= "x"[5m] offset 1h0m0s)`},
		{`rate({a="b"}[1y2w3d4h5m6s7ms])`, `rate({a="b"}[382d4h5m6s7ms])`},
		{`rate({a="b"}[0])`, `rate({a="b"}[0s])`},
		{`rate({a="b"}[5m]) > bool 1`, `(rate({a="b"}[5m]) > bool 1)`},
		{`vector(1)`, `vector(1.000000)`},
		{`vector(1e-9)`, `vector(1e-09)`},
		{`vector(1) + on(x) group_left() (vector(2) + vector(3))`, `(vector(1.000000) + on (x) group_left () (vector(2.000000) + vector(3.000000)))`},
		{`1 / 0`, `(0 / 0)`}, {`7 % 0`, `(0 / 0)`},
		{`2^3^2`, `512`}, {`-2^2`, `4`}, {`1+1*3`, `4`}, {`1 > 2`, `0`}, {`1 == bool 1`, `1`}, {`.5`, `0.5`}, {`1_0`, `10`}, {`0x1p3`, `8`},
		{`vector(1) -2 -3`, `((vector(1.000000) - 2) - 3)`},
		{`vector(1) - -2`, `(vector(1.000000) - -2)`},
		{`vector(1) or vector(2) and vector(3)`, `(vector(1.000000) or (vector(2.000000) and vector(3.000000)))`},
		{`vector(1) and on(x) group_left vector(2)`, `(vector(1.000000) and on (x) group_left vector(2.000000))`},
	})
}

// What follows a comma or a blank is grouped first; "and" binds closer than "or".
func TestLabelFilterPrecedence(t *testing.T) {
	checkCanonical(t, logql.ParseOptions{}, [][2]string{
		{`{a="b"} | x="" and y="" or z=""`, `{a="b"} | ( ( x="" , y="" ) or z="" )`},
		{`{a="b"} | x="" or y="" and z=""`, `{a="b"} | ( x="" or ( y="" , z="" ) )`},
		{`{a="b"} | x="" , y="" or z=""`, `{a="b"} | ( x="" , ( y="" or z="" ) )`},
		{`{a="b"} | x="" y="" or z=""`, `{a="b"} | ( x="" , ( y="" or z="" ) )`},
		{`{a="b"} | x="" or y="" , z=""`, `{a="b"} | ( x="" or ( y="" , z="" ) )`},
		{`{a="b"} | x="" or y="" z=""`, `{a="b"} | ( x="" or ( y="" , z="" ) )`},
		{`{a="b"} | (x="" or y="") z=""`, `{a="b"} | ( ( x="" or y="" ) , z="" )`},
		{`{a="b"} | x="" and y="" , z="" or w=""`, `{a="b"} | ( x="" , ( y="" , ( z="" or w="" ) ) )`},
		{`{a="b"} | x="" or y="" or z=""`, `{a="b"} | ( ( x="" or y="" ) or z="" )`},
	})
}

func TestExtensions(t *testing.T) {
	checkCanonical(t, logql.ParseOptions{Extensions: true}, [][2]string{
		{`abs(rate({a="b"}[5m]))`, `abs(rate({a="b"}[5m]))`},
		{`histogram_quantile(0.9, sum by (le) (rate({a="b"}[5m])))`, `histogram_quantile(0.9,sum by (le)(rate({a="b"}[5m])))`},
		{`clamp_min(vector(1), -5)`, `clamp_min(vector(1.000000),-5)`},
		{`rate({a="b"}[5m]) > time() - 5`, `(rate({a="b"}[5m]) > (time() - 5))`},
		{`vector(time())`, `vector(time())`},
		{`quantile by (x) (0.5, rate({a="b"}[5m]))`, `quantile by (x)(0.5,rate({a="b"}[5m]))`},
		{`count_values("v", vector(1)) without (y)`, `count_values without (y)("v",vector(1.000000))`},
		{`group(vector(1))`, `group(vector(1.000000))`},
		{`rate({a="b"}[5m] @ 1609746000)`, `rate({a="b"}[5m] @ 1609746000.000)`},
		{`rate({a="b"}[5m] @ end() offset 1m)`, `rate({a="b"}[5m] offset 1m0s @ end())`},
		{`max_over_time(rate({a="b"}[5m])[1h:1m])`, `max_over_time(rate({a="b"}[5m])[1h:1m])`},
		{`quantile_over_time(0.9, (rate({a="b"}[5m]) + 1)[1h:] offset 5m @ start())`,
			`quantile_over_time(0.9,(rate({a="b"}[5m]) + 1)[1h:] offset 5m0s @ start())`},
		{`-rate({a="b"}[5m])^2`, `(-1 * (rate({a="b"}[5m]) ^ 2))`},
		{`rate({a="b"}[5m]) atan2 1`, `(rate({a="b"}[5m]) atan2 1)`},
		{`label_join(vector(1), "d", ",", "a", "b")`, `label_join(vector(1.000000),"d",",","a","b")`},
		{`increase(sum(count_over_time({a="b"}[1m]))[5m:1m])`, `increase(sum(count_over_time({a="b"}[1m]))[5m:1m])`},
		{`round(vector(1))`, `round(vector(1.000000))`},
	})
}

func TestExtensionErrors(t *testing.T) {
	for _, c := range [][2]string{
		{`abs(1)`, "argument 1 of abs must be a vector, got a scalar"},
		{`clamp(vector(1), 1)`, "clamp expects 3 arguments, got 2"},
		{`round(vector(1), 1, 1)`, "round expects 1 to 2 arguments, got 3"},
		{`rate({a="b"}[5m])[1h:1m]`, "a subquery is not a query of its own"},
		{`bytes_rate(vector(1)[1h:1m])`, "bytes_rate does not work on subqueries"},
		{`time() or vector(1)`, "operator or cannot work on a scalar"},
		{`sum(vector(1)[1h:1m])`, "sum expects a vector, got a subquery"},
		{`abs(rate({a=""}[5m]))`, emptyMatchers},
		{`max_over_time(vector(1)[1h:0s])`, "the step of a subquery must be greater than 0"},
	} {
		_, err := logql.Parse(c[0], logql.ParseOptions{Extensions: true})
		pe, ok := err.(*logql.ParseError)
		if !ok || pe.Msg != c[1] {
			t.Errorf("%s\n got %v\nwant %s", c[0], err, c[1])
		}
	}
}

func TestReachOf(t *testing.T) {
	for _, c := range []struct {
		text          string
		back, forward time.Duration
	}{
		{`rate({a="b"}[5m])`, 5 * time.Minute, 0},
		{`rate({a="b"}[5m] offset 1h) / rate({a="b"}[10m])`, 65 * time.Minute, 0},
		{`rate({a="b"}[5m] offset -1h)`, -55 * time.Minute, time.Hour},
		{`max_over_time(rate({a="b"}[5m])[1h:1m] offset 1m)`, 66 * time.Minute, -time.Minute},
	} {
		e, err := logql.Parse(c.text, logql.ParseOptions{Extensions: true})
		if err != nil {
			t.Fatal(err)
		}
		r, ok := logql.ReachOf(e)
		if !ok || r.Back != c.back || r.Forward != c.forward {
			t.Errorf("%s: %v", c.text, r)
		}
	}
	if _, ok := logql.ReachOf(&logql.Literal{}); ok {
		t.Error("a literal reads nothing")
	}
}
