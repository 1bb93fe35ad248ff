// Package storage holds what the parts of the store and its readers share: streams, their chunks, and the snapshot that a query reads.
// It does not know LogQL.
package storage

import (
	"context"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/cambium-logs/cambium/pkg/storage/chunk"
)

// Chunk is a chunk that can be opened, wherever it lies: in the head, in a local segment, in a bucket.
type Chunk interface {
	Meta() chunk.Meta
	// Open reads, checks and decodes the chunk. A damaged chunk gives an error that names object and chunk.
	Open(ctx context.Context) (chunk.Reader, error)
}

// Stream is a label set and those of its chunks that may hold entries of the selected time range, in ascending Meta().Order.
// Chunks of a stream may overlap in time and may hold equal entries; a reader shows equal entries once.
type Stream struct {
	Labels labels.Labels
	Chunks []Chunk
}

// Snapshot is a consistent view of one tenant's entries: what was acknowledged before it was taken is in it, exactly once per place it is stored in.
// Times are nanoseconds, both ends inclusive. Close releases what it pins.
type Snapshot interface {
	// Select returns the streams that all matchers match, sorted by labels, each label set once.
	Select(ctx context.Context, mint, maxt int64, matchers ...*labels.Matcher) ([]Stream, error)
	// LabelNames and LabelValues are sorted and distinct, over the streams with a chunk that overlaps the range.
	LabelNames(ctx context.Context, mint, maxt int64, matchers ...*labels.Matcher) ([]string, error)
	LabelValues(ctx context.Context, name string, mint, maxt int64, matchers ...*labels.Matcher) ([]string, error)
	Close()
}
