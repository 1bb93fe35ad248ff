package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/prometheus/model/labels"

	"github.com/cambium-logs/cambium/pkg/engine"
	"github.com/cambium-logs/cambium/pkg/ingest"
	"github.com/cambium-logs/cambium/pkg/query"
	"github.com/cambium-logs/cambium/pkg/storage/bucket"
	"github.com/cambium-logs/cambium/pkg/storage/chunk"
	"github.com/cambium-logs/cambium/pkg/storage/wal"
)

const (
	// streamRounds is how often every stream is pushed to, and streamLines how many lines a push has for each.
	streamRounds, streamLines = 3, 2
	// gcPercent is that of the program.
	gcPercent = 50
	// streamsPerPush is how many streams a push has.
	streamsPerPush = 1000
)

// measureStreams measures an instance with usual settings whose one tenant has very many streams: each is one container's, and all stay active.
func measureStreams(ctx context.Context, o options) error {
	debug.SetGCPercent(gcPercent)
	b, err := bucket.Open(bucket.Options{Dir: o.path("bucket")})
	if err != nil {
		return err
	}
	reg := prometheus.NewRegistry()
	clock := &fastClock{}
	opts := engine.Options{DataDir: o.path("data"), Bucket: b, WALSync: wal.SyncNone, Registerer: reg}
	opts.SetClock(clock.now)
	e, err := engine.Open(ctx, opts)
	if err != nil {
		return err
	}
	defer e.Close(ctx)
	runtime.GC()
	idle := heap()
	r := receiver(e)
	began, to := time.Now(), time.Now()
	for round := range streamRounds {
		for first := 0; first < o.streams; first += streamsPerPush {
			if err := pushStreams(ctx, r, first, min(streamsPerPush, o.streams-first), to.Add(time.Duration(round-streamRounds)*time.Minute)); err != nil {
				return err
			}
		}
	}
	var t table
	lines := o.streams * streamRounds * streamLines
	t.row("pushing", fmt.Sprintf("%.0f lines/s", float64(lines)/time.Since(began).Seconds()), fmt.Sprintf("%d lines in pushes of %d streams", lines, streamsPerPush))
	t.row("active streams", fmt.Sprint(e.ActiveStreams(tenant)), "")
	runtime.GC()
	t.row("heap after pushing", mebibytes(heap()-idle), mebibytes(int64(metric(reg, "cambium_head_memory_bytes")))+" of it are entries")
	if err := askStreams(ctx, e, &t, to, "head and segments"); err != nil {
		return err
	}
	took, err := timed(func() error { return e.Flush(ctx) })
	if err != nil {
		return err
	}
	segments, size, err := objects(ctx, b)
	if err != nil {
		return err
	}
	t.row("objects that flushes wrote", fmt.Sprint(segments), megabytes(size)+", the last flush in "+seconds(took))
	t.row("resident memory, at its highest until then", mebibytes(resident("VmHWM")), "")
	runtime.GC()
	t.row("heap after the flush", mebibytes(heap()-idle), "")
	if err := askStreams(ctx, e, &t, to, "segments"); err != nil {
		return err
	}
	t.row("resident memory, at its highest until then", mebibytes(resident("VmHWM")), "")
	clock.ahead = 48 * time.Hour
	if took, err = timed(func() error { _, err := e.Maintain(ctx); return err }); err != nil {
		return err
	}
	segments, size, err = objects(ctx, b)
	if err != nil {
		return err
	}
	t.row("compaction of them", seconds(took), fmt.Sprintf("%d objects with those that are about to be deleted, %s", segments, megabytes(size)))
	most := resident("VmHWM")
	t.row("resident memory, at its highest, compaction included", mebibytes(most), wanted("1024 MiB", most < 1<<30))
	t.print(fmt.Sprintf("%d active streams of one tenant", o.streams))
	return nil
}

// pushStreams pushes some lines to each of some streams, again as long as the head is full.
func pushStreams(ctx context.Context, r *ingest.Receiver, first, n int, at time.Time) error {
	for {
		batch := ingest.NewBatch(ingest.Bounds{})
		for i := first; i < first+n; i++ {
			s := ingest.RawStream{Labels: fmt.Sprintf(`{cluster="eu-1", namespace="team-%d", pod="app-%d-7f9c6d5b8-x%05d", container="main", level="info"}`, i/4000, i/40, i)}
			for k := range streamLines {
				s.Entries = append(s.Entries, chunk.Entry{Timestamp: at.UnixNano() + int64(i)*1000 + int64(k),
					Line: fmt.Appendf(nil, `level=info msg="request served" path=/api/v1/items/%d status=200 duration=%dms`, i*7919%100_000, i%977+k)})
			}
			batch.Streams = append(batch.Streams, s)
		}
		err := r.Receive(ctx, tenant, batch)
		batch.Release()
		if !errors.Is(err, engine.ErrBusy) {
			return err
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// askStreams asks what a label browser asks.
func askStreams(ctx context.Context, e *engine.Engine, t *table, to time.Time, of string) error {
	q := query.New(query.Options{Source: e})
	s := query.Selection{Tenant: tenant, Start: to.Add(-time.Hour).UnixNano(), End: to.Add(time.Minute).UnixNano()}
	one := s
	one.Matchers = []*labels.Matcher{labels.MustNewMatcher(labels.MatchEqual, "namespace", "team-3")}
	for _, ask := range []struct {
		what string
		run  func() (int, error)
	}{
		{"label names", func() (int, error) { n, err := q.Labels(ctx, s); return len(n), err }},
		{"values of a label with few", func() (int, error) { v, err := q.LabelValues(ctx, s, "namespace"); return len(v), err }},
		{"values of a label with one per stream", func() (int, error) { v, err := q.LabelValues(ctx, s, "pod"); return len(v), err }},
		{"values of that label in one namespace", func() (int, error) { v, err := q.LabelValues(ctx, one, "pod"); return len(v), err }},
		{"streams of one namespace", func() (int, error) { v, err := q.Series(ctx, s, [][]*labels.Matcher{one.Matchers}); return len(v), err }},
	} {
		var first, again time.Duration
		n := 0
		for i := range 4 {
			took, err := timed(func() (err error) { n, err = ask.run(); return err })
			if err != nil {
				return err
			}
			if i == 0 {
				first = took
			} else if again == 0 || took < again {
				again = took
			}
		}
		t.row(ask.what+", of "+of, millis(again), fmt.Sprintf("%d; the first time %s", n, millis(first)))
	}
	return nil
}

// objects counts the segments in a bucket.
func objects(ctx context.Context, b *bucket.Bucket) (n int, size int64, err error) {
	var names []string
	collect := func(name string) error { names = append(names, name); return nil }
	var walk func(dir string) error
	walk = func(dir string) error {
		return b.Iter(ctx, dir, func(name string) error {
			if strings.HasSuffix(name, "/") {
				return walk(name)
			}
			return collect(name)
		})
	}
	if err := walk(""); err != nil {
		return 0, 0, err
	}
	for _, name := range names {
		if !strings.HasSuffix(name, ".seg") {
			continue
		}
		a, err := b.Attributes(ctx, name)
		if err != nil {
			return 0, 0, err
		}
		n, size = n+1, size+a.Size
	}
	return n, size, nil
}

func heap() int64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapInuse)
}

// resident is a field of this process's status in bytes, 0 where that cannot be found out.
func resident(field string) int64 {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for line := range strings.SplitSeq(string(text), "\n") {
		name, value, _ := strings.Cut(line, ":")
		var kib int64
		if name == field {
			if n, _ := fmt.Sscanf(strings.TrimSpace(value), "%d kB", &kib); n == 1 {
				return kib << 10
			}
		}
	}
	return 0
}

func mebibytes(n int64) string { return fmt.Sprintf("%.0f MiB", float64(n)/(1<<20)) }
