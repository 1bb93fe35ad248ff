package verify

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/stretchr/testify/require"

	"github.com/cambium-logs/cambium/pkg/storage/chunk"
	"github.com/cambium-logs/cambium/pkg/storage/segment"
	"github.com/cambium-logs/cambium/pkg/tools/cli"
	"github.com/cambium-logs/cambium/pkg/tools/toolstest"
)

// BenchmarkVerify checks a segment of 40 columnar chunks; bytes are raw ones.
func BenchmarkVerify(b *testing.B) {
	dir := b.TempDir()
	var chunks []toolstest.Chunk
	for i := range 40 {
		chunks = append(chunks, toolstest.Chunk{
			Stream: labels.FromStrings("app", fmt.Sprintf("app-%02d", i)), Encoding: chunk.EncodingColumnar,
			Entries: toolstest.Entries(time.Hour, 20_000, func(k int) string {
				return fmt.Sprintf("level=info ts=%d caller=handler.go:%d msg=\"request served\" path=/api/v1/items/%d status=%d took=%dms", k*17, k%300, k*7919%100_000, 200+k%5, k*31%977)
			}),
		})
	}
	info := toolstest.Write(b, dir, segment.WriterOptions{Tenant: "t", Level: 1}, chunks...)
	b.SetBytes(info.Footer.RawBytes)
	b.ReportAllocs()
	for b.Loop() {
		var out bytes.Buffer
		require.Equal(b, cli.ExitOK, Main(b.Context(), []string{"-data", dir}, nil, &out, &out), out.String())
	}
}
