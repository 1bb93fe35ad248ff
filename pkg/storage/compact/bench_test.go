package compact

import (
	"fmt"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/stretchr/testify/require"
	"github.com/thanos-io/objstore"

	"github.com/cambium-logs/cambium/pkg/storage/catalog"
	"github.com/cambium-logs/cambium/pkg/storage/chunk"
	"github.com/cambium-logs/cambium/pkg/storage/segment"
)

// BenchmarkMerge merges four segments of many streams, with chunks that are merged and chunks that are copied. The rate is of raw bytes.
func BenchmarkMerge(b *testing.B) {
	for name, rows := range map[string]int{"merged": 500, "copied": 16_000} {
		b.Run(name, func(b *testing.B) {
			var raw int64
			var result Result
			for b.Loop() {
				b.StopTimer()
				bucket := objstore.NewInMemBucket()
				ts := today.Start()
				raw = 0
				for range 4 {
					var enc segment.Encoder
					info, err := segment.Create(b.Context(), bucket, b.TempDir(), segment.WriterOptions{Tenant: "t", Level: 1}, func(w *segment.Writer) error {
						for s := range 32_000 / rows {
							var entries []chunk.Entry
							for i := range rows {
								ts += 1e6
								entries = append(entries, chunk.Entry{Timestamp: ts, Line: fmt.Appendf(nil, "level=info ts=%d caller=main.go:%d msg=\"request done\" duration=%dms", ts, i%40, ts/1e6%977)})
							}
							c, err := enc.Encode(nil, entries, uint64(ts))
							if err != nil {
								return err
							}
							if err := w.Append(labels.FromStrings("app", fmt.Sprintf("%04d", s)), c); err != nil {
								return err
							}
						}
						return nil
					})
					require.NoError(b, err)
					raw += info.Footer.RawBytes
				}
				now := func() time.Time { return time.Unix(0, today.Start()).Add(12 * time.Hour) }
				c, err := New(Options{Bucket: bucket, Catalog: catalog.New(catalog.Options{Bucket: bucket, Now: now}), TempDir: b.TempDir(), Now: now})
				require.NoError(b, err)
				b.StartTimer()
				result, err = c.Pass(b.Context())
				require.NoError(b, err)
				require.Equal(b, 1, result.Merges)
			}
			b.SetBytes(raw)
		})
	}
}
