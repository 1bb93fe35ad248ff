package segment

import (
	"context"
	"fmt"

	"github.com/cambium-logs/cambium/pkg/storage/chunk"
)

// ChunkRef is a chunk of a segment. It implements storage.Chunk.
type ChunkRef struct {
	reader  *Reader
	ordinal int
}

// Meta describes the chunk.
func (c ChunkRef) Meta() chunk.Meta { return c.reader.entries[c.ordinal].meta() }

// Ordinal is the chunk's number in its segment, from 0.
func (c ChunkRef) Ordinal() int { return c.ordinal }

// Segment is the segment that holds the chunk.
func (c ChunkRef) Segment() Name { return c.reader.name }

// Offset is where the chunk lies in the object.
func (c ChunkRef) Offset() int64 { return c.reader.entries[c.ordinal].offset }

// Read gives the chunk as it is stored, checked. It belongs to the caller as long as it is not changed.
func (c ChunkRef) Read(ctx context.Context) ([]byte, error) {
	e := &c.reader.entries[c.ordinal]
	data, err := c.reader.read(ctx, e.offset, int64(e.length))
	if err == nil && checksum(data) != e.crc {
		err = fmt.Errorf("%w: checksum does not match", chunk.ErrCorrupt)
	}
	if err != nil {
		return nil, c.wrap("read", err)
	}
	return data, nil
}

// Open reads, checks and decodes the chunk.
func (c ChunkRef) Open(ctx context.Context) (chunk.Reader, error) {
	data, err := c.Read(ctx)
	if err != nil {
		return nil, err
	}
	r, err := chunk.Open(data, c.Meta())
	if err != nil {
		return nil, c.wrap("open", err)
	}
	return r, nil
}

// Filter gives the chunk's skip filter, checked, or nil when it has none.
func (c ChunkRef) Filter(ctx context.Context) ([]byte, error) {
	e := &c.reader.entries[c.ordinal]
	if e.filterLength == 0 {
		return nil, nil
	}
	b, err := c.reader.read(ctx, e.filterOffset, int64(e.filterLength))
	if err == nil && checksum(b) != e.filterCRC {
		err = fmt.Errorf("%w: checksum does not match", ErrCorrupt)
	}
	if err != nil {
		return nil, c.wrap("read filter of", err)
	}
	return b, nil
}

func (c ChunkRef) wrap(what string, err error) error {
	return fmt.Errorf("%s chunk %d of segment %s: %w", what, c.ordinal, c.reader.path, err)
}
