package main

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/cambium-logs/cambium/internal/loggen"
	"github.com/cambium-logs/cambium/pkg/engine"
	"github.com/cambium-logs/cambium/pkg/ingest"
	"github.com/cambium-logs/cambium/pkg/storage/bucket"
	"github.com/cambium-logs/cambium/pkg/storage/segment"
	"github.com/cambium-logs/cambium/pkg/storage/wal"
	limits "github.com/cambium-logs/cambium/pkg/tenant"
)

const tenant = "bench"

// countingBucket counts the bytes that are read.
type countingBucket struct {
	*bucket.Local
	read atomic.Int64
}

func (b *countingBucket) GetRange(ctx context.Context, name string, off, length int64) (io.ReadCloser, error) {
	b.read.Add(length)
	return b.Local.GetRange(ctx, name, off, length)
}

// store is the workload in an engine.
type store struct {
	engine   *engine.Engine
	bucket   *countingBucket
	registry *prometheus.Registry
	receiver *ingest.Receiver
	ahead    time.Duration // of the engine's clock

	flushes, merges, rounds    int
	flushing, compacting       time.Duration // CPU time
	flushed, rewritten, copied int64         // bytes of segments that flushes wrote, of those that merges wrote, and of chunks that they read
}

// storedSize is what the segments take that queries read: all of it, the timestamps, and the skip filters.
type storedSize struct {
	all, times, filters int64
	segments, chunks    int
}

// openStore opens an engine as an instance has it, but for its log, which is not synced, and for flushes, which are made when the head says so
// and not behind its back.
func openStore(ctx context.Context, dir string) (*store, error) {
	local, err := bucket.OpenLocal(filepath.Join(dir, "bucket"))
	if err != nil {
		return nil, err
	}
	s := &store{bucket: &countingBucket{Local: local}, registry: prometheus.NewRegistry()}
	o := engine.Options{DataDir: filepath.Join(dir, "data"), Bucket: s.bucket, WALSync: wal.SyncNone, FlushAge: 24 * time.Hour, FlushBytes: 1 << 40, Registerer: s.registry}
	o.SetClock(func() time.Time { return time.Now().Add(s.ahead) })
	if s.engine, err = engine.Open(ctx, o); err != nil {
		return nil, err
	}
	s.receiver = receiver(s.engine)
	return s, nil
}

// receiver checks pushes as an instance does, with limits that refuse nothing for its rate.
func receiver(sink ingest.Sink) *ingest.Receiver {
	l := limits.DefaultLimits()
	l.IngestionRateMB, l.IngestionBurstSizeMB = 1e6, 1e6
	l.PerStreamRateLimit, l.PerStreamRateLimitBurst = 1<<40, 1<<40
	return ingest.NewReceiver(sink, ingest.Options{Limits: func(string) *limits.Limits { return &l }})
}

// push stores the body of a push.
func push(ctx context.Context, r *ingest.Receiver, body []byte) error {
	batch := ingest.NewBatch(ingest.Bounds{})
	defer batch.Release()
	if err := ingest.DecodePush("application/x-protobuf", "", false, body, ingest.Bounds{}, batch); err != nil {
		return err
	}
	return r.Receive(ctx, tenant, batch)
}

// flushBytes is the memory, and the raw bytes, at which a head of the usual size is flushed.
const flushBytes = 48 << 20

// fill pushes everything. For the engine it is the time of the lines. The head is flushed when it is due, and after each flush there is a round of
// compaction, as there is when lines come at the pace of their timestamps. In the end the day is over for hours and compaction has nothing more to do.
func (s *store) fill(ctx context.Context, w *survey, pushes string) error {
	pushed := int64(0)
	err := loggen.Pushes(pushes, func(body []byte, raw, _ int64) error {
		pushed += raw
		s.ahead = time.Until(time.Unix(0, w.begin+int64(float64(w.end-w.begin)*float64(pushed)/float64(w.raw))))
		if err := push(ctx, s.receiver, body); err != nil {
			return err
		}
		if max(s.metric("cambium_head_memory_bytes"), s.metric("cambium_head_raw_bytes")) < flushBytes {
			return nil
		}
		if err := s.flush(ctx); err != nil {
			return err
		}
		_, err := s.maintain(ctx)
		return err
	})
	if err == nil {
		err = s.flush(ctx)
	}
	if err != nil {
		return err
	}
	s.flushed = s.metric("cambium_engine_flushed_bytes_total")
	s.ahead = 0 // the day is over
	for idle := 0; idle < 2; {
		s.ahead += 2 * time.Hour // and nothing was written to it for a while
		merges, err := s.maintain(ctx)
		if err != nil {
			return err
		}
		if idle++; merges > 0 {
			idle = 0
		}
	}
	return nil
}

func (s *store) flush(ctx context.Context) error {
	began := spent()
	err := s.engine.Flush(ctx)
	s.flushing += spent() - began
	s.flushes++
	return err
}

func (s *store) maintain(ctx context.Context) (merges int, err error) {
	began := spent()
	result, err := s.engine.Maintain(ctx)
	s.compacting += spent() - began
	s.rounds++
	s.merges += result.Merges
	s.rewritten += result.WrittenBytes
	s.copied += result.ReadBytes
	return result.Merges, err
}

// metric gives the value of one of the engine's metrics.
func (s *store) metric(name string) int64 {
	families, err := s.registry.Gather()
	if err != nil {
		return 0
	}
	for _, f := range families {
		if f.GetName() == name && len(f.GetMetric()) == 1 {
			return int64(f.GetMetric()[0].GetGauge().GetValue() + f.GetMetric()[0].GetCounter().GetValue())
		}
	}
	return 0
}

// size looks at the segments that queries read.
func (s *store) size(ctx context.Context, begin, end int64) (size storedSize, err error) {
	snap, err := s.engine.Catalog().Snapshot(ctx, tenant, begin, end)
	if err != nil {
		return size, err
	}
	defer snap.Close()
	for _, name := range snap.Segments() {
		r, err := segment.Open(ctx, s.bucket.Local, name, 0)
		if err != nil {
			return size, err
		}
		size.segments++
		size.all += r.Size()
		size.filters += r.Footer().Filters.Length
		for stream, err := range r.All(ctx) {
			if err != nil {
				return size, err
			}
			for _, c := range stream.Chunks {
				o, err := c.Outline(ctx, false)
				if err != nil {
					return size, err
				}
				size.times += o.Read
				size.chunks++
			}
		}
	}
	return size, nil
}

// print tells what storing took.
func (s *store) print(w *survey, size storedSize) {
	mbs := func(bytes int64, d time.Duration) string {
		return fmt.Sprintf("%.0f MB/s", float64(bytes)/1e6/d.Seconds())
	}
	fmt.Print("### Flushing and compacting\n\n| what | measured | |\n| --- | ---: | --- |\n")
	row := func(what, value, note string) { fmt.Printf("| %s | %s | %s |\n", what, value, note) }
	row("flushing, lines per core", mbs(w.raw, s.flushing), fmt.Sprintf("%d flushes, %s of CPU, encoding included; zstd -3 of the same lines: %s", s.flushes, seconds(s.flushing), seconds(w.filed.took)))
	row("compaction, lines per core", mbs(int64(float64(w.raw)*float64(s.rewritten)/float64(s.flushed)), s.compacting), fmt.Sprintf("%d merges in %d rounds, %s of CPU; %s of chunks read, %s of segments written", s.merges, s.rounds, seconds(s.compacting), megabytes(s.copied), megabytes(s.rewritten)))
	row("CPU of flushing and compaction together, of zstd -3's", fmt.Sprintf("%.2f ×", (s.flushing+s.compacting).Seconds()/w.filed.took.Seconds()), "")
	row("chunks copied whole", fmt.Sprint(s.metric("cambium_compact_chunks_copied_total")), fmt.Sprintf("and %d merged", s.metric("cambium_compact_chunks_merged_total")))
	row("write amplification in the bucket", fmt.Sprintf("%.2f ×", float64(s.flushed+s.rewritten)/float64(s.flushed)), fmt.Sprintf("%s by flushes and %s by merges; steady state", megabytes(s.flushed), megabytes(s.rewritten)))
	row("what is left", fmt.Sprintf("%d segments", size.segments), fmt.Sprintf("%d chunks, %s: %.3f of what flushes wrote", size.chunks, megabytes(size.all), float64(size.all)/float64(s.flushed)))
	fmt.Println()
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.1f s", d.Seconds()) }
