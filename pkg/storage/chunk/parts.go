package chunk

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"

	"github.com/cambium-logs/cambium/pkg/internal/cursor"
)

// A chunk's payload is a header that lists its parts, then the parts. docs/format/chunk-plain.md has the bytes.

// partKind tells what a part holds. The numbers are part of the chunk format.
type partKind uint8

const (
	partTimes    partKind = 1
	partLengths  partKind = 2
	partLines    partKind = 3
	partMetadata partKind = 4
)

// partCodec tells how a part is compressed. The numbers are part of the chunk format.
type partCodec uint8

const (
	codecRaw  partCodec = 0
	codecZstd partCodec = 1
)

const (
	payloadVersion = 1
	maxParts       = 1 << 10
	crcLen         = 4
	// minPartHeader is the least that a part takes in the header: kind, codec, two lengths, checksum.
	minPartHeader = 2 + 2 + crcLen
	// compressFrom is the size under which trying to compress costs more than it saves.
	compressFrom = 48
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func checksum(b []byte) uint32 { return crc32.Checksum(b, castagnoli) }

// part is one entry of the header with its stored bytes.
type part struct {
	kind   partKind
	codec  partCodec
	rawLen int
	crc    uint32
	stored []byte
}

// makePart compresses raw when that saves at least a sixteenth. The part may alias raw or scratch, which it returns grown.
func makePart(kind partKind, raw, scratch []byte) (part, []byte) {
	p := part{kind: kind, codec: codecRaw, rawLen: len(raw), stored: raw}
	if len(raw) >= compressFrom {
		scratch = zstdCompress(scratch[:0], raw)
		if len(scratch) <= len(raw)-len(raw)/16 {
			p.codec, p.stored = codecZstd, scratch
		}
	}
	p.crc = checksum(p.stored)
	return p, scratch
}

// appendParts appends header and parts to dst.
func appendParts(dst []byte, parts []part) []byte {
	start := len(dst)
	dst = append(dst, payloadVersion)
	dst = binary.AppendUvarint(dst, uint64(len(parts)))
	for _, p := range parts {
		dst = append(dst, byte(p.kind), byte(p.codec))
		dst = binary.AppendUvarint(dst, uint64(len(p.stored)))
		dst = binary.AppendUvarint(dst, uint64(p.rawLen))
		dst = binary.LittleEndian.AppendUint32(dst, p.crc)
	}
	dst = binary.LittleEndian.AppendUint32(dst, checksum(dst[start:]))
	for _, p := range parts {
		dst = append(dst, p.stored...)
	}
	return dst
}

// splitParts reads and checks the header, cuts data into its parts, and checks each part's checksum. Every byte of data is covered.
func splitParts(data []byte) ([]part, error) {
	parts, lengths, size, err := readHeader(data)
	if err != nil {
		return nil, err
	}
	rest := data[size:]
	for i := range parts {
		if lengths[i] > uint64(len(rest)) {
			return nil, fmt.Errorf("%w: part %d is cut short", ErrCorrupt, i)
		}
		if err := parts[i].fill(rest[:lengths[i]:lengths[i]]); err != nil {
			return nil, err
		}
		rest = rest[lengths[i]:]
	}
	if len(rest) != 0 {
		return nil, fmt.Errorf("%w: %d bytes after the last part", ErrCorrupt, len(rest))
	}
	return parts, nil
}

// readHeader reads and checks the header at the front of data. The parts it gives have no bytes yet: lengths says how many follow for each,
// size where the first begins.
func readHeader(data []byte) (parts []part, lengths []uint64, size int, err error) {
	d := cursor.Cursor{Rest: data}
	if v := d.Byte(); !d.Bad() && v != payloadVersion {
		return nil, nil, 0, fmt.Errorf("%w: payload version %d, this version reads %d", ErrCorrupt, v, payloadVersion)
	}
	n := d.Uvarint()
	if d.Bad() || n > maxParts || n > uint64(len(d.Rest)/minPartHeader) {
		return nil, nil, 0, fmt.Errorf("%w: header is cut short or claims too many parts", ErrCorrupt)
	}
	parts = make([]part, n)
	lengths = make([]uint64, n)
	for i := range parts {
		parts[i].kind = partKind(d.Byte())
		parts[i].codec = partCodec(d.Byte())
		lengths[i] = d.Uvarint()
		raw := d.Uvarint()
		if raw > 2*MaxRawBytes {
			return nil, nil, 0, fmt.Errorf("%w: part %d claims %d bytes", ErrCorrupt, i, raw)
		}
		parts[i].rawLen = int(raw)
		parts[i].crc = d.Uint32()
	}
	header := data[:len(data)-len(d.Rest)]
	crc := d.Uint32()
	if d.Bad() {
		return nil, nil, 0, fmt.Errorf("%w: header is cut short", ErrCorrupt)
	}
	if crc != checksum(header) {
		return nil, nil, 0, fmt.Errorf("%w: header checksum does not match", ErrCorrupt)
	}
	return parts, lengths, len(header) + crcLen, nil
}

// fill gives a part its stored bytes, which must have its checksum.
func (p *part) fill(stored []byte) error {
	if checksum(stored) != p.crc {
		return fmt.Errorf("%w: checksum of part kind %d does not match", ErrCorrupt, p.kind)
	}
	p.stored = stored
	return nil
}

// expand gives a part's bytes: the stored bytes themselves, or decompressed into buf[:0], which is grown to the part's size.
// The caller has checked rawLen against what the part may hold.
func (p *part) expand(buf []byte) ([]byte, error) {
	switch p.codec {
	case codecRaw:
		if len(p.stored) != p.rawLen {
			return nil, fmt.Errorf("%w: part kind %d has %d bytes where %d are claimed", ErrCorrupt, p.kind, len(p.stored), p.rawLen)
		}
		return p.stored, nil
	case codecZstd:
		if cap(buf) < p.rawLen {
			buf = make([]byte, 0, p.rawLen)
		}
		out, err := zstdDecompress(buf[:0:p.rawLen], p.stored)
		if err != nil {
			return nil, fmt.Errorf("%w: decompress part kind %d: %w", ErrCorrupt, p.kind, err)
		}
		if len(out) != p.rawLen {
			return nil, fmt.Errorf("%w: part kind %d has %d bytes where %d are claimed", ErrCorrupt, p.kind, len(out), p.rawLen)
		}
		return out, nil
	}
	return nil, fmt.Errorf("%w: part kind %d has unknown compression %d", ErrCorrupt, p.kind, p.codec)
}
