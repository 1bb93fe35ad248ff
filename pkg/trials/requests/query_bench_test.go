package requests

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
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

// states are where the segments are, and what the process has of them.
var states = []struct {
	name        string
	far         bool // on the S3 server
	cached      bool // with the disk cache
	warm, again bool // what it reads is in the cache; the process has asked before
}{
	{name: "directory"},
	{name: "directory, open", again: true},
	{name: "S3, no cache", far: true},
	{name: "S3, cold", far: true, cached: true},
	{name: "S3, warm", far: true, cached: true, warm: true},
	{name: "S3, open", far: true, cached: true, warm: true, again: true},
}

// BenchmarkQuery queries 320,000 lines (37 MB) in 16 segments with an engine that has just started, and one that has answered the same before: in
// a directory; on a real S3 server without the cache on the disk, with an empty one, and with what earlier queries have left in it.
func BenchmarkQuery(b *testing.B) {
	server := s3server.Start(b)
	far, near := bucket.Options{Config: server.Bucket(b)}, bucket.Options{Dir: b.TempDir()}
	until := time.Now().Truncate(time.Hour)
	for _, o := range []bucket.Options{far, near} {
		e := open(b, o, "")
		for i := range 16 {
			require.NoError(b, e.Append(b.Context(), tenant, lines(20, 1000, until.Add(time.Duration(i-16)*time.Minute))))
			require.NoError(b, e.Flush(b.Context()))
		}
		e.close()
	}
	var table strings.Builder
	table.WriteString("| query |")
	for _, s := range states {
		fmt.Fprintf(&table, " %s |", s.name)
	}
	table.WriteString("\n| --- |" + strings.Repeat(" ---: |", len(states)) + "\n")
	for _, q := range queries {
		fmt.Fprintf(&table, "| `%s` |", strings.ReplaceAll(q.expr, "|", "\\|"))
		p := query.Params{Tenant: tenant, Expr: q.expr, Start: until.Add(-time.Hour).UnixNano(), End: until.UnixNano(), Step: int64(time.Minute), Limit: 1000}
		for _, s := range states {
			where := near
			if s.far {
				where = far
			}
			b.Run(q.name+"/"+s.name, func(b *testing.B) {
				dir := ""
				if s.cached {
					dir = filepath.Join(b.TempDir(), "cache")
				}
				took, requests := ask(b, p, where, dir, s.warm, s.again)
				fmt.Fprintf(&table, " %.1f ms, %.0f |", took.Seconds()*1e3, requests)
			})
		}
		table.WriteString("\n")
	}
	if outDir != "" && !b.Failed() {
		require.NoError(b, os.WriteFile(filepath.Join(outDir, "s3.md"), []byte(table.String()), 0o600))
	}
}

// ask measures a query, and gives the time and the number of requests that it took.
func ask(b *testing.B, p query.Params, where bucket.Options, cache string, warm, again bool) (time.Duration, float64) {
	run := func(e *opened) float64 {
		before := e.requests()
		_, err := query.New(query.Options{Source: e, CacheBytes: -1}).Query(b.Context(), p)
		require.NoError(b, err)
		return e.requests() - before
	}
	if warm {
		e := open(b, where, cache)
		run(e)
		e.close()
	}
	var requests float64
	if again {
		e := open(b, where, cache)
		defer e.close()
		run(e)
		for b.Loop() {
			requests = run(e)
		}
	} else {
		for b.Loop() {
			b.StopTimer()
			if !warm && cache != "" {
				require.NoError(b, os.RemoveAll(cache))
			}
			e := open(b, where, cache)
			b.StartTimer()
			requests = run(e)
			b.StopTimer()
			e.close()
			b.StartTimer()
		}
	}
	b.ReportMetric(requests, "requests")
	return b.Elapsed() / time.Duration(b.N), requests
}

// opened is an engine on a bucket whose requests are counted.
type opened struct {
	*engine.Engine
	b        *testing.B
	registry *prometheus.Registry
	bucket   *bucket.Bucket
	dir      string
}

// open opens an engine on a bucket, with the disk cache when there is a directory for it.
func open(b *testing.B, o bucket.Options, cache string) *opened {
	e := &opened{b: b, registry: prometheus.NewRegistry()}
	o.Registerer = e.registry
	var err error
	e.bucket, err = bucket.Open(o)
	require.NoError(b, err)
	with := e.bucket
	if cache != "" {
		with, err = e.bucket.Cached(bucket.CacheOptions{Dir: cache, MaxBytes: 1 << 30}, o.Registerer)
		require.NoError(b, err)
	}
	e.dir, err = os.MkdirTemp("", "cambium-bench-*")
	require.NoError(b, err)
	e.Engine, err = engine.Open(context.Background(), engine.Options{DataDir: e.dir, Bucket: with, WALSync: wal.SyncNone})
	require.NoError(b, err)
	return e
}

func (e *opened) close() {
	if err := errors.Join(e.Close(context.Background()), e.bucket.Close(), os.RemoveAll(e.dir)); err != nil {
		e.b.Error(fmt.Errorf("close: %w", err))
	}
}

// requests counts what was asked of the bucket so far.
func (e *opened) requests() float64 {
	families, err := e.registry.Gather()
	require.NoError(e.b, err)
	n := 0.0
	for _, f := range families {
		if f.GetName() == "cambium_objstore_bucket_operations_total" {
			for _, m := range f.GetMetric() {
				n += m.GetCounter().GetValue()
			}
		}
	}
	return n
}
