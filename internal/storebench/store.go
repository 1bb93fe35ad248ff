package main

import (
	"context"
	"io"
	"sync/atomic"
	"time"

	"github.com/thanos-io/objstore"

	"github.com/cambium-logs/cambium/pkg/engine"
	"github.com/cambium-logs/cambium/pkg/ingest"
	"github.com/cambium-logs/cambium/pkg/storage/bucket"
	"github.com/cambium-logs/cambium/pkg/storage/head"
	"github.com/cambium-logs/cambium/pkg/storage/segment"
	"github.com/cambium-logs/cambium/pkg/storage/wal"
)

const tenant = "bench"

// countingBucket counts the bytes that are read.
type countingBucket struct {
	objstore.Bucket
	read atomic.Int64
}

func (b *countingBucket) GetRange(ctx context.Context, name string, off, length int64) (io.ReadCloser, error) {
	b.read.Add(length)
	return b.Bucket.GetRange(ctx, name, off, length)
}

// flushes is how many segments the workload is flushed in before they are compacted.
const flushes = 4

// storedSize is what the segments that queries read take: all of it, the timestamps, and the skip filters.
type storedSize struct{ all, times, filters int64 }

// store puts the workload into an engine and compacts it.
func (w *workload) store(ctx context.Context, dir string) (*engine.Engine, *countingBucket, storedSize, error) {
	local, err := bucket.OpenLocal(dir + "/bucket")
	if err != nil {
		return nil, nil, storedSize{}, err
	}
	b := &countingBucket{Bucket: local}
	e, err := engine.Open(ctx, engine.Options{
		DataDir: dir + "/data", Bucket: b, WALSync: wal.SyncNone, FlushAge: time.Hour, FlushBytes: 8 << 30, Head: head.Options{MaxBytes: 16 << 30},
		Compaction: engine.Compaction{Grace: time.Hour, MaxSegmentBytes: 1 << 30},
	})
	if err != nil {
		return nil, nil, storedSize{}, err
	}
	for part := range int64(flushes) {
		from, to := w.begin+(w.end-w.begin)*part/flushes, w.begin+(w.end-w.begin)*(part+1)/flushes
		for _, s := range w.streams {
			one := ingest.Stream{Labels: s.labels}
			for i := range s.entries {
				if ts := s.entries[i].Timestamp; ts >= from && ts < to {
					one.Entries = append(one.Entries, s.entries[i])
				}
			}
			if len(one.Entries) == 0 {
				continue
			}
			if err := e.Append(ctx, tenant, []ingest.Stream{one}); err != nil {
				return e, b, storedSize{}, err
			}
		}
		if err := e.Flush(ctx); err != nil {
			return e, b, storedSize{}, err
		}
	}
	for {
		result, err := e.Maintain(ctx)
		if err != nil {
			return e, b, storedSize{}, err
		}
		if result.Merges == 0 {
			break
		}
	}
	stored, err := w.storedBytes(ctx, e, local)
	return e, b, stored, err
}

func (w *workload) storedBytes(ctx context.Context, e *engine.Engine, b objstore.BucketReader) (size storedSize, err error) {
	snap, err := e.Catalog().Snapshot(ctx, tenant, w.begin, w.end)
	if err != nil {
		return size, err
	}
	defer snap.Close()
	for _, name := range snap.Segments() {
		r, err := segment.Open(ctx, b, name, 0)
		if err != nil {
			return size, err
		}
		size.all += r.Size()
		size.filters += r.Footer().Filters.Length
		for s, err := range r.All(ctx) {
			if err != nil {
				return size, err
			}
			for _, c := range s.Chunks {
				o, err := c.Outline(ctx, false)
				if err != nil {
					return size, err
				}
				size.times += o.Read
			}
		}
	}
	return size, nil
}
