package segment

import (
	"github.com/cambium-logs/cambium/pkg/storage/chunk"
	"github.com/cambium-logs/cambium/pkg/storage/filter"
)

// Encoder makes chunks with their skip filters. The zero value is ready; it is for one goroutine.
type Encoder struct {
	keys filter.Keys
}

// Encode encodes entries that satisfy chunk.Encode's contract in the encoding that suits them best, and appends the bytes to dst[:0].
func (e *Encoder) Encode(dst []byte, entries []chunk.Entry, order uint64) (EncodedChunk, error) {
	data, meta, err := chunk.EncodeBest(dst[:0], entries, order)
	if err != nil {
		return EncodedChunk{}, err
	}
	f := e.Filter(entries)
	return EncodedChunk{Meta: meta, Data: data, Filter: &f}, nil
}

// Filter makes the skip filter of a chunk with these entries.
func (e *Encoder) Filter(entries []chunk.Entry) filter.Chunk {
	e.keys.Reset()
	for i := range entries {
		e.keys.AddLine(entries[i].Line)
		for _, l := range entries[i].Metadata {
			e.keys.AddValue(l.Value)
		}
	}
	return e.keys.Chunk()
}
