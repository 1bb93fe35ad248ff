package filter

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math/bits"
)

// ErrCorrupt is wrapped by every error that says stored bytes are not what was written.
var ErrCorrupt = errors.New("corrupt filter section")

const (
	sectionVersion = 1
	maxPartitions  = 64
	maxChunks      = 1 << 24
	// keysPerBlock is about how many keys of a chunk share a partition: fewer would waste bytes on counts, more would be read for nothing.
	keysPerBlock = 64
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Encode appends a section that holds the filters of a segment's chunks, in the order of their ordinals.
//
//	header:     version | log2(partitions) | chunks uint32 | per chunk: precision, with the high bit set for escapes | offsets uint32 × (partitions+1) | CRC32C
//	partition:  per chunk: keys uvarint, bytes uvarint, Rice-coded differences | CRC32C
//
// Numbers are little endian; offsets count from the end of the header.
func Encode(dst []byte, chunks []Chunk) []byte {
	total := 0
	for i := range chunks {
		total += len(chunks[i].Hashes)
	}
	log := 0
	for 1<<log < maxPartitions && total > len(chunks)*keysPerBlock<<log {
		log++
	}
	start := len(dst)
	dst = append(dst, sectionVersion, byte(log))
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(chunks)))
	for i := range chunks {
		p := byte(chunks[i].Precision)
		if chunks[i].Escapes {
			p |= 0x80
		}
		dst = append(dst, p)
	}
	offsets := len(dst)
	dst = append(dst, make([]byte, 4*(1<<log+1)+4)...)
	body := len(dst)
	at := make([]int, len(chunks)) // keys already written
	for part := range 1 << log {
		binary.LittleEndian.PutUint32(dst[offsets+4*part:], uint32(len(dst)-body))
		from := len(dst)
		for i := range chunks {
			c := &chunks[i]
			n := at[i]
			for n < len(c.Hashes) && partition(c.Hashes[n], c.Precision, log) == part {
				n++
			}
			dst = appendBlock(dst, c.Hashes[at[i]:n], blockBase(part, c.Precision, log), riceBits(c.Precision, len(c.Hashes)))
			at[i] = n
		}
		dst = binary.LittleEndian.AppendUint32(dst, crc32.Checksum(dst[from:], castagnoli))
	}
	binary.LittleEndian.PutUint32(dst[offsets+4<<log:], uint32(len(dst)-body))
	binary.LittleEndian.PutUint32(dst[body-4:], crc32.Checksum(dst[start:body-4], castagnoli))
	return dst
}

// partition is the first log bits of a hash of so many bits.
func partition(hash uint64, precision, log int) int {
	if log > precision {
		return int(hash << (log - precision))
	}
	return int(hash >> (precision - log))
}

// blockBase is the least hash of a partition.
func blockBase(part, precision, log int) uint64 {
	if log > precision {
		return uint64(part) >> (log - precision)
	}
	return uint64(part) << (precision - log)
}

// riceBits is the number of bits of a difference that are stored as they are. It follows from the header, precision and the count, so that it is not stored.
func riceBits(precision, _ int) int { return min(falseBits, precision) }

// appendBlock appends one chunk's hashes of one partition.
func appendBlock(dst []byte, hashes []uint64, base uint64, rice int) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(hashes)))
	if len(hashes) == 0 {
		return dst
	}
	var w bitWriter
	prev := base
	for _, h := range hashes {
		d := h - prev
		prev = h
		w.unary(d >> rice)
		w.write(d&(1<<rice-1), rice)
	}
	b := w.finish()
	dst = binary.AppendUvarint(dst, uint64(len(b)))
	return append(dst, b...)
}

// Header is a section's header: what must be known to ask its partitions.
type Header struct {
	log       int
	precision []byte
	offsets   []uint32
	size      int // of the header
}

// HeaderSize returns how many bytes a header has, from its first 6 bytes.
func HeaderSize(b []byte) (int, error) {
	if len(b) < 6 {
		return 0, fmt.Errorf("%w: header is cut short", ErrCorrupt)
	}
	if b[0] != sectionVersion {
		return 0, fmt.Errorf("%w: version %d, this version reads %d", ErrCorrupt, b[0], sectionVersion)
	}
	n := binary.LittleEndian.Uint32(b[2:])
	if 1<<min(b[1], 63) > maxPartitions || n > maxChunks {
		return 0, fmt.Errorf("%w: header claims %d chunks in 2^%d partitions", ErrCorrupt, n, b[1])
	}
	return 6 + int(n) + 4*(1<<b[1]+1) + 4, nil
}

// ReadHeader reads and checks a header.
func ReadHeader(b []byte) (*Header, error) {
	size, err := HeaderSize(b)
	if err != nil {
		return nil, err
	}
	if len(b) < size {
		return nil, fmt.Errorf("%w: header is cut short", ErrCorrupt)
	}
	b = b[:size]
	if crc32.Checksum(b[:size-4], castagnoli) != binary.LittleEndian.Uint32(b[size-4:]) {
		return nil, fmt.Errorf("%w: header checksum does not match", ErrCorrupt)
	}
	h := &Header{log: int(b[1]), size: size}
	n := int(binary.LittleEndian.Uint32(b[2:]))
	h.precision = append([]byte(nil), b[6:6+n]...)
	for _, p := range h.precision {
		if p&0x7f > maxPrecision {
			return nil, fmt.Errorf("%w: precision %d", ErrCorrupt, p&0x7f)
		}
	}
	last := uint32(0)
	for i := range 1<<h.log + 1 {
		off := binary.LittleEndian.Uint32(b[6+n+4*i:])
		if off < last {
			return nil, fmt.Errorf("%w: partitions are out of order", ErrCorrupt)
		}
		h.offsets = append(h.offsets, off)
		last = off
	}
	return h, nil
}

// Chunks is the number of chunks.
func (h *Header) Chunks() int { return len(h.precision) }

// Escapes reports whether some line of the chunk holds a backslash.
func (h *Header) Escapes(chunk int) bool { return h.precision[chunk]&0x80 != 0 }

// Range returns where in the section the partition of a key lies.
func (h *Header) Range(key uint64) (off, length int64) {
	p := partition(key, 64, h.log)
	return int64(h.size) + int64(h.offsets[p]), int64(h.offsets[p+1] - h.offsets[p])
}

// Ask clears in candidates (a bit per chunk) the chunks that cannot have the key; part is what Range names.
func (h *Header) Ask(key uint64, part []byte, candidates []uint64) error {
	if len(part) < 4 || crc32.Checksum(part[:len(part)-4], castagnoli) != binary.LittleEndian.Uint32(part[len(part)-4:]) {
		return fmt.Errorf("%w: checksum of a partition does not match", ErrCorrupt)
	}
	p := partition(key, 64, h.log)
	return h.blocks(p, part[:len(part)-4], func(i, keys int, b []byte) {
		if candidates[i>>6]&(1<<(i&63)) == 0 {
			return
		}
		precision := int(h.precision[i] & 0x7f)
		if !holds(b, keys, blockBase(p, precision, h.log), key>>(64-precision), riceBits(precision, 0)) {
			candidates[i>>6] &^= 1 << (i & 63)
		}
	})
}

// blocks walks over one partition.
func (h *Header) blocks(_ int, b []byte, visit func(chunk, keys int, block []byte)) error {
	for i := range h.precision {
		keys, k := binary.Uvarint(b)
		if k <= 0 {
			return fmt.Errorf("%w: a partition is cut short", ErrCorrupt)
		}
		b = b[k:]
		var size uint64
		if keys > 0 {
			if size, k = binary.Uvarint(b); k <= 0 || size > uint64(len(b)-k) || keys > 8*size {
				return fmt.Errorf("%w: a partition is cut short", ErrCorrupt)
			}
			b = b[k:]
		}
		visit(i, int(keys), b[:size])
		b = b[size:]
	}
	if len(b) != 0 {
		return fmt.Errorf("%w: a partition is too long", ErrCorrupt)
	}
	return nil
}

// Decode reads a whole section back.
func Decode(section []byte) ([]Chunk, error) {
	h, err := ReadHeader(section)
	if err != nil {
		return nil, err
	}
	if int64(len(section)) != int64(h.size)+int64(h.offsets[len(h.offsets)-1]) {
		return nil, fmt.Errorf("%w: section has another length than its header says", ErrCorrupt)
	}
	out := make([]Chunk, h.Chunks())
	for i := range out {
		out[i] = Chunk{Precision: int(h.precision[i] & 0x7f), Escapes: h.Escapes(i)}
	}
	for p := range 1 << h.log {
		part := section[h.size+int(h.offsets[p]) : h.size+int(h.offsets[p+1])]
		if len(part) < 4 || crc32.Checksum(part[:len(part)-4], castagnoli) != binary.LittleEndian.Uint32(part[len(part)-4:]) {
			return nil, fmt.Errorf("%w: checksum of partition %d does not match", ErrCorrupt, p)
		}
		err := h.blocks(p, part[:len(part)-4], func(i, keys int, b []byte) {
			c := &out[i]
			r := bitReader{b: b}
			prev := blockBase(p, c.Precision, h.log)
			for range keys {
				prev += r.rice(riceBits(c.Precision, 0))
				c.Hashes = append(c.Hashes, prev)
			}
		})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

func holds(b []byte, keys int, base, want uint64, rice int) bool {
	r := bitReader{b: b}
	for range keys {
		base += r.rice(rice)
		if base >= want {
			return base == want
		}
	}
	return false
}

// bitWriter writes bits, the lowest of a byte first.
type bitWriter struct {
	b    []byte
	acc  uint64
	have int
}

func (w *bitWriter) write(v uint64, n int) {
	w.acc |= v << w.have
	w.have += n
	for w.have >= 8 {
		w.b = append(w.b, byte(w.acc))
		w.acc >>= 8
		w.have -= 8
	}
}

// unary writes n ones and a zero.
func (w *bitWriter) unary(n uint64) {
	for ; n >= 8; n -= 8 {
		w.write(0xff, 8)
	}
	w.write(1<<n-1, int(n)+1)
}

func (w *bitWriter) finish() []byte {
	if w.have > 0 {
		w.b = append(w.b, byte(w.acc))
	}
	return w.b
}

// bitReader reads what bitWriter wrote; beyond the end it reads zeros.
type bitReader struct {
	b    []byte
	acc  uint64
	have int
}

func (r *bitReader) fill() {
	for r.have <= 56 && len(r.b) > 0 {
		r.acc |= uint64(r.b[0]) << r.have
		r.b = r.b[1:]
		r.have += 8
	}
}

func (r *bitReader) rice(n int) uint64 {
	var q uint64
	for {
		r.fill()
		ones := bits.TrailingZeros64(^r.acc)
		if ones < r.have || r.have == 0 {
			q += uint64(ones)
			r.skip(ones + 1)
			break
		}
		q += uint64(r.have)
		r.skip(r.have)
	}
	r.fill()
	v := q<<n | r.acc&(1<<n-1)
	r.skip(n)
	return v
}

func (r *bitReader) skip(n int) {
	n = min(n, r.have)
	r.acc >>= n
	r.have -= n
}
