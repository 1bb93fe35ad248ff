package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/prometheus/model/labels"

	"github.com/cambium-logs/cambium/pkg/engine"
	"github.com/cambium-logs/cambium/pkg/query"
	"github.com/cambium-logs/cambium/pkg/storage/bucket"
	"github.com/cambium-logs/cambium/pkg/storage/chunk"
	"github.com/cambium-logs/cambium/pkg/storage/segment"
	"github.com/cambium-logs/cambium/pkg/storage/wal"
)

// segmentDays is over how many days the many segments are spread.
const segmentDays = 100

// measureSegments starts an engine on very many segments.
func measureSegments(ctx context.Context, o options) error {
	dir := o.path("bucket")
	end := time.Now().UTC().Truncate(24 * time.Hour) // of the last day with segments
	if err := writeSegments(dir, o.segments, end); err != nil {
		return err
	}
	reg := prometheus.NewRegistry()
	b, err := bucket.Open(bucket.Options{Dir: dir, Registerer: reg})
	if err != nil {
		return err
	}
	requests := func() float64 { return metric(reg, "cambium_objstore_bucket_operations_total") }
	runtime.GC()
	before := heap()
	var t table
	var e *engine.Engine
	took, err := timed(func() (err error) {
		e, err = engine.Open(ctx, engine.Options{DataDir: o.path("data"), Bucket: b, WALSync: wal.SyncNone})
		return err
	})
	if err != nil {
		return err
	}
	defer e.Close(ctx)
	t.row("start", millis(took), fmt.Sprintf("%.0f requests", requests()))
	total := took
	q := query.New(query.Options{Source: e, CacheBytes: -1})
	for _, ask := range []struct {
		what string
		back time.Duration
	}{{"first query, the last 15 minutes", 15 * time.Minute}, {"then the last 6 hours", 6 * time.Hour}, {"then a day", 24 * time.Hour}} {
		asked := requests()
		found := 0
		took, err := timed(func() error {
			r, err := q.Query(ctx, query.Params{Tenant: tenant, Expr: `{app="a"}`, Start: end.Add(-ask.back).UnixNano(), End: end.UnixNano(), Limit: 10_000})
			if err == nil {
				found = len(r.Entries)
			}
			return err
		})
		if err != nil {
			return err
		}
		t.row(ask.what, millis(took), fmt.Sprintf("%d lines, %.0f requests", found, requests()-asked))
		total += took
	}
	asked := requests()
	listed := 0
	if took, err = timed(func() error {
		snap, err := e.Catalog().Snapshot(ctx, tenant, end.Add(-segmentDays*24*time.Hour).UnixNano(), end.UnixNano())
		if err != nil {
			return err
		}
		listed = len(snap.Segments())
		snap.Close()
		return nil
	}); err != nil {
		return err
	}
	t.row(fmt.Sprintf("the names of all %d segments", listed), millis(took), fmt.Sprintf("%.0f requests", requests()-asked))
	t.row("all of this", seconds(total+took), wanted("seconds", total+took < 10*time.Second))
	runtime.GC()
	t.row("heap", mebibytes(heap()-before), mebibytes(resident("VmHWM"))+" resident at its highest, which making the segments took too")
	t.print(fmt.Sprintf("A bucket of %d segments, in a directory", o.segments))
	return nil
}

// writeSegments writes small segments, which follow each other over the days before end, into the directory of a bucket.
func writeSegments(dir string, n int, end time.Time) error {
	var encoder segment.Encoder
	var made bytes.Buffer
	span := segmentDays * 24 * time.Hour / time.Duration(n)
	for i := range n {
		at := end.Add(-span * time.Duration(i+1)).UnixNano()
		made.Reset()
		w, err := segment.NewWriter(&made, segment.WriterOptions{Tenant: tenant, Level: segment.LevelFlushed})
		if err != nil {
			return err
		}
		for _, app := range []string{"a", "b", "c"} {
			c, err := encoder.Encode(nil, []chunk.Entry{
				{Timestamp: at, Line: fmt.Appendf(nil, "level=info msg=begun n=%d", i)},
				{Timestamp: at + int64(span)/2, Line: fmt.Appendf(nil, "level=info msg=done n=%d", i)},
			}, uint64(i+1))
			if err != nil {
				return err
			}
			if err := w.Append(labels.FromStrings("app", app, "job", "bench"), c); err != nil {
				return err
			}
		}
		info, err := w.Close()
		if err != nil {
			return err
		}
		path := filepath.Join(dir, filepath.FromSlash(info.Name.Path()))
		err = os.WriteFile(path, made.Bytes(), 0o600)
		if os.IsNotExist(err) {
			if err = os.MkdirAll(filepath.Dir(path), 0o750); err == nil {
				err = os.WriteFile(path, made.Bytes(), 0o600)
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}
