package pipeline_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/cambium-logs/cambium/pkg/logql"
	"github.com/cambium-logs/cambium/pkg/logql/pipeline"
)

// stages parses what stands behind the selector of a log query.
func stages(t testing.TB, tail string) []logql.Stage {
	t.Helper()
	expr, err := logql.Parse(`{app="x"} `+tail, logql.ParseOptions{})
	if err != nil {
		t.Fatalf("%s: %v", tail, err)
	}
	return expr.(*logql.LogExpr).Stages
}

func compile(t testing.TB, tail string) *pipeline.Pipeline {
	t.Helper()
	p, err := pipeline.Compile(stages(t, tail), pipeline.Options{})
	if err != nil {
		t.Fatalf("%s: %v", tail, err)
	}
	return p
}

// sampler compiles a query that is a range aggregation or a vector aggregation of one.
func sampler(t testing.TB, query string) *pipeline.Sampler {
	t.Helper()
	expr, err := logql.Parse(query, logql.ParseOptions{})
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	outer, _ := expr.(*logql.VectorAggregation)
	if outer != nil {
		expr = outer.Expr
	}
	agg := expr.(*logql.RangeAggregation)
	s, err := pipeline.CompileSamples(agg, pipeline.NeededBy(outer, agg))
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return s
}

// run passes a line with metadata through stages and describes the outcome: "-" when it is dropped, else the line if it changed,
// and the labels that are not the stream's.
func run(t testing.TB, tail string, stream labels.Labels, line string, metadata ...labels.Label) string {
	t.Helper()
	out, res, keep := compile(t, tail).ForStream(stream).Process(1, []byte(line), metadata)
	if !keep {
		return "-"
	}
	var parts []string
	if string(out) != line {
		parts = append(parts, string(out))
	}
	if labels.Compare(res.Stream, stream) != 0 {
		parts = append(parts, "stream"+res.Stream.String())
	}
	if len(metadata) > 0 && res.Metadata.Len() > 0 {
		parts = append(parts, "meta"+res.Metadata.String())
	}
	parts = append(parts, res.Parsed.String())
	return strings.Join(parts, " ")
}

// benchLines returns the lines of a real log, or generated ones when the logs are not there.
func benchLines(b testing.TB, kind string) [][]byte {
	var lines [][]byte
	switch kind {
	case "json":
		for i := range 2000 {
			lines = append(lines, fmt.Appendf(nil, `{"level":"info","ts":"2026-11-01T00:00:%02d.%06dZ","caller":"http/server.go:%d","msg":"request served","method":"GET","path":"/api/v1/orders/%d","status":%d,"duration_ms":%d.%d,"user":{"id":%d,"name":"alice"},"bytes":%d}`,
				i%60, i, i%900, i*7919, 200+i%5*75, i%900, i%10, i%997, i*31))
		}
	case "logfmt":
		for i := range 2000 {
			lines = append(lines, fmt.Appendf(nil, `ts=2026-11-01T00:00:%02d.%06dZ level=info caller=http/server.go:%d msg="request served" method=GET path=/api/v1/orders/%d status=%d duration=%dms user=alice bytes=%d`,
				i%60, i, i%900, i*7919, 200+i%5*75, i%900, i*31))
		}
	default:
		files, _ := filepath.Glob(filepath.Join(os.Getenv("CAMBIUM_SHARED"), "logs", "*.log"))
		if os.Getenv("CAMBIUM_SHARED") == "" {
			files, _ = filepath.Glob(filepath.Join("..", "..", "..", "..", "shared", "logs", "*.log"))
		}
		for _, f := range files {
			text, err := os.ReadFile(f)
			if err != nil {
				b.Fatal(err)
			}
			for _, l := range strings.Split(string(text), "\n") {
				lines = append(lines, []byte(strings.TrimSuffix(l, "\r")))
			}
		}
		if lines == nil {
			for i := range 20000 {
				lines = append(lines, fmt.Appendf(nil, "Dec 10 06:55:%02d host sshd[%d]: Failed password for user%d from 10.0.%d.%d port %d ssh2", i%60, i, i%97, i%256, i%251, 1024+i))
			}
		}
	}
	return lines
}
