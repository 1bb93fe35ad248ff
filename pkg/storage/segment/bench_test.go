package segment

import (
	"fmt"
	"io"
	"slices"
	"testing"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/stretchr/testify/require"
	"github.com/thanos-io/objstore"

	"github.com/cambium-logs/cambium/pkg/storage/chunk"
)

func benchStreams(b *testing.B, n int) []modelStream {
	line := []byte("level=info caller=server.go:12 method=GET path=/api/v1/items status=200 duration=12ms")
	var entries []chunk.Entry
	for i := range 10 {
		entries = append(entries, chunk.Entry{Timestamp: testDay + int64(i), Line: line})
	}
	c := encode(b, entries, 0)
	streams := make([]modelStream, n)
	for i := range streams {
		streams[i] = modelStream{labels.FromStrings("cluster", "eu-1", "namespace", fmt.Sprint("ns-", i%50), "pod", fmt.Sprintf("pod-%07d", i), "container", "main"), []modelChunk{c}}
	}
	slices.SortFunc(streams, func(a, b modelStream) int { return labels.Compare(a.labels, b.labels) })
	return streams
}

// BenchmarkWrite writes segments of many streams with one small chunk each, which is the worst case for index and directory.
func BenchmarkWrite(b *testing.B) {
	for _, n := range []int{10, 10_000, 200_000} {
		b.Run(fmt.Sprint("streams=", n), func(b *testing.B) {
			streams := benchStreams(b, n)
			b.ReportAllocs()
			var info Info
			for b.Loop() {
				w, err := NewWriter(io.Discard, WriterOptions{Tenant: "t"})
				require.NoError(b, err)
				require.NoError(b, fill(streams)(w))
				info, err = w.Close()
				require.NoError(b, err)
			}
			b.ReportMetric(float64(info.Size-info.Footer.StoredBytes)/float64(n), "overhead-B/stream")
		})
	}
}

func BenchmarkOpen(b *testing.B) {
	for _, n := range []int{10, 10_000, 200_000} {
		b.Run(fmt.Sprint("streams=", n), func(b *testing.B) {
			bucket := objstore.NewInMemBucket()
			info, err := Create(b.Context(), bucket, b.TempDir(), WriterOptions{Tenant: "t"}, fill(benchStreams(b, n)))
			require.NoError(b, err)
			b.ReportAllocs()
			var r *Reader
			for b.Loop() {
				r, err = Open(b.Context(), bucket, info.Name, info.Size)
				require.NoError(b, err)
			}
			b.ReportMetric(float64(r.MemoryBytes())/float64(n), "memory-B/stream")
		})
	}
}

func BenchmarkSelect(b *testing.B) {
	bucket := objstore.NewInMemBucket()
	info, err := Create(b.Context(), bucket, b.TempDir(), WriterOptions{Tenant: "t"}, fill(benchStreams(b, 200_000)))
	require.NoError(b, err)
	r, err := Open(b.Context(), bucket, info.Name, info.Size)
	require.NoError(b, err)
	for name, m := range map[string]*labels.Matcher{
		"pod=x":     labels.MustNewMatcher(labels.MatchEqual, "pod", "pod-0000042"),
		"namespace": labels.MustNewMatcher(labels.MatchEqual, "namespace", "ns-7"),
		"all":       labels.MustNewMatcher(labels.MatchEqual, "cluster", "eu-1"),
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_, err := r.Select(b.Context(), testDay, testDay+nanosPerDay, m)
				require.NoError(b, err)
			}
		})
	}
}
