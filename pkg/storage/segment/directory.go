package segment

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/cambium-logs/cambium/pkg/internal/cursor"
	"github.com/cambium-logs/cambium/pkg/storage/chunk"
)

// entry is one chunk's place in the directory.
type entry struct {
	offset     int64 // in the object
	minT, maxT int64
	order      uint64
	length     uint32
	rows       uint32
	rawBytes   uint32
	lineBytes  uint32
	crc        uint32
	encoding   chunk.Encoding
	first      bool // of its stream
}

// entrySize is what an entry takes in memory, for accounting.
const entrySize = 56

// minEntryLen is the least that a chunk takes in the stored directory.
const minEntryLen = 12

func (e *entry) meta() chunk.Meta {
	return chunk.Meta{
		MinT: e.minT, MaxT: e.maxT, Rows: int(e.rows),
		RawBytes: int64(e.rawBytes), LineBytes: int64(e.lineBytes), StoredBytes: int64(e.length),
		Encoding: e.encoding, Order: e.order,
	}
}

func (e *entry) overlaps(mint, maxt int64) bool { return e.minT <= maxt && e.maxT >= mint }

// appendDirectory appends the stored form of entries, which are in segment order.
func appendDirectory(dst []byte, entries []entry) []byte {
	var lastMin int64
	var lastOrder uint64
	for i := 0; i < len(entries); {
		end := i + 1
		for end < len(entries) && !entries[end].first {
			end++
		}
		dst = binary.AppendUvarint(dst, uint64(end-i))
		for _, e := range entries[i:end] {
			dst = append(dst, byte(e.encoding))
			dst = binary.AppendUvarint(dst, uint64(e.length))
			dst = binary.LittleEndian.AppendUint32(dst, e.crc)
			dst = binary.AppendUvarint(dst, uint64(e.rows))
			dst = binary.AppendUvarint(dst, uint64(e.lineBytes))
			dst = binary.AppendUvarint(dst, uint64(e.rawBytes-e.lineBytes))
			dst = binary.AppendVarint(dst, int64(uint64(e.minT)-uint64(lastMin)))
			dst = binary.AppendUvarint(dst, uint64(e.maxT)-uint64(e.minT))
			dst = binary.AppendVarint(dst, int64(e.order-lastOrder))
			lastMin, lastOrder = e.minT, e.order
		}
		i = end
	}
	return dst
}

// parseDirectory decodes a directory whose checksum is right and holds it against the footer.
func parseDirectory(b []byte, f *Footer) ([]entry, error) {
	bad := func(format string, args ...any) ([]entry, error) {
		return nil, fmt.Errorf("%w: directory: "+format, append([]any{ErrCorrupt}, args...)...)
	}
	if int64(f.Chunks)*minEntryLen > int64(len(b)) {
		return bad("%d bytes cannot hold %d chunks", len(b), f.Chunks)
	}
	entries := make([]entry, 0, f.Chunks)
	d := cursor.Cursor{Rest: b}
	offset := f.ChunkData.Offset
	var lastMin int64
	var lastOrder uint64
	streams := 0
	var rows, raw, line int64
	minT, maxT := int64(math.MaxInt64), int64(math.MinInt64)
	for len(d.Rest) > 0 {
		n := d.Uvarint()
		if n == 0 || n > uint64(f.Chunks-len(entries)) {
			return bad("stream %d has %d chunks", streams, n)
		}
		for i := range n {
			e := entry{offset: offset, first: i == 0}
			e.encoding = chunk.Encoding(d.Byte())
			e.length = d.Size()
			e.crc = d.Uint32()
			e.rows = d.Size()
			e.lineBytes = d.Size()
			metadata := d.Size()
			e.minT = int64(uint64(lastMin) + uint64(d.Varint()))
			span := d.Uvarint()
			e.order = lastOrder + uint64(d.Varint())
			if d.Bad() || span > uint64(math.MaxInt64)-uint64(e.minT) || e.rows == 0 || uint64(e.lineBytes)+uint64(metadata) > chunk.MaxRawBytes {
				return bad("chunk %d is damaged", len(entries))
			}
			e.maxT = e.minT + int64(span)
			e.rawBytes = e.lineBytes + metadata
			offset += int64(e.length)
			if offset > f.ChunkData.end() {
				return bad("chunk %d lies outside of its section", len(entries))
			}
			lastMin, lastOrder = e.minT, e.order
			minT, maxT = min(minT, e.minT), max(maxT, e.maxT)
			rows, raw, line = rows+int64(e.rows), raw+int64(e.rawBytes), line+int64(e.lineBytes)
			entries = append(entries, e)
		}
		streams++
	}
	if d.Bad() || offset != f.ChunkData.end() {
		return bad("chunks do not fill their section")
	}
	if len(entries) != f.Chunks || streams != f.Streams || rows != f.Rows || raw != f.RawBytes || line != f.LineBytes || minT != f.MinT || maxT != f.MaxT {
		return bad("does not agree with the footer")
	}
	return entries, nil
}
