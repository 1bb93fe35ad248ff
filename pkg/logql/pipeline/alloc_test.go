package pipeline_test

import (
	"testing"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/cambium-logs/cambium/internal/race"
)

var allocMetadata = []labels.Label{{Name: "trace_id", Value: "abc"}, {Name: "user", Value: "bob"}}

// TestProcessDoesNotAllocate holds that lines pass through the stages of common queries without allocating, once a stream's
// names and results are known.
func TestProcessDoesNotAllocate(t *testing.T) {
	if race.Detector {
		t.Skip("the race detector makes pools forget what is put back; the test runs without it too")
	}
	const (
		jsonLine   = `{"level":"info","msg":"say \"hi\"","status":503,"user":{"id":7,"name":"al"},"took":"1.5s","size":"10KB","addr":"10.0.0.7"}`
		logfmtLine = `level=info msg="say \"hi\"" status=503 user=al took=1.5s size=10KB addr=10.0.0.7`
	)
	for _, c := range []struct{ tail, line string }{
		{``, jsonLine},
		{`|= "status"`, jsonLine},
		{`|= "nothing"`, jsonLine},
		{`|= "nothing" or "status" != "x"`, jsonLine},
		{`|~ "(?i)STATUS"`, jsonLine},
		{`|~ "error|fatal|panic|status"`, jsonLine},
		{`|~ "stat[us]+.:[0-9]+"`, jsonLine},
		{`|= ip("10.0.0.0/8")`, jsonLine},
		{`|> "<_>msg<_>status<_>"`, jsonLine},
		{`| json`, jsonLine},
		{`| json | status >= 500 | level="info"`, jsonLine},
		{`| json st="status", id="user.id" | st = 503`, jsonLine},
		{`| logfmt`, logfmtLine},
		{`| logfmt --strict | status >= 500 and took > 1s`, logfmtLine},
		{`| logfmt st="status", m="msg"`, logfmtLine},
		{`| logfmt | size > 1KB | addr = ip("10.0.0.0/8") | msg =~ "say.*"`, logfmtLine},
		{`| pattern "level=<level> <_> status=<status> <_>" | level="info"`, logfmtLine},
		{`| trace_id="abc" | drop user | keep trace_id, app`, logfmtLine},
		{`| label_format who=user, app=trace_id`, logfmtLine},
	} {
		p := compile(t, c.tail).ForStream(labels.FromStrings("app", "x", "env", "prod"))
		line := []byte(c.line)
		if n := testing.AllocsPerRun(100, func() { p.Process(1, line, allocMetadata) }); n != 0 {
			t.Errorf("%s: %v allocations per line", c.tail, n)
		}
	}
	for _, c := range []struct{ query, line string }{
		{`count_over_time({a="b"} |= "status" [5m])`, jsonLine},
		{`bytes_over_time({a="b"}[5m])`, jsonLine},
		{`sum(count_over_time({a="b"} | json [5m]))`, jsonLine},
		{`sum by (level) (count_over_time({a="b"} | json | status >= 500 [5m]))`, jsonLine},
		{`sum by (level) (count_over_time({a="b"} | logfmt | status >= 500 [5m]))`, logfmtLine},
		{`sum by (app) (rate({a="b"} | logfmt | unwrap duration(took) [5m]))`, logfmtLine},
		{`max_over_time({a="b"} | json | unwrap bytes(size) | level="info" [5m]) by (app, status)`, jsonLine},
		{`max_over_time({a="b"} | logfmt | unwrap status [5m]) without (msg, user)`, logfmtLine},
		{`count_over_time({a="b"} | json [5m])`, jsonLine},
	} {
		s := sampler(t, c.query).ForStream(labels.FromStrings("app", "x", "env", "prod"))
		line := []byte(c.line)
		if n := testing.AllocsPerRun(100, func() {
			if _, res, keep := s.Process(1, line, allocMetadata); !keep || res.Error() != nil {
				t.Fatalf("%s: no sample", c.query)
			}
		}); n != 0 {
			t.Errorf("%s: %v allocations per line", c.query, n)
		}
	}
}
