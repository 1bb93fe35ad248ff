package engine

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/stretchr/testify/require"

	"github.com/cambium-logs/cambium/pkg/ingest"
	"github.com/cambium-logs/cambium/pkg/storage/chunk"
	"github.com/cambium-logs/cambium/pkg/storage/head"
	"github.com/cambium-logs/cambium/pkg/storage/wal"
)

// benchLines are the lines of the real logs beside the repository, or made-up ones where there are none.
func benchLines(b testing.TB) []string {
	dir, err := os.Getwd()
	require.NoError(b, err)
	for root := os.Getenv("CAMBIUM_SHARED"); ; dir = filepath.Dir(dir) {
		if root == "" {
			root = filepath.Join(dir, "..", "shared")
		}
		if files, _ := filepath.Glob(filepath.Join(root, "logs", "*.log")); len(files) > 0 {
			var lines []string
			for _, f := range files {
				text, err := os.ReadFile(f)
				require.NoError(b, err)
				lines = append(lines, strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")...)
			}
			return lines
		}
		root = ""
		if dir == filepath.Dir(dir) {
			break
		}
	}
	var lines []string
	for i := range 20_000 {
		lines = append(lines, fmt.Sprintf("2025-11-21T10:%02d:%02d.%03dZ level=info msg=\"request served\" path=/api/v1/items/%d status=200 duration=%dms", i/60%60, i%60, i%1000, i*7919%5000, i*31%900))
	}
	return lines
}

// benchPushes are pushes of 1000 lines in 4 streams; times ascend from one use of a push to the next.
func benchPushes(lines []string) (pushes [][]ingest.Stream, size int64) {
	const perPush, streams = 1000, 4
	for n := 0; n+perPush <= len(lines); n += perPush {
		push := make([]ingest.Stream, streams)
		for i := range push {
			push[i].Labels = labels.FromStrings("job", "bench", "file", fmt.Sprint(n/2000), "stream", fmt.Sprint(i))
		}
		for k, l := range lines[n : n+perPush] {
			s := &push[k%streams]
			s.Entries = append(s.Entries, chunk.Entry{Line: []byte(l)})
			size += int64(len(l))
		}
		pushes = append(pushes, push)
	}
	return pushes, size
}

// stamp gives a copy of a push the times of its n-th use.
func stamp(push []ingest.Stream, n int) []ingest.Stream {
	out := make([]ingest.Stream, len(push))
	for i, s := range push {
		out[i] = ingest.Stream{Labels: s.Labels, Entries: make([]chunk.Entry, len(s.Entries))}
		for k, e := range s.Entries {
			out[i].Entries[k] = chunk.Entry{Timestamp: 1_700_000_000e9 + int64(n)*1e9 + int64(k)*1e5, Line: e.Line}
		}
	}
	return out
}

// BenchmarkAppend pushes real lines in pushes of 1000: log, head, encoding and flushes. The floor writes and syncs the same bytes, a push at a time.
func BenchmarkAppend(b *testing.B) {
	pushes, size := benchPushes(benchLines(b))
	size /= int64(len(pushes))
	for _, workers := range []int{1, 2} {
		for _, mode := range []struct {
			name string
			sync wal.SyncMode
		}{{"fsync", wal.SyncBatch}, {"nosync", wal.SyncNone}} {
			b.Run(fmt.Sprintf("%s/%d", mode.name, workers), func(b *testing.B) {
				benchAppend(b, pushes, size, workers, mode.sync)
			})
		}
	}
	for _, sync := range []bool{true, false} {
		b.Run(fmt.Sprintf("floor/fsync=%v", sync), func(b *testing.B) { benchFloor(b, pushes, size, sync) })
	}
}

func benchAppend(b *testing.B, pushes [][]ingest.Stream, size int64, workers int, durability wal.SyncMode) {
	e := open(b, Options{WALSync: durability, WALCompression: wal.CompressionSnappy})
	b.SetBytes(size)
	b.ResetTimer()
	next := make(chan int)
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for n := range next {
				p := stamp(pushes[n%len(pushes)], n)
				for {
					err := e.Append(context.Background(), "t", p)
					if err == nil {
						break
					}
					time.Sleep(time.Millisecond) // the head is full: wait for the flush, as a client does
				}
			}
		})
	}
	for n := range b.N {
		next <- n
	}
	close(next)
	wg.Wait()
}

func benchFloor(b *testing.B, pushes [][]ingest.Stream, size int64, sync bool) {
	f, err := os.Create(filepath.Join(b.TempDir(), "floor"))
	require.NoError(b, err)
	defer f.Close()
	b.SetBytes(size)
	var buf []byte
	b.ResetTimer()
	for n := range b.N {
		buf = buf[:0]
		for _, s := range pushes[n%len(pushes)] {
			for _, e := range s.Entries {
				buf = append(buf, e.Line...)
			}
		}
		_, err := f.Write(buf)
		require.NoError(b, err)
		if sync {
			require.NoError(b, f.Sync())
		}
	}
}

// BenchmarkReplay starts an engine on a log of 64 MiB of lines.
func BenchmarkReplay(b *testing.B) {
	pushes, size := benchPushes(benchLines(b))
	for _, c := range []wal.Compression{wal.CompressionNone, wal.CompressionSnappy, wal.CompressionZstd} {
		b.Run([]string{"none", "snappy", "zstd"}[c], func(b *testing.B) {
			opts := Options{DataDir: b.TempDir(), WALSync: wal.SyncNone, WALCompression: c, FlushBytes: 1 << 40, Head: head.Options{MaxBytes: 1 << 30}}
			e := open(b, opts)
			var raw int64
			for n := 0; raw < 64<<20; n++ {
				require.NoError(b, e.Append(context.Background(), "t", stamp(pushes[n%len(pushes)], n)))
				raw += size / int64(len(pushes))
			}
			stored, err := e.wal.Size()
			require.NoError(b, err)
			closeEngine(b, e)
			b.SetBytes(raw)
			b.ReportMetric(float64(stored)/float64(raw), "stored/raw")
			b.ResetTimer()
			for range b.N {
				e := open(b, opts)
				b.StopTimer()
				closeEngine(b, e)
				b.StartTimer()
			}
		})
	}
}

// BenchmarkStreams pushes one line to each of 200,000 streams and reports the memory that stays, before and after the flush.
func BenchmarkStreams(b *testing.B) {
	const streams = 200_000
	for range b.N {
		var before, full, flushed runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		e := open(b, Options{WALSync: wal.SyncNone, Head: head.Options{MaxBytes: 1 << 30}})
		for n := 0; n < streams; n += 1000 {
			push := make([]ingest.Stream, 1000)
			for i := range push {
				push[i] = ingest.Stream{
					Labels:  labels.FromStrings("namespace", fmt.Sprint("ns-", n/4000), "pod", fmt.Sprintf("app-%d-7f9c6d5b8-x%d", n/1000, n+i), "container", "main", "level", "info"),
					Entries: []chunk.Entry{{Timestamp: 1_700_000_000e9 + int64(n), Line: []byte("level=info msg=\"started\" version=1.2.3 listening on :8080")}},
				}
			}
			require.NoError(b, e.Append(context.Background(), "t", push))
		}
		runtime.GC()
		runtime.ReadMemStats(&full)
		start := time.Now()
		require.NoError(b, e.Flush(context.Background()))
		b.ReportMetric(time.Since(start).Seconds(), "flush-s")
		runtime.GC()
		runtime.ReadMemStats(&flushed)
		b.ReportMetric(float64(full.HeapInuse-before.HeapInuse)/(1<<20), "MiB")
		b.ReportMetric(float64(e.head.Memory())/(1<<20), "head-MiB")
		b.ReportMetric(float64(flushed.HeapInuse-before.HeapInuse)/(1<<20), "flushed-MiB")
		s, err := e.Stats(context.Background(), "t")
		require.NoError(b, err)
		require.Equal(b, streams, s.Streams)
		b.ReportMetric(float64(s.Segments), "segments")
		closeEngine(b, e)
	}
}
