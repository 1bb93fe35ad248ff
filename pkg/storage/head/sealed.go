package head

import (
	"context"
	"fmt"
	"sync"

	"github.com/cambium-logs/cambium/pkg/storage/chunk"
	"github.com/cambium-logs/cambium/pkg/storage/filter"
	"github.com/cambium-logs/cambium/pkg/storage/segment"
)

// encodedChunk is a chunk in the form that segments store. It implements storage.Chunk and never changes.
type encodedChunk struct {
	data   []byte
	meta   chunk.Meta
	filter filter.Packed
	memory int64
}

func (c *encodedChunk) Meta() chunk.Meta { return c.meta }

func (c *encodedChunk) Open(context.Context) (chunk.Reader, error) {
	r, err := chunk.Open(c.data, c.meta)
	if err != nil {
		return nil, fmt.Errorf("open a chunk of the head: %w", err)
	}
	chunk.NameFaults(r, func(err error) error { return fmt.Errorf("read a chunk of the head: %w", err) })
	return r, nil
}

// sealed is a buffer that takes no more entries, and what it was encoded to.
type sealed struct {
	first, last uint64 // orders of the entries

	// Guarded by the tenant's lock. buf is nil when the chunks are there and no snapshot needs a part of the buffer.
	buf    *buffer
	chunks []*encodedChunk // one per UTC day; nil = not encoded yet

	encoding sync.Mutex // held while the buffer is encoded, so that it happens once
}

// encodeScratch is reused between chunks.
type encodeScratch struct {
	entries []chunk.Entry
	keys    filter.Keys
}

// chunkBytes is what an encoded chunk costs beside its bytes.
const chunkBytes = 192

// encode turns a view into one chunk per UTC day. The order is the same for all of them: their times are disjoint.
func (s *encodeScratch) encode(v *view, enc chunk.Encoding) ([]*encodedChunk, error) {
	var out []*encodedChunk
	defer func() { clear(s.entries) }()
	for lo := 0; lo < v.Len(); {
		end := segment.DayOf(v.Timestamp(lo)).End()
		hi := v.Len()
		if v.meta.MaxT > end {
			for hi = lo + 1; hi < v.Len() && v.Timestamp(hi) <= end; {
				hi++
			}
		}
		s.entries = v.appendRows(s.entries[:0], lo, hi)
		c, err := s.encodeEntries(enc, v.meta.Order)
		if err != nil {
			return nil, err
		}
		out = append(out, c)
		lo = hi
	}
	return out, nil
}

func (s *encodeScratch) encodeEntries(enc chunk.Encoding, order uint64) (*encodedChunk, error) {
	var data []byte
	var meta chunk.Meta
	var err error
	if enc == encodingBest {
		data, meta, err = chunk.EncodeBest(nil, s.entries, order)
	} else {
		data, meta, err = chunk.Encode(nil, enc, s.entries, order)
	}
	if err != nil {
		return nil, err
	}
	if cap(data)-len(data) > len(data)/4 {
		data = append(make([]byte, 0, len(data)), data...)
	}
	s.keys.Reset()
	for i := range s.entries {
		s.keys.AddLine(s.entries[i].Line)
		for _, l := range s.entries[i].Metadata {
			s.keys.AddValue(l.Value)
		}
	}
	keys := s.keys.Chunk()
	return &encodedChunk{data: data, meta: meta, filter: filter.Pack(&keys), memory: int64(len(data)+len(keys.Hashes)) + chunkBytes}, nil
}
