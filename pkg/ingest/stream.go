package ingest

import (
	"github.com/prometheus/prometheus/model/labels"

	"github.com/cambium-logs/cambium/pkg/storage/chunk"
)

// Stream is entries of one stream, in the order in which they arrived. Labels are sorted and final. Lines and metadata alias
// the request they came in: whoever receives a Stream copies what it keeps.
type Stream struct {
	Labels  labels.Labels
	Entries []chunk.Entry
}
