package segment

import (
	"context"
	"encoding/binary"

	"github.com/cambium-logs/cambium/pkg/storage"
	"github.com/cambium-logs/cambium/pkg/storage/chunk"
)

var (
	_ storage.Identified = ChunkRef{}
	_ storage.Outlined   = ChunkRef{}
	_ storage.Filtered   = ChunkRef{}
)

// ID implements storage.Identified: the segment's id and the chunk's ordinal.
func (c ChunkRef) ID() string {
	id := c.reader.name.ID
	return string(binary.BigEndian.AppendUint32(id[:], uint32(c.ordinal)))
}

// Outline implements storage.Outlined. It reads the parts of the chunk that it needs, whose checksums stand in the chunk's own header.
func (c ChunkRef) Outline(ctx context.Context, lengths bool) (*chunk.Outline, error) {
	at := c.Offset()
	o, err := chunk.ReadOutline(c.Meta(), lengths, func(offset, length int64) ([]byte, error) {
		return c.reader.read(ctx, at+offset, length)
	})
	if err != nil {
		return nil, c.wrap("read timestamps of", err)
	}
	return o, nil
}
