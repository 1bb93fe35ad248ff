package filter

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math/bits"
)

// Packed is a Chunk in about a byte per key, for holding the filters of a whole segment while it is written.
type Packed struct {
	precision uint8
	escapes   bool
	keys      int
	code      []byte // Rice code of the differences
}

// Pack packs a chunk's filter.
func Pack(c *Chunk) Packed {
	p := packer{precision: c.Precision, escapes: c.Escapes}
	for _, h := range c.Hashes {
		p.add(h)
	}
	return p.finish()
}

// Unpack gives the filter back.
func (p *Packed) Unpack() Chunk {
	c := Chunk{Precision: int(p.precision), Escapes: p.escapes, Hashes: make([]uint64, 0, p.keys)}
	r := bitReader{b: p.code}
	var h uint64
	for range p.keys {
		h += r.rice(riceBits(c.Precision, 0))
		c.Hashes = append(c.Hashes, h)
	}
	return c
}

// packer makes a Packed of ascending hashes.
type packer struct {
	precision int
	escapes   bool
	keys      int
	last      uint64
	w         bitWriter
}

func (p *packer) add(h uint64) {
	d := h - p.last
	p.last = h
	p.keys++
	rice := riceBits(p.precision, 0)
	p.w.unary(d >> rice)
	p.w.write(d&(1<<rice-1), rice)
}

func (p *packer) finish() Packed {
	return Packed{precision: uint8(p.precision), escapes: p.escapes, keys: p.keys, code: p.w.finish()}
}

// EncodePacked appends the section that Encode makes of the same chunks.
func EncodePacked(dst []byte, chunks []Packed) []byte {
	total := 0
	for i := range chunks {
		total += chunks[i].keys
	}
	log := 0
	for 1<<log < maxPartitions && total > len(chunks)*keysPerBlock<<log {
		log++
	}
	start := len(dst)
	dst = append(dst, sectionVersion, byte(log))
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(chunks)))
	for i := range chunks {
		p := chunks[i].precision
		if chunks[i].escapes {
			p |= 0x80
		}
		dst = append(dst, p)
	}
	offsets := len(dst)
	dst = append(dst, make([]byte, 4*(1<<log+1)+4)...)
	body := len(dst)
	cursors := make([]packedCursor, len(chunks))
	for i := range chunks {
		cursors[i] = packedCursor{left: chunks[i].keys, r: bitReader{b: chunks[i].code}}
		cursors[i].next(&chunks[i])
	}
	var block []uint64
	for part := range 1 << log {
		binary.LittleEndian.PutUint32(dst[offsets+4*part:], uint32(len(dst)-body))
		from := len(dst)
		for i := range chunks {
			precision := int(chunks[i].precision)
			block = block[:0]
			for c := &cursors[i]; c.some && partition(c.hash, precision, log) == part; c.next(&chunks[i]) {
				block = append(block, c.hash)
			}
			dst = appendBlock(dst, block, blockBase(part, precision, log), riceBits(precision, 0))
		}
		dst = binary.LittleEndian.AppendUint32(dst, crc32.Checksum(dst[from:], castagnoli))
	}
	binary.LittleEndian.PutUint32(dst[offsets+4<<log:], uint32(len(dst)-body))
	binary.LittleEndian.PutUint32(dst[body-4:], crc32.Checksum(dst[start:body-4], castagnoli))
	return dst
}

// packedCursor walks over a Packed.
type packedCursor struct {
	r    bitReader
	left int
	some bool // whether hash is one
	hash uint64
}

func (c *packedCursor) next(p *Packed) {
	c.some = c.left > 0
	if c.some {
		c.left--
		c.hash += c.r.rice(riceBits(int(p.precision), 0))
	}
}

// DecodePacked reads a whole section back.
func DecodePacked(section []byte) ([]Packed, error) {
	h, err := ReadHeader(section)
	if err != nil {
		return nil, err
	}
	if int64(len(section)) != int64(h.size)+int64(h.offsets[len(h.offsets)-1]) {
		return nil, fmt.Errorf("%w: section has another length than its header says", ErrCorrupt)
	}
	packers := make([]packer, h.Chunks())
	for i := range packers {
		packers[i] = packer{precision: int(h.precision[i] & 0x7f), escapes: h.Escapes(i)}
	}
	for part := range 1 << h.log {
		b := section[h.size+int(h.offsets[part]) : h.size+int(h.offsets[part+1])]
		if len(b) < 4 || crc32.Checksum(b[:len(b)-4], castagnoli) != binary.LittleEndian.Uint32(b[len(b)-4:]) {
			return nil, fmt.Errorf("%w: checksum of partition %d does not match", ErrCorrupt, part)
		}
		bad := false
		err := h.blocks(part, b[:len(b)-4], func(i, keys int, block []byte) {
			p := &packers[i]
			r := bitReader{b: block}
			hash := blockBase(part, p.precision, h.log)
			for range keys {
				hash += r.rice(riceBits(p.precision, 0))
				if hash < p.last || bits.Len64(hash) > p.precision {
					bad = true
					return
				}
				p.add(hash)
			}
		})
		if err == nil && bad {
			err = fmt.Errorf("%w: keys of partition %d do not belong to it", ErrCorrupt, part)
		}
		if err != nil {
			return nil, err
		}
	}
	out := make([]Packed, len(packers))
	for i := range packers {
		out[i] = packers[i].finish()
	}
	return out, nil
}

// HeaderBound is an upper bound of the size of a header for so many chunks.
func HeaderBound(chunks int) int { return 6 + chunks + 4*(maxPartitions+1) + 4 }
