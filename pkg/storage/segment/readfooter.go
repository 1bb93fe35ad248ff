package segment

import (
	"context"
	"fmt"

	"github.com/thanos-io/objstore"
)

// ReadFooter reads and checks the footer of a segment and nothing else of it. Size is as in Open; the size of the object is returned.
func ReadFooter(ctx context.Context, bucket objstore.BucketReader, name Name, size int64) (Footer, int64, error) {
	r := &Reader{bucket: bucket, name: name, path: name.Path(), size: size}
	if r.size <= 0 {
		attrs, err := bucket.Attributes(ctx, r.path)
		if err != nil {
			return Footer{}, 0, fmt.Errorf("size of segment %s: %w", r.path, err)
		}
		r.size = attrs.Size
	}
	if r.size < headerLen+trailerLen {
		return Footer{}, r.size, fmt.Errorf("%w: %d bytes are too few for segment %s", ErrCorrupt, r.size, r.path)
	}
	if _, _, err := r.readFooter(ctx); err != nil {
		return Footer{}, r.size, fmt.Errorf("read segment %s: %w", r.path, err)
	}
	return r.footer, r.size, nil
}

// Chunk gives a chunk by its ordinal.
func (r *Reader) Chunk(ordinal int) (ChunkRef, error) {
	if ordinal < 0 || ordinal >= len(r.entries) {
		return ChunkRef{}, fmt.Errorf("segment %s has %d chunks, there is no number %d", r.path, len(r.entries), ordinal)
	}
	return ChunkRef{r, ordinal}, nil
}
