package head

import (
	"bytes"
	"encoding/binary"
	"math"
	"sort"
	"sync/atomic"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/cambium-logs/cambium/pkg/storage/chunk"
)

const (
	// entryBytes is what an entry costs beside its bytes.
	entryBytes = 40
	// bufferBytes is what a buffer costs when it is empty, with the stream that holds it.
	bufferBytes = 320

	maxBlock = 64 << 10
	// tieRun is how many entries of one timestamp are compared with a new one to find that it is already there.
	// Longer runs are searched when the buffer is read.
	tieRun = 16
)

// entry says where an entry's bytes are: its line, directly followed by its structured metadata as appendMetadata encodes it.
type entry struct {
	ts        int64
	order     uint64 // of the application that brought it; ascending within a buffer
	block     uint32
	offset    uint32
	lineLen   uint32
	metaLen   uint32 // encoded
	metaBytes uint32 // names and values alone
}

// buffer takes the entries of one chunk until it is cut. All fields but view are guarded by the tenant's lock while the buffer is open, and
// do not change afterwards. What entries[:n] refer to never changes.
type buffer struct {
	entries []entry
	blocks  [][]byte

	order      uint64 // of the chunk: unlike those of the entries, no other buffer has it
	minT, maxT int64
	lastT      int64 // of the entry that arrived last
	rawBytes   int64
	lineBytes  int64
	memory     int64 // allocated bytes

	// unsorted: some entry is older than one before it. untested: some entry may equal one with the same timestamp.
	unsorted, untested bool
	tie                int // entries at the end with timestamp lastT

	cached atomic.Pointer[view] // the last view made that needed sorting
}

func newBuffer(order uint64) *buffer {
	return &buffer{order: order, minT: math.MaxInt64, maxT: math.MinInt64, memory: bufferBytes}
}

// firstOrder and lastOrder bound the orders of the entries; the buffer must not be empty.
func (b *buffer) firstOrder() uint64 { return b.entries[0].order }
func (b *buffer) lastOrder() uint64  { return b.entries[len(b.entries)-1].order }

// append copies an entry in, unless it is sure to be there already. expect is a hint of the bytes and entries that will follow.
func (b *buffer) append(e *chunk.Entry, order uint64, expectBytes, expectEntries int) bool {
	metaBytes, metaLen := metadataSize(e.Metadata)
	if len(b.entries) > 0 && e.Timestamp == b.lastT && b.endsWith(e, metaLen) {
		return false
	}
	need := len(e.Line) + metaLen
	block := b.room(need, expectBytes)
	blk := b.blocks[block]
	rec := entry{ts: e.Timestamp, order: order, block: uint32(block), offset: uint32(len(blk)), lineLen: uint32(len(e.Line)), metaLen: uint32(metaLen), metaBytes: uint32(metaBytes)}
	blk = append(blk, e.Line...)
	if metaLen > 0 {
		blk = appendMetadata(blk, e.Metadata)
	}
	b.blocks[block] = blk
	b.grow(expectEntries)
	b.entries = append(b.entries, rec)
	b.note(e.Timestamp, int64(len(e.Line)), int64(metaBytes))
	return true
}

// note keeps the totals and what is known about order.
func (b *buffer) note(ts, lineBytes, metaBytes int64) {
	switch {
	case len(b.entries) == 1 || ts > b.maxT:
		b.tie = 1
	case ts == b.lastT && !b.unsorted:
		if b.tie++; b.tie > tieRun {
			b.untested = true
		}
	default:
		b.unsorted = b.unsorted || ts < b.maxT
		b.untested = true
		b.tie = 1
	}
	b.lastT = ts
	b.minT, b.maxT = min(b.minT, ts), max(b.maxT, ts)
	b.lineBytes += lineBytes
	b.rawBytes += lineBytes + metaBytes
}

// endsWith reports whether one of the last entries, which share e's timestamp, equals e.
func (b *buffer) endsWith(e *chunk.Entry, metaLen int) bool {
	for i := len(b.entries) - 1; i >= 0 && len(b.entries)-i <= tieRun; i-- {
		o := &b.entries[i]
		if o.ts != e.Timestamp {
			return false
		}
		if int(o.lineLen) != len(e.Line) || int(o.metaLen) != metaLen {
			continue
		}
		blk := b.blocks[o.block][o.offset:]
		if !bytes.Equal(blk[:o.lineLen], e.Line) {
			continue
		}
		if metaLen == 0 || metadataEqual(blk[o.lineLen:o.lineLen+o.metaLen], e.Metadata) {
			return true
		}
	}
	return false
}

// room returns the block that takes n more bytes, making one where none does: as large as what is expected, and larger the more there are.
func (b *buffer) room(n, expect int) int {
	if last := len(b.blocks) - 1; last >= 0 && cap(b.blocks[last])-len(b.blocks[last]) >= n {
		return last
	}
	size := 0
	if last := len(b.blocks) - 1; last >= 0 {
		size = 2 * cap(b.blocks[last])
	}
	size = max(min(max(size, expect), maxBlock), n)
	blk := make([]byte, 0, size)
	b.memory += int64(cap(blk)) + 24
	// A reader may hold the old header of blocks; append writes behind it or to another array.
	b.blocks = append(b.blocks, blk)
	return len(b.blocks) - 1
}

func (b *buffer) grow(expect int) {
	if len(b.entries) < cap(b.entries) {
		return
	}
	n := min(max(expect, cap(b.entries)+cap(b.entries)/2), 1<<16+cap(b.entries))
	grown := make([]entry, len(b.entries), max(n, len(b.entries)+1))
	copy(grown, b.entries)
	b.memory += int64(cap(grown)-cap(b.entries)) * entryBytes
	b.entries = grown
}

// prefix returns how many entries were applied up to order.
func (b *buffer) prefix(order uint64) int {
	if len(b.entries) == 0 || b.lastOrder() <= order {
		return len(b.entries)
	}
	return sort.Search(len(b.entries), func(i int) bool { return b.entries[i].order > order })
}

// metadataSize returns the bytes of names and values, and of the encoded form; 0, 0 without metadata.
func metadataSize(md []labels.Label) (raw, encoded int) {
	if len(md) == 0 {
		return 0, 0
	}
	encoded = uvarintLen(len(md))
	for _, l := range md {
		raw += len(l.Name) + len(l.Value)
		encoded += uvarintLen(len(l.Name)) + uvarintLen(len(l.Value))
	}
	return raw, encoded + raw
}

func uvarintLen(n int) int {
	l := 1
	for n >= 0x80 {
		n >>= 7
		l++
	}
	return l
}

// appendMetadata encodes labels: their number, then name and value of each, with their lengths before them.
func appendMetadata(b []byte, md []labels.Label) []byte {
	b = binary.AppendUvarint(b, uint64(len(md)))
	for _, l := range md {
		b = binary.AppendUvarint(b, uint64(len(l.Name)))
		b = append(b, l.Name...)
		b = binary.AppendUvarint(b, uint64(len(l.Value)))
		b = append(b, l.Value...)
	}
	return b
}

// readMetadata appends what appendMetadata encoded to buf. The strings share b's bytes.
func readMetadata(b []byte, buf []labels.Label) []labels.Label {
	n, k := binary.Uvarint(b)
	b = b[k:]
	text := func() string {
		l, k := binary.Uvarint(b)
		s := textOf(b[k : k+int(l)])
		b = b[k+int(l):]
		return s
	}
	for range n {
		name := text()
		buf = append(buf, labels.Label{Name: name, Value: text()})
	}
	return buf
}

func metadataEqual(encoded []byte, md []labels.Label) bool {
	var scratch [8]labels.Label
	have := readMetadata(encoded, scratch[:0])
	if len(have) != len(md) {
		return false
	}
	for i := range md {
		if have[i] != md[i] {
			return false
		}
	}
	return true
}
