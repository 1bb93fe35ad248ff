package main

import (
	"context"
	"fmt"
	"runtime"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/cambium-logs/cambium/pkg/engine"
	"github.com/cambium-logs/cambium/pkg/ingest"
	"github.com/cambium-logs/cambium/pkg/storage/head"
	"github.com/cambium-logs/cambium/pkg/storage/wal"
)

const (
	// smallBytes is how many bytes of lines the segments have whose chunks are small, and largeBytes those whose chunks are large.
	smallBytes, largeBytes = 16 << 20, 32 << 20
	// sources is how many segments are merged.
	sources = 4
)

// measureMerging measures merges of segments whose chunks are copied, and of segments whose chunks are small and decoded, on one core.
func measureMerging(ctx context.Context, o options) error {
	runtime.GOMAXPROCS(1)
	var t table
	copied, err := mergeOnce(ctx, o, "copied", largeBytes, func(e *engine.Engine) ingest.Sink { return byHost{e} })
	if err != nil {
		return err
	}
	t.row("merging segments of 8 streams with chunks of 2 MiB, lines per core", rate(copied.raw, copied.cpu), copied.String())
	merged, err := mergeOnce(ctx, o, "merged", smallBytes, func(e *engine.Engine) ingest.Sink { return e })
	if err != nil {
		return err
	}
	t.row("merging segments of all streams with small chunks, lines per core", rate(merged.raw, merged.cpu), merged.String())
	t.print("Compaction: copying and merging")
	return nil
}

// mergeCost is what a merge did.
type mergeCost struct {
	raw, written int64
	cpu          time.Duration
	copies, many float64 // chunks that were copied, chunks that were merged
}

func (c mergeCost) String() string {
	return fmt.Sprintf("%.0f chunks copied, %.0f merged; %s of lines, %s of CPU, %s written per core", c.copies, c.many, megabytes(c.raw), seconds(c.cpu), rate(c.written, c.cpu))
}

// mergeOnce stores pushes in some segments and merges them.
func mergeOnce(ctx context.Context, o options, name string, each int64, sink func(*engine.Engine) ingest.Sink) (c mergeCost, err error) {
	reg := prometheus.NewRegistry()
	clock := &fastClock{}
	opts := engine.Options{DataDir: o.path(name), WALSync: wal.SyncNone, FlushBytes: 1 << 40, FlushAge: 24 * time.Hour, Registerer: reg,
		Head: head.Options{MaxBytes: 1 << 30}}
	opts.SetClock(clock.now)
	e, err := engine.Open(ctx, opts)
	if err != nil {
		return c, err
	}
	defer e.Close(ctx)
	f := &flushing{Sink: sink(e), flush: e.Flush, every: each}
	if c.raw, _, err = pushAll(ctx, f, o.pushes, sources*each); err != nil {
		return c, err
	}
	if err := e.Flush(ctx); err != nil {
		return c, err
	}
	clock.ahead = 48 * time.Hour // the day is over, and nothing was written to it for a while
	began := spent()
	result, err := e.Maintain(ctx)
	c.cpu, c.written = spent()-began, result.WrittenBytes
	c.copies, c.many = metric(reg, "cambium_compact_chunks_copied_total"), metric(reg, "cambium_compact_chunks_merged_total")
	if err == nil && result.Merges == 0 {
		err = fmt.Errorf("nothing was merged of %s", name)
	}
	return c, err
}

// flushing flushes after some bytes of lines.
type flushing struct {
	ingest.Sink
	flush      func(context.Context) error
	every, raw int64
}

// Append implements ingest.Sink.
func (f *flushing) Append(ctx context.Context, tenant string, streams []ingest.Stream) error {
	for i := range streams {
		for k := range streams[i].Entries {
			f.raw += int64(len(streams[i].Entries[k].Line))
		}
	}
	if err := f.Sink.Append(ctx, tenant, streams); err != nil || f.raw < f.every {
		return err
	}
	f.raw = 0
	return f.flush(ctx)
}
