package columnar

import (
	"encoding/binary"
	"errors"
	"fmt"
	"sync"

	"github.com/klauspost/compress/zstd"
)

// ErrMalformed is wrapped by every error about bytes that no encoder writes.
var ErrMalformed = errors.New("malformed columnar data")

func errMalformed(what string) error { return fmt.Errorf("%w: %s", ErrMalformed, what) }

// zstdDecoder decodes frames that are stored without their magic number.
type zstdDecoder struct {
	*zstd.Decoder
	frame []byte
}

var zstdDecoders = sync.Pool{New: func() any {
	// The options are constant and valid: an error cannot happen.
	d, _ := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecodeAllCapLimit(true), zstd.WithDecoderMaxMemory(1<<30))
	return &zstdDecoder{Decoder: d}
}}

// zstdSlack is the room behind what is decompressed that lets the decoder copy whole words.
const zstdSlack = 16

// Times are the timestamps of a column's rows, as many as it has. They are safe for concurrent use.
type Times interface {
	All() []int64
	At(row int) int64
}

// decoder reads a payload front to back. left bounds the sizes that blocks may claim, longest the values that templates give.
type decoder struct {
	b       []byte
	left    int
	longest int
	fault   *fault
	visits  int // by which a value of the column that was skipped last is rebuilt
}

var errEnd = errMalformed("unexpected end")

func (d *decoder) byte() (byte, error) {
	if len(d.b) == 0 {
		return 0, errEnd
	}
	c := d.b[0]
	d.b = d.b[1:]
	return c, nil
}

func (d *decoder) take(n int) ([]byte, error) {
	if uint(n) > uint(len(d.b)) {
		return nil, errEnd
	}
	p := d.b[:n:n]
	d.b = d.b[n:]
	return p, nil
}

func (d *decoder) uvarint() (uint64, error) {
	if len(d.b) > 0 && d.b[0] < 0x80 {
		v := uint64(d.b[0])
		d.b = d.b[1:]
		return v, nil
	}
	return d.longUvarint()
}

func (d *decoder) longUvarint() (uint64, error) {
	v, n := binary.Uvarint(d.b)
	if n <= 0 {
		return 0, errMalformed("bad varint")
	}
	d.b = d.b[n:]
	return v, nil
}

func errCount(v uint64, most int) error {
	return errMalformed(fmt.Sprintf("count %d exceeds %d", v, most))
}

// count reads a number that may be at most most.
func (d *decoder) count(most int) (int, error) {
	v, err := d.uvarint()
	if err != nil {
		return 0, err
	}
	if v > uint64(max(most, 0)) {
		return 0, errCount(v, most)
	}
	return int(v), nil
}

// skipBlock takes a block whose raw length is at most most off d and returns it as it is.
func (d *decoder) skipBlock(most int) ([]byte, error) {
	start := d.b
	codec, err := d.byte()
	if err != nil {
		return nil, err
	}
	raw, err := d.count(min(most, d.left))
	if err != nil {
		return nil, err
	}
	stored := raw
	if codec == codecZstd {
		if stored, err = d.count(len(d.b)); err != nil {
			return nil, err
		}
	}
	if _, err := d.take(stored); err != nil {
		return nil, err
	}
	return start[:len(start)-len(d.b)], nil
}

// block reads a block.
func (d *decoder) block(most int) ([]byte, error) {
	b, err := d.skipBlock(most)
	if err != nil {
		return nil, err
	}
	return readBlock(b, most)
}

// blockInto is block, whose bytes may lie in scratch.
func (d *decoder) blockInto(s *scratch, most int) ([]byte, error) {
	b, err := d.skipBlock(most)
	if err != nil {
		return nil, err
	}
	return readBlockInto(s, b, most)
}

// readBlock decodes what skipBlock returned.
func readBlock(b []byte, most int) ([]byte, error) { return readBlockInto(&scratch{}, b, most) }

// readBlockInto is readBlock, whose bytes may lie in scratch.
func readBlockInto(s *scratch, b []byte, most int) ([]byte, error) {
	data, raw, compressed, err := openBlock(b, most)
	if err != nil || !compressed {
		return data, err
	}
	return expand(s.room(raw+zstdSlack), data, raw)
}

// openBlock gives the bytes of a block: as they are, or raw bytes compressed.
func openBlock(b []byte, most int) (data []byte, raw int, compressed bool, err error) {
	d := decoder{b: b}
	codec, err := d.byte()
	if err != nil {
		return nil, 0, false, err
	}
	if raw, err = d.count(most); err != nil {
		return nil, 0, false, err
	}
	switch codec {
	case codecNone:
		data, err = d.take(raw)
		return data, raw, false, err
	case codecZstd:
	default:
		return nil, 0, false, errMalformed(fmt.Sprintf("unknown codec %d", codec))
	}
	size, err := d.count(len(d.b))
	if err != nil {
		return nil, 0, false, err
	}
	return d.b[:size], raw, true, nil
}

// expand decompresses data, of raw bytes, to dst, which has room for them and zstdSlack.
func expand(dst, data []byte, raw int) ([]byte, error) {
	z := zstdDecoders.Get().(*zstdDecoder)
	defer zstdDecoders.Put(z)
	z.frame = append(append(z.frame[:0], zstdMagic...), data...)
	out, err := z.DecodeAll(z.frame, dst)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	if len(out) != raw {
		return nil, errMalformed("block has another length than stated")
	}
	return out, nil
}

// Values is an opened column: a list of byte strings. It decodes parts of itself when they are first needed, and is safe for concurrent use.
type Values struct {
	column
	fault *fault
}

// Append appends row's value to dst.
func (v *Values) Append(dst []byte, row int) []byte { return v.column.append(dst, row) }

// Err returns what was found wrong since the column was opened; values read before may then be wrong.
// It can happen only with bytes that no encoder wrote, which a checksum keeps out.
func (v *Values) Err() error { return v.fault.get() }

// Decode opens a column of n rows, whose values are together at most maxBytes long, and returns what follows it. ts is nil when the column was
// encoded without timestamps.
func Decode(b []byte, n int, ts Times, maxBytes int) (*Values, []byte, error) {
	v := &Values{fault: &fault{}}
	if n == 0 {
		v.column = constColumn(nil)
		return v, b, nil
	}
	d := &decoder{b: b, left: 16*maxBytes + 64*n + 1<<20, longest: maxBytes, fault: v.fault}
	c, err := d.column(n, ts, 0)
	v.column = c
	return v, d.b, err
}

// ReadInts reads an int stream of n numbers, at least one, and returns what follows it. A number of type int64 stands for the uint64 with its bits.
func ReadInts[T uint64 | int64](b []byte, n int) ([]T, []byte, error) {
	d := &decoder{b: b, left: 8*n + 1<<10, fault: &fault{}}
	var s intHeader
	if err := s.read(d, n, false); err != nil {
		return nil, nil, err
	}
	out := make([]T, n)
	err := unpack(&s, out, nil)
	return out, d.b, err
}

func (d *decoder) column(n int, ts Times, depth int) (column, error) {
	kind, err := d.byte()
	if err != nil {
		return nil, err
	}
	if depth > maxDepth+2 {
		return nil, errMalformed("columns nest too deep")
	}
	switch kind {
	case kindConst:
		size, err := d.count(len(d.b))
		if err != nil {
			return nil, err
		}
		v, err := d.take(size)
		return constColumn(v), err
	case kindInts:
		v, err := d.ints(n, ts)
		return &intColumn{v}, err
	case kindFixedInts:
		width, err := d.digits()
		if err != nil {
			return nil, err
		}
		v, err := d.ints(n, ts)
		return &fixedColumn{v, width}, err
	case kindDigits:
		lens, err := d.ints(n, nil)
		if err != nil {
			return nil, err
		}
		lens.below = 20
		v, err := d.ints(n, ts)
		return &digitsColumn{v, lens}, err
	case kindDecimal:
		places, err := d.decimals()
		if err != nil {
			return nil, err
		}
		v, err := d.ints(n, nil)
		return &decimalColumn{v, places}, err
	case kindHex:
		return d.hex(n)
	case kindUUID:
		return d.uuids(n)
	case kindHexInts:
		flags, width, err := d.hexIntHead()
		if err != nil {
			return nil, err
		}
		v, err := d.ints(n, nil)
		return &hexIntColumn{v, width, flags&1 != 0}, err
	case kindDict:
		count, err := d.dictSize(n)
		if err != nil {
			return nil, err
		}
		ids, err := d.ints(n, nil)
		if err != nil {
			return nil, err
		}
		ids.below = uint64(count)
		entries, err := d.column(count, nil, depth+1)
		return &dictColumn{ids, entries, count}, err
	case kindRaw:
		return d.raw(n)
	case kindTemplates:
		return d.templates(n, ts, depth, false)
	case kindMarked:
		return d.templates(n, ts, depth, true)
	}
	return nil, errMalformed(fmt.Sprintf("unknown column kind %d", kind))
}

// digits reads the width of decimal digits.
func (d *decoder) digits() (int, error) {
	width, err := d.byte()
	if err != nil || width > 19 {
		return 0, errMalformed("digits too wide")
	}
	return int(width), nil
}

// decimals reads how many digits stand behind the point.
func (d *decoder) decimals() (int, error) {
	places, err := d.byte()
	if err != nil || places > 18 {
		return 0, errMalformed("too many decimals")
	}
	return int(places), nil
}

// hexIntHead reads the case and width of hex digits that fit numbers.
func (d *decoder) hexIntHead() (flags byte, width int, err error) {
	head, err := d.take(2)
	if err != nil || head[1] > 16 {
		return 0, 0, errMalformed("hex digits too wide")
	}
	return head[0], int(head[1]), nil
}

// hexHead reads the case and width of other hex digits, of n values.
func (d *decoder) hexHead(n int) (flags byte, width int, err error) {
	if flags, err = d.byte(); err != nil {
		return 0, 0, err
	}
	width, err = d.count(min(1<<16, 2*d.left/n))
	return flags, width, err
}

// dictSize reads how many entries the dictionary of n values has.
func (d *decoder) dictSize(n int) (int, error) {
	count, err := d.count(n)
	if err != nil || count == 0 {
		return 0, errMalformed("dictionary size")
	}
	return count, nil
}

func (d *decoder) hex(n int) (column, error) {
	flags, width, err := d.hexHead(n)
	if err != nil {
		return nil, err
	}
	block, err := d.skipBlock(n * width / 2)
	return &hexColumn{bytes: lazyBlock{data: block, size: n * (width / 2), fault: d.fault}, width: width / 2, upper: flags&1 != 0}, err
}

func (d *decoder) raw(n int) (column, error) {
	lens, err := d.ints(n, nil)
	if err != nil {
		return nil, err
	}
	block, err := d.skipBlock(d.left)
	return &rawColumn{lens: lens, bytes: lazyBlock{data: block, size: -1, most: d.left, fault: d.fault}}, err
}

// lazyBlock is a block that is decoded when it is first used. What cannot be decoded reads as zeros.
type lazyBlock struct {
	once  sync.Once
	data  []byte
	size  int // expected, or -1
	most  int // where size is -1
	fault *fault
	out   []byte
}

func (l *lazyBlock) all() []byte {
	l.once.Do(func() {
		out, err := readBlock(l.data, max(l.size, l.most))
		if err == nil && l.size >= 0 && len(out) != l.size {
			err = errMalformed("block length")
		}
		if err != nil {
			l.fault.set(err)
			out = make([]byte, max(l.size, 0))
		}
		l.out, l.data = out, nil
	})
	return l.out
}
