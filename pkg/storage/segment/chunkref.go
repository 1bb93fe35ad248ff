package segment

import (
	"context"
	"fmt"
	"sync"

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

// Deletes are the delete requests of which the segment holds no entry. The slice must not be changed.
func (c ChunkRef) Deletes() []string { return c.reader.footer.Deletes }

// Offset is where the chunk lies in the object.
func (c ChunkRef) Offset() int64 { return c.reader.entries[c.ordinal].offset }

// Read gives the chunk as it is stored, checked. It belongs to the caller as long as it is not changed.
func (c ChunkRef) Read(ctx context.Context) ([]byte, error) { return c.readInto(ctx, nil) }

// readInto is Read, which may use the room of buf.
func (c ChunkRef) readInto(ctx context.Context, buf []byte) ([]byte, error) {
	e := &c.reader.entries[c.ordinal]
	data, err := c.reader.checkedInto(ctx, buf, e.offset, int64(e.length), func(b []byte) error {
		if checksum(b) != e.crc {
			return fmt.Errorf("%w: checksum does not match", chunk.ErrCorrupt)
		}
		return nil
	})
	if err != nil {
		return nil, c.wrap("read", err)
	}
	return data, nil
}

// chunkBuffers are for chunks that are read from the bucket, opened, and closed.
var chunkBuffers = sync.Pool{New: func() any { return new([]byte) }}

// maxChunkBuffer bounds what is kept in chunkBuffers.
const maxChunkBuffer = 4 << 20

// Open reads, checks and decodes the chunk.
func (c ChunkRef) Open(ctx context.Context) (chunk.Reader, error) {
	var buf *[]byte
	var giveBack func()
	var room []byte
	if c.reader.whole.Load() == nil { // which it stays: what is read is not shared
		buf = chunkBuffers.Get().(*[]byte)
		room = *buf
		giveBack = func() {
			if cap(*buf) <= maxChunkBuffer {
				chunkBuffers.Put(buf)
			}
		}
	}
	data, err := c.readInto(ctx, room)
	if err != nil {
		return nil, err
	}
	if buf != nil {
		*buf = data
	}
	r, err := chunk.OpenLent(data, c.Meta(), giveBack)
	if err != nil {
		return nil, c.wrap("open", err)
	}
	chunk.NameFaults(r, func(err error) error { return c.wrap("read", err) })
	return r, nil
}

// MayContain implements storage.Filtered.
func (c ChunkRef) MayContain(ctx context.Context, text []byte) (bool, error) {
	candidates, err := c.reader.candidates(ctx, text)
	if err != nil {
		return false, c.wrap("ask the filter of", err)
	}
	return candidates == nil || candidates[c.ordinal>>6]&(1<<(c.ordinal&63)) != 0, nil
}

// Verbatim implements storage.Filtered.
func (c ChunkRef) Verbatim(ctx context.Context) (bool, error) {
	h, err := c.reader.filterHeader(ctx)
	if err != nil {
		return false, c.wrap("ask the filter of", err)
	}
	return h != nil && !h.Escapes(c.ordinal), nil
}

func (c ChunkRef) wrap(what string, err error) error {
	return fmt.Errorf("%s chunk %d of segment %s: %w", what, c.ordinal, c.reader.path, err)
}
