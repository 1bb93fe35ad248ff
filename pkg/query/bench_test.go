package query_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/stretchr/testify/require"

	"github.com/cambium-logs/cambium/pkg/query"
	"github.com/cambium-logs/cambium/pkg/storage/chunk"
	"github.com/cambium-logs/cambium/pkg/storage/storagetest"
)

// benchLines are the lines of the real logs, repeated to at least size bytes, by file name.
func benchLines(b *testing.B, size int) map[string][][]byte {
	b.Helper()
	files, err := filepath.Glob(filepath.Join(sharedDir(b), "logs", "*.log"))
	require.NoError(b, err)
	if len(files) == 0 {
		b.Skip("no logs beside the conformance corpus")
	}
	out := map[string][][]byte{}
	total := 0
	for total < size {
		for _, f := range files {
			data, err := os.ReadFile(f)
			require.NoError(b, err)
			name := strings.TrimSuffix(filepath.Base(f), ".log")
			for line := range bytes.Lines(data) {
				line = bytes.TrimRight(line, "\r\n")
				out[name] = append(out[name], line)
				total += len(line)
			}
		}
	}
	return out
}

const (
	benchBytes = 64 << 20
	benchSpan  = int64(6 * time.Hour)
)

func benchStore(lines map[string][][]byte, encoding chunk.Encoding) (*storagetest.Memory, int64) {
	m := &storagetest.Memory{ChunkRows: 8192, Encoding: encoding}
	var size int64
	for name, list := range lines {
		ls := labels.FromStrings("app", name)
		for i, line := range list {
			m.Add(ls, chunk.Entry{Timestamp: int64(i) * benchSpan / int64(len(list)), Line: line})
			size += int64(len(line))
		}
	}
	m.Cut()
	return m, size
}

// BenchmarkQueries runs whole queries over the real logs, in memory. The floor is bytes.Index over the raw lines: x/floor is how many times longer a
// query takes.
func BenchmarkQueries(b *testing.B) {
	lines := benchLines(b, benchBytes)
	needle := []byte("blk_-1608999687919862906 terminating xyz")
	var raw []byte
	for _, list := range lines {
		for _, l := range list {
			raw = append(append(raw, l...), '\n')
		}
	}
	floor := time.Duration(1 << 62)
	for range 3 {
		started := time.Now()
		for rest := raw; ; {
			at := bytes.Index(rest, needle)
			if at < 0 {
				break
			}
			rest = rest[at+1:]
		}
		floor = min(floor, time.Since(started))
	}
	for _, encoding := range []chunk.Encoding{chunk.EncodingHead, chunk.EncodingPlain, chunk.EncodingColumnar} {
		store, size := benchStore(lines, encoding)
		for _, workers := range []int{1, 2} {
			engine := query.New(query.Options{Source: store, Workers: workers})
			for _, q := range []struct{ name, expr string }{
				{"newest", `{app=~".+"}`},
				{"needle", `{app=~".+"} |= "blk_-1608999687919862906 terminating xyz"`},
				{"common", `{app=~".+"} |= "error"`},
				{"regex", `{app=~".+"} |~ "fail(ed|ure) .* for"`},
				{"count", `sum by (app) (count_over_time({app=~".+"}[1m]))`},
				{"count_filter", `sum by (app) (count_over_time({app=~".+"} |= "error" [1m]))`},
				{"rate_logfmt", `sum by (level) (rate({app=~".+"} | logfmt [5m]))`},
				{"bytes", `sum(bytes_over_time({app=~".+"}[1m]))`},
			} {
				b.Run(fmt.Sprintf("%s/%s/workers=%d", q.name, encoding, workers), func(b *testing.B) {
					p := query.Params{Expr: q.expr, End: benchSpan, Step: int64(time.Minute), Limit: 1000}
					b.SetBytes(size)
					b.ReportAllocs()
					for b.Loop() {
						if _, err := engine.Query(context.Background(), p); err != nil {
							b.Fatal(err)
						}
					}
					b.ReportMetric(float64(b.Elapsed())/float64(b.N)/float64(floor), "x/floor")
				})
			}
		}
	}
}
