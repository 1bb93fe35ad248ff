package main

import (
	"context"
	"fmt"
	"time"

	"github.com/cambium-logs/cambium/pkg/engine"
	"github.com/cambium-logs/cambium/pkg/storage/head"
	"github.com/cambium-logs/cambium/pkg/storage/wal"
)

const (
	// replayRuns is how often a start is measured; the fastest counts.
	replayRuns = 3
	// fullHead is how many bytes of lines are replayed at most: head.max_bytes.
	fullHead = 96 << 20
)

// measureLog measures a start after a head's worth of lines that no flush has taken.
func measureLog(ctx context.Context, o options) error {
	opts := engine.Options{DataDir: o.path("log"), WALSync: wal.SyncNone, FlushBytes: 1 << 40, FlushAge: 24 * time.Hour, Head: head.Options{MaxBytes: 1 << 30}}
	e, err := engine.Open(ctx, opts)
	if err != nil {
		return err
	}
	raw, lines, err := pushAll(ctx, e, o.pushes, fullHead)
	if err != nil {
		return err
	}
	if err := e.Close(ctx); err != nil {
		return err
	}
	var best, cpu time.Duration
	var stats wal.ReplayStats
	for n := range replayRuns {
		used := spent()
		took, err := timed(func() (err error) {
			e, err = engine.Open(ctx, opts)
			return err
		})
		if err != nil {
			return err
		}
		if used = spent() - used; n == 0 || took < best {
			best, cpu, stats = took, used, e.Replayed()
		}
		if err := e.Close(ctx); err != nil {
			return err
		}
	}
	if stats.Entries != lines {
		return fmt.Errorf("%d entries were replayed, and %d were pushed", stats.Entries, lines)
	}
	var t table
	t.row("start on a full head's log", seconds(best), megabytes(raw)+" of lines")
	t.row("replay, lines", rate(raw, best), seconds(cpu)+" of CPU: "+rate(raw, cpu)+" per core")
	t.row("replay, bytes of the log", rate(stats.Bytes, best), megabytes(stats.Bytes)+" in the log's files")
	t.print("Starting after a stop or a crash")
	return nil
}
