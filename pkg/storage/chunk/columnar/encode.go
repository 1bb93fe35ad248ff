package columnar

import (
	"bytes"
	"encoding/binary"

	"github.com/klauspost/compress/zstd"
)

// Column kinds. The numbers are part of the format.
const (
	kindConst     = 1
	kindInts      = 2 // decimal digits without leading zeros
	kindFixedInts = 3 // decimal digits, all of one width
	kindDigits    = 4 // decimal digits of any width
	kindDecimal   = 5 // [-]digits.digits with a fixed number of decimals
	kindHex       = 6 // an even number of hex digits over 16, all of one width and one case
	kindDict      = 7
	kindRaw       = 8
	kindTemplates = 9  // with the lengths of literals; written by earlier versions
	kindTime      = 10 // only among the fields of a template: three or four slots that are a time of day
	kindHexInts   = 12 // hex digits of one case, all of one width or none with leading zeros
	kindMarked    = 13 // templates with marks in their text
	kindUUID      = 14 // of one case
	kindCopy      = 11 // only among the fields of a template: the text of an earlier slot
)

// maxDepth bounds how deep columns of parts nest: lines, their values, the parts of these.
const maxDepth = 3

// Encoder encodes columns. It may be reused, by one goroutine at a time.
type Encoder struct {
	text, fast *zstd.Encoder
	grouper

	cuts   [maxDepth]cuts    // by depth
	times  [maxDepth][]int64 // by depth: timestamps of the rows of a template
	marked []byte            // the text of templates

	free      [][]uint64 // scratch for int streams, reset by each top-level column
	used      int
	freeTexts [][][]byte // scratch for values
	usedTexts int
	buf       []byte
	zbuf      []byte
	seen      [repeatSlots]uint32
	dict      dictionary
}

// NewEncoder returns an Encoder.
func NewEncoder() *Encoder {
	text, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedBetterCompression), zstd.WithEncoderConcurrency(1), zstd.WithEncoderCRC(false), zstd.WithWindowSize(1<<20), zstd.WithSingleSegment(true))
	if err != nil {
		panic(err) // options are constant
	}
	fast, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedDefault), zstd.WithEncoderConcurrency(1), zstd.WithEncoderCRC(false), zstd.WithWindowSize(1<<18), zstd.WithSingleSegment(true))
	if err != nil {
		panic(err)
	}
	return &Encoder{text: text, fast: fast, grouper: grouper{words: tokenizer{words: true}}}
}

// grab returns scratch for n numbers that stays valid until the end of the column that is being encoded.
func (e *Encoder) grab(n int) []uint64 {
	if e.used == len(e.free) {
		e.free = append(e.free, nil)
	}
	s := e.free[e.used]
	if cap(s) < n {
		s = make([]uint64, n, n+n/4)
		e.free[e.used] = s
	}
	e.used++
	return s[:n]
}

// grabTexts returns scratch for n values that stays valid until the end of the column that is being encoded.
func (e *Encoder) grabTexts(n int) [][]byte {
	if e.usedTexts == len(e.freeTexts) {
		e.freeTexts = append(e.freeTexts, nil)
	}
	s := sized(e.freeTexts[e.usedTexts], n)
	e.freeTexts[e.usedTexts] = s
	e.usedTexts++
	return s
}

func (e *Encoder) bytes(n int) []byte {
	if cap(e.buf) < n {
		e.buf = make([]byte, n+n/4)
	}
	return e.buf[:n]
}

// block appends b, compressed where that pays: codec byte | raw length | [stored length] | bytes. A zstd frame is stored
// without its magic number.
func (e *Encoder) block(dst, b []byte) []byte {
	if len(b) < compressFrom {
		return storedBlock(dst, b)
	}
	return e.compressed(dst, b, e.text)
}

// numberBlock is block for the bytes of numbers that take limit bytes in another way.
func (e *Encoder) numberBlock(dst, b []byte, limit int) []byte {
	if len(b) < compressFrom || !e.promising(b, limit) {
		return storedBlock(dst, b)
	}
	return e.compressed(dst, b, e.fast)
}

// compressFrom is the size under which no block is compressed.
const compressFrom = 24

func (e *Encoder) compressed(dst, b []byte, z *zstd.Encoder) []byte {
	e.zbuf = z.EncodeAll(b, e.zbuf[:0])
	frame := e.zbuf[len(zstdMagic):]
	if len(frame) >= len(b)-len(b)/64-2 {
		return storedBlock(dst, b)
	}
	dst = append(dst, codecZstd)
	dst = binary.AppendUvarint(dst, uint64(len(b)))
	dst = binary.AppendUvarint(dst, uint64(len(frame)))
	return append(dst, frame...)
}

// storedBlock appends b as a block that is not compressed.
func storedBlock(dst, b []byte) []byte {
	dst = append(dst, codecNone)
	dst = binary.AppendUvarint(dst, uint64(len(b)))
	return append(dst, b...)
}

const (
	codecNone = 0
	codecZstd = 1

	zstdMagic = "\x28\xb5\x2f\xfd"
)

// Column appends the values as one column. ts are their rows' timestamps in nanoseconds, or nil; the decoder is given the same.
func (e *Encoder) Column(dst []byte, values [][]byte, ts []int64) []byte {
	if len(values) == 0 {
		return dst
	}
	e.used, e.usedTexts = 0, 0
	return e.column(dst, values, ts, 0)
}

// Ints appends an int stream of at least one number.
func (e *Encoder) Ints(dst []byte, v []uint64) []byte {
	e.used = 0
	return e.ints(dst, v, nil)
}

func (e *Encoder) column(dst []byte, values [][]byte, ts []int64, depth int) []byte {
	mark, markTexts := e.used, e.usedTexts
	defer func() { e.used, e.usedTexts = mark, markTexts }()
	if allEqual(values) {
		dst = append(dst, kindConst)
		dst = binary.AppendUvarint(dst, uint64(len(values[0])))
		return append(dst, values[0]...)
	}
	d := e.distinct(values)
	if d.complete && depth > 0 && d.pays(len(values)) {
		return e.dictColumn(dst, values, d, depth)
	}
	if out, ok := e.numeric(dst, values, ts); ok {
		return out
	}
	if d.complete && d.pays(len(values)) {
		return e.dictColumn(dst, values, d, depth)
	}
	if depth < maxDepth && len(values) >= 4 {
		if out, ok := e.templates(dst, values, ts, depth); ok {
			return out
		}
	}
	return e.raw(dst, values)
}

func allEqual(values [][]byte) bool {
	for _, v := range values[1:] {
		if !bytes.Equal(v, values[0]) {
			return false
		}
	}
	return true
}

// raw appends lengths and bytes.
func (e *Encoder) raw(dst []byte, values [][]byte) []byte {
	lens := e.grab(len(values))
	total := 0
	for i, v := range values {
		lens[i] = uint64(len(v))
		total += len(v)
	}
	dst = append(dst, kindRaw)
	dst = e.ints(dst, lens, nil)
	all := e.bytes(total)[:0]
	for _, v := range values {
		all = append(all, v...)
	}
	return e.block(dst, all)
}

// dictColumn appends the distinct values in order of first use, and each row's index into them.
func (e *Encoder) dictColumn(dst []byte, values [][]byte, d *distinctValues, depth int) []byte {
	entries := e.grabTexts(len(d.entries))
	copy(entries, d.entries)
	ids := e.grab(len(values))
	for i, id := range d.ids {
		ids[i] = uint64(id)
	}
	dst = append(dst, kindDict)
	dst = binary.AppendUvarint(dst, uint64(len(entries)))
	dst = e.ints(dst, ids, nil)
	return e.column(dst, entries, nil, max(depth, maxDepth-1))
}
