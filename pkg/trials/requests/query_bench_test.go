package requests

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/cambium-logs/cambium/pkg/engine"
	"github.com/cambium-logs/cambium/pkg/query"
	"github.com/cambium-logs/cambium/pkg/storage/bucket"
	"github.com/cambium-logs/cambium/pkg/storage/wal"
	"github.com/cambium-logs/cambium/pkg/trials/s3server"
)

var queries = []struct{ name, expr string }{
	{"stream", `{app="3"}`},
	{"needle", `{app=~".+"} |= "no such text"`},
	{"parse", `{app=~"1|2"} | logfmt | status >= 500`},
	{"count", `sum by (app) (count_over_time({app=~".+"} |= "items/9" [1m]))`},
}

// BenchmarkQuery queries 320,000 lines (37 MB) in 16 segments, each time with an engine that has just started: in a directory; on a real S3
// server with nothing on the disk (cold), with what earlier queries have left there (warm), and with the same engine again (open).
func BenchmarkQuery(b *testing.B) {
	server := s3server.Start(b)
	far, near := bucket.Options{Config: server.Bucket(b)}, bucket.Options{Dir: b.TempDir()}
	until := time.Now().Truncate(time.Hour)
	for _, o := range []bucket.Options{far, near} {
		e, done := open(b, o, "")
		for i := range 16 {
			require.NoError(b, e.Append(b.Context(), tenant, lines(20, 1000, until.Add(time.Duration(i-16)*time.Minute))))
			require.NoError(b, e.Flush(b.Context()))
		}
		done()
	}
	for _, q := range queries {
		p := query.Params{Tenant: tenant, Expr: q.expr, Start: until.Add(-time.Hour).UnixNano(), End: until.UnixNano(), Step: int64(time.Minute), Limit: 1000}
		run := func(e *engine.Engine) {
			_, err := query.New(query.Options{Source: e, CacheBytes: -1}).Query(b.Context(), p)
			require.NoError(b, err)
		}
		b.Run(q.name+"/directory", func(b *testing.B) {
			for b.Loop() {
				b.StopTimer()
				e, done := open(b, near, "")
				b.StartTimer()
				run(e)
				b.StopTimer()
				done()
				b.StartTimer()
			}
		})
		for _, state := range []string{"cold", "warm"} {
			b.Run(q.name+"/s3-"+state, func(b *testing.B) {
				cache := filepath.Join(b.TempDir(), "cache")
				for b.Loop() {
					b.StopTimer()
					if state == "cold" {
						require.NoError(b, os.RemoveAll(cache))
					}
					e, done := open(b, far, cache)
					b.StartTimer()
					run(e)
					b.StopTimer()
					done()
					b.StartTimer()
				}
			})
		}
		b.Run(q.name+"/s3-open", func(b *testing.B) {
			e, done := open(b, far, filepath.Join(b.TempDir(), "cache"))
			defer done()
			run(e)
			for b.Loop() {
				run(e)
			}
		})
	}
}

// open opens an engine on a bucket, with the disk cache when there is a directory for it.
func open(b *testing.B, o bucket.Options, cache string) (*engine.Engine, func()) {
	o.Registerer = prometheus.NewRegistry()
	opened, err := bucket.Open(o)
	require.NoError(b, err)
	with := opened
	if cache != "" {
		with, err = opened.Cached(bucket.CacheOptions{Dir: cache, MaxBytes: 1 << 30}, o.Registerer)
		require.NoError(b, err)
	}
	dir, err := os.MkdirTemp("", "cambium-bench-*")
	require.NoError(b, err)
	e, err := engine.Open(context.Background(), engine.Options{DataDir: dir, Bucket: with, WALSync: wal.SyncNone})
	require.NoError(b, err)
	return e, func() {
		requests(b, o.Registerer.(*prometheus.Registry))
		for _, err := range []error{e.Close(context.Background()), opened.Close(), os.RemoveAll(dir)} {
			if err != nil {
				b.Error(fmt.Errorf("close: %w", err))
			}
		}
	}
}

// requests adds what an engine asked of its bucket to the result; the last one counts.
func requests(b *testing.B, reg *prometheus.Registry) {
	families, err := reg.Gather()
	require.NoError(b, err)
	for _, f := range families {
		if f.GetName() != "cambium_objstore_bucket_operations_total" {
			continue
		}
		var n float64
		for _, m := range f.GetMetric() {
			n += m.GetCounter().GetValue()
		}
		b.ReportMetric(n, "requests")
	}
}
