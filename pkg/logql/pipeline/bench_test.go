package pipeline_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
)

// floorOf measures a pass of f over all lines, in nanoseconds.
func floorOf(lines [][]byte, f func(line []byte) bool) float64 {
	best := time.Duration(1 << 62)
	n := 0
	for range 5 {
		start := time.Now()
		for _, l := range lines {
			if f(l) {
				n++
			}
		}
		best = min(best, time.Since(start))
	}
	if n < 0 {
		panic("unreachable")
	}
	return float64(best)
}

func benchPipeline(b *testing.B, tail string, lines [][]byte, floor func([]byte) bool) {
	floorNanos := floorOf(lines, floor)
	p := compile(b, tail).ForStream(labels.FromStrings("app", "x"))
	size := 0
	for _, l := range lines {
		size += len(l)
	}
	b.SetBytes(int64(size))
	b.ReportAllocs()
	for b.Loop() {
		for _, l := range lines {
			p.Process(1, l, nil)
		}
	}
	b.ReportMetric(float64(b.Elapsed())/float64(b.N)/floorNanos, "x/floor")
}

func benchSampler(b *testing.B, query string, lines [][]byte, floor func([]byte) bool) {
	floorNanos := floorOf(lines, floor)
	p := sampler(b, query).ForStream(labels.FromStrings("app", "x"))
	size := 0
	for _, l := range lines {
		size += len(l)
	}
	b.SetBytes(int64(size))
	b.ReportAllocs()
	for b.Loop() {
		for _, l := range lines {
			p.Process(1, l, nil)
		}
	}
	b.ReportMetric(float64(b.Elapsed())/float64(b.N)/floorNanos, "x/floor")
}

// index is the floor of line filters.
func index(needle string) func([]byte) bool {
	n := []byte(needle)
	return func(l []byte) bool { return bytes.Contains(l, n) }
}

// jsonScan is the floor of json: looking at every quote.
func jsonScan(l []byte) bool {
	for i := 0; i < len(l); {
		n := bytes.IndexByte(l[i:], '"')
		if n < 0 {
			break
		}
		i += n + 1
	}
	return true
}

// logfmtScan is the floor of logfmt: looking at every byte for a separator.
func logfmtScan(l []byte) bool {
	n := 0
	for _, c := range l {
		if c <= ' ' || c == '=' || c == '"' {
			n++
		}
	}
	return n > 0
}

func BenchmarkLineFilter(b *testing.B) {
	logs := benchLines(b, "logs")
	for _, c := range []struct{ name, tail string }{
		{"none", ``},
		{"contains", `|= "Failed password"`},
		{"notContains", `!= "Failed password"`},
		{"or", `|= "Failed password" or "INFO dfs" or "no such text"`},
		{"regexLiteral", `|~ "Failed password"`},
		{"regexFold", `|~ "(?i)failed PASSWORD"`},
		{"regexAlternation", `|~ "Failed password|PacketResponder|jk2_init|no such text"`},
		{"regexFoldAlternation", `|~ "(?i)(error|fatal|panic)"`},
		{"regexPrefiltered", `|~ "Failed password for .* from [0-9.]+ port"`},
		{"regexFull", `|~ "[a-z]+[0-9]+: [A-Z]"`},
		{"ip", `|= ip("10.0.0.0/8")`},
		{"pattern", `|> "<_>Failed password for <_> from <_>"`},
	} {
		b.Run(c.name, func(b *testing.B) { benchPipeline(b, c.tail, logs, index("Failed password")) })
	}
}

func BenchmarkJSON(b *testing.B) {
	lines := benchLines(b, "json")
	for _, c := range []struct{ name, query string }{
		{"all", `count_over_time({a="b"} | json [5m])`},
		{"first", `sum by (level) (count_over_time({a="b"} | json [5m]))`},
		{"status", `sum by (status) (count_over_time({a="b"} | json [5m]))`},
		{"filter", `sum by (level) (count_over_time({a="b"} | json | status >= 500 [5m]))`},
		{"nested", `sum by (user_name) (count_over_time({a="b"} | json [5m]))`},
		{"expression", `sum by (st) (count_over_time({a="b"} | json st="status" [5m]))`},
		{"unwrap", `sum by (level) (sum_over_time({a="b"} | json | unwrap duration_ms [5m]))`},
	} {
		b.Run(c.name, func(b *testing.B) { benchSampler(b, c.query, lines, jsonScan) })
	}
}

func BenchmarkLogfmt(b *testing.B) {
	lines := benchLines(b, "logfmt")
	for _, c := range []struct{ name, query string }{
		{"all", `count_over_time({a="b"} | logfmt [5m])`},
		{"first", `sum by (level) (count_over_time({a="b"} | logfmt [5m]))`},
		{"status", `sum by (status) (count_over_time({a="b"} | logfmt [5m]))`},
		{"filter", `sum by (level) (count_over_time({a="b"} | logfmt | status >= 500 [5m]))`},
		{"expression", `sum by (st) (count_over_time({a="b"} | logfmt st="status" [5m]))`},
		{"unwrap", `sum by (level) (sum_over_time({a="b"} | logfmt | unwrap duration(duration) [5m]))`},
	} {
		b.Run(c.name, func(b *testing.B) { benchSampler(b, c.query, lines, logfmtScan) })
	}
}

func BenchmarkStages(b *testing.B) {
	lines := benchLines(b, "logfmt")
	for _, c := range []struct{ name, tail string }{
		{"pattern", `| pattern "ts=<_> level=<level> caller=<_> msg=\"<_>\" method=<method> <_>" | keep level, method`},
		{"regexp", `| regexp "level=(?P<level>\\w+) .* method=(?P<method>\\w+)"`},
		{"lineFormat", `| logfmt | line_format "{{.method}} {{.path}}" | keep level`},
		{"labelFormat", `| logfmt | label_format m=method, l="{{.level | upper}}" | keep m, l`},
		{"decolorize", `| decolorize`},
		{"keep", `| logfmt | keep level`},
	} {
		b.Run(c.name, func(b *testing.B) { benchPipeline(b, c.tail, lines, logfmtScan) })
	}
}
