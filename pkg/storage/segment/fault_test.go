package segment

import (
	"fmt"
	"testing"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/stretchr/testify/require"
	"github.com/thanos-io/objstore"

	"github.com/cambium-logs/cambium/pkg/storage/chunk"
)

// What is found wrong after a chunk was opened names the chunk as well.
func TestLateFaultNamesChunk(t *testing.T) {
	var entries []chunk.Entry
	for i := range 100 {
		entries = append(entries, chunk.Entry{Timestamp: testDay + int64(i), Line: fmt.Appendf(nil, "took %d ms", i*i)})
	}
	data, meta, err := chunk.Encode(nil, chunk.EncodingColumnar, entries, 0)
	require.NoError(t, err)
	meta.MaxT++ // the checksums are right
	bucket := objstore.NewInMemBucket()
	r := create(t, bucket, WriterOptions{Tenant: "t"}, []modelStream{{labels.FromStrings("app", "a"), []modelChunk{{chunk: EncodedChunk{Meta: meta, Data: data}}}}})
	streams, err := r.Select(t.Context(), 0, 1<<62)
	require.NoError(t, err)
	c := streams[0].Chunks[0]
	reader, err := c.Open(t.Context())
	require.NoError(t, err)
	defer reader.Close()
	for row := range reader.Len() {
		reader.Timestamp(row)
	}
	err = chunk.Fault(reader)
	require.ErrorIs(t, err, chunk.ErrCorrupt)
	require.ErrorContains(t, err, "read chunk 0 of segment ")
}
