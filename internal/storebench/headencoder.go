package main

import (
	"slices"
	"time"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/cambium-logs/cambium/pkg/storage/chunk"
	"github.com/cambium-logs/cambium/pkg/storage/segment"
)

// headEncoder encodes entries as a head does: a stream's chunk when it has 2 MiB or the head is flushed.
type headEncoder struct {
	streams map[string][]chunk.Entry
	lines   []byte // of the entries
	raw     int64
	encoder segment.Encoder
	out     []byte
	took    time.Duration
	stored  int64
}

func newHeadEncoder() *headEncoder {
	return &headEncoder{streams: map[string][]chunk.Entry{}, lines: make([]byte, 0, headBytes+blockBytes)}
}

func (h *headEncoder) add(ls labels.Labels, entries []chunk.Entry) {
	key := ls.String()
	for _, e := range entries {
		from := len(h.lines)
		h.lines = append(h.lines, e.Line...)
		h.streams[key] = append(h.streams[key], chunk.Entry{Timestamp: e.Timestamp, Line: h.lines[from:len(h.lines):len(h.lines)], Metadata: cloneMetadata(e.Metadata)})
		h.raw += int64(len(e.Line))
	}
}

func (h *headEncoder) flush() error {
	for key, entries := range h.streams {
		entries = chunk.Normalize(entries)
		for order, rest := uint64(0), entries; len(rest) > 0; order++ {
			n := chunkOf(rest)
			var c segment.EncodedChunk
			var err error
			h.took += lesserOfTwo(func() { c, err = h.encoder.Encode(h.out, rest[:n], order) })
			if err != nil {
				return err
			}
			h.out = c.Data
			h.stored += int64(len(c.Data))
			rest = rest[n:]
		}
		h.streams[key] = slices.Delete(entries, 0, len(entries))
	}
	h.lines, h.raw = h.lines[:0], 0
	return nil
}
