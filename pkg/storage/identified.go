package storage

import (
	"context"

	"github.com/cambium-logs/cambium/pkg/storage/chunk"
)

// Identified is what a Chunk implements that never changes and has a name: chunks with equal ids hold equal entries of the same stream of the
// same tenant, in whatever process and for ever. A chunk that is shown in part only, such as one with entries that are to be deleted,
// does not implement it.
type Identified interface {
	// ID is empty when the chunk has none.
	ID() string
}

// Outlined is what a Chunk implements whose timestamps can be had without its lines.
type Outlined interface {
	// Outline reads, checks and decodes the timestamps, and the lengths of the lines where they are wanted and can be had as well.
	Outline(ctx context.Context, lengths bool) (*chunk.Outline, error)
}
