package columnar

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"
	"strconv"

	"github.com/klauspost/compress/zstd"
)

// ErrMalformed is wrapped by every error about bytes that no encoder writes.
var ErrMalformed = errors.New("malformed columnar data")

func errMalformed(what string) error { return fmt.Errorf("%w: %s", ErrMalformed, what) }

// Column is a decoded column: row i's value is appended by Append.
type Column interface {
	Append(dst []byte, row int) []byte
}

var zdec, _ = zstd.NewReader(nil, zstd.WithDecoderConcurrency(0), zstd.WithDecoderMaxMemory(1<<30), zstd.WithDecoderLowmem(true))

// decoder reads a payload front to back. left bounds what may still be allocated for decompressed data.
type decoder struct {
	b    []byte
	left int
}

func (d *decoder) byte() (byte, error) {
	if len(d.b) == 0 {
		return 0, errMalformed("unexpected end")
	}
	c := d.b[0]
	d.b = d.b[1:]
	return c, nil
}

func (d *decoder) take(n int) ([]byte, error) {
	if n < 0 || n > len(d.b) {
		return nil, errMalformed("unexpected end")
	}
	p := d.b[:n]
	d.b = d.b[n:]
	return p, nil
}

func (d *decoder) uvarint() (uint64, error) {
	v, n := binary.Uvarint(d.b)
	if n <= 0 {
		return 0, errMalformed("bad varint")
	}
	d.b = d.b[n:]
	return v, nil
}

// count reads a number that may be at most most.
func (d *decoder) count(most int) (int, error) {
	v, err := d.uvarint()
	if err != nil {
		return 0, err
	}
	if v > uint64(most) {
		return 0, errMalformed(fmt.Sprintf("count %d exceeds %d", v, most))
	}
	return int(v), nil
}

// block reads a block whose raw length is at most most.
func (d *decoder) block(most int) ([]byte, error) {
	codec, err := d.byte()
	if err != nil {
		return nil, err
	}
	raw, err := d.count(min(most, d.left))
	if err != nil {
		return nil, err
	}
	if codec == codecNone {
		return d.take(raw)
	}
	if codec != codecZstd {
		return nil, errMalformed("unknown codec")
	}
	size, err := d.count(len(d.b))
	if err != nil {
		return nil, err
	}
	frame, err := d.take(size)
	if err != nil {
		return nil, err
	}
	z := append(make([]byte, 0, len(zstdMagic)+size), zstdMagic...)
	z = append(z, frame...)
	d.left -= raw
	out, err := zdec.DecodeAll(z, make([]byte, 0, raw))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	if len(out) != raw {
		return nil, errMalformed("block has another length than stated")
	}
	return out, nil
}

// Decode reads a column of n rows, whose values are together at most maxBytes long, and returns what follows it.
func Decode(b []byte, n int, ts []int64, maxBytes int) (Column, []byte, error) {
	if n == 0 {
		return rawColumn{}, b, nil
	}
	d := &decoder{b: b, left: 16*maxBytes + 64*n + 1<<20}
	c, err := d.column(n, ts, 0)
	return c, d.b, err
}

// ReadInts reads an int stream of n numbers, and returns what follows it.
func ReadInts(b []byte, n int) ([]uint64, []byte, error) {
	d := &decoder{b: b, left: 8*n + 1<<10}
	v, err := d.readInts(n, nil)
	return v, d.b, err
}

func (d *decoder) column(n int, ts []int64, depth int) (Column, error) {
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
		v, err := d.readInts(n, ts)
		return intColumn(v), err
	case kindFixedInts:
		width, err := d.byte()
		if err != nil || width > 19 {
			return nil, errMalformed("digits too wide")
		}
		v, err := d.readInts(n, ts)
		return &fixedColumn{v, int(width)}, err
	case kindDigits:
		lens, err := d.readInts(n, nil)
		if err != nil {
			return nil, err
		}
		for _, l := range lens {
			if l > 19 {
				return nil, errMalformed("digits too wide")
			}
		}
		v, err := d.readInts(n, ts)
		return &digitsColumn{v, lens}, err
	case kindDecimal:
		places, err := d.byte()
		if err != nil || places > 18 {
			return nil, errMalformed("too many decimals")
		}
		v, err := d.readInts(n, nil)
		return &decimalColumn{v, int(places)}, err
	case kindHex:
		return d.hex(n)
	case kindHexInts:
		head, err := d.take(2)
		if err != nil || head[1] > 16 {
			return nil, errMalformed("hex digits too wide")
		}
		v, err := d.readInts(n, nil)
		return &hexIntColumn{v, int(head[1]), head[0]&1 != 0}, err
	case kindDict:
		count, err := d.count(n)
		if err != nil || count == 0 {
			return nil, errMalformed("dictionary size")
		}
		ids, err := d.readInts(n, nil)
		if err != nil {
			return nil, err
		}
		for _, id := range ids {
			if id >= uint64(count) {
				return nil, errMalformed("dictionary index")
			}
		}
		entries, err := d.column(count, nil, depth+1)
		return &dictColumn{ids, entries}, err
	case kindRaw:
		return d.raw(n)
	case kindTemplates:
		return d.templates(n, ts, depth)
	}
	return nil, errMalformed(fmt.Sprintf("unknown column kind %d", kind))
}

func (d *decoder) hex(n int) (Column, error) {
	flags, err := d.byte()
	if err != nil {
		return nil, err
	}
	width, err := d.count(64)
	if err != nil {
		return nil, err
	}
	buf, err := d.block(n * width / 2)
	if err != nil {
		return nil, err
	}
	if len(buf) != n*width/2 {
		return nil, errMalformed("hex column length")
	}
	return &hexColumn{buf, width / 2, flags&1 != 0}, nil
}

func (d *decoder) raw(n int) (Column, error) {
	lens, err := d.readInts(n, nil)
	if err != nil {
		return nil, err
	}
	offs := make([]int, n+1)
	for i, l := range lens {
		if l > uint64(d.left) || offs[i] > d.left {
			return nil, errMalformed("value too long")
		}
		offs[i+1] = offs[i] + int(l)
	}
	buf, err := d.block(offs[n])
	if err != nil {
		return nil, err
	}
	if len(buf) != offs[n] {
		return nil, errMalformed("raw column length")
	}
	return rawColumn{buf, offs}, nil
}

type constColumn []byte

func (c constColumn) Append(dst []byte, _ int) []byte { return append(dst, c...) }

type intColumn []uint64

func (c intColumn) Append(dst []byte, row int) []byte { return strconv.AppendUint(dst, c[row], 10) }

type fixedColumn struct {
	values []uint64
	width  int
}

func (c *fixedColumn) Append(dst []byte, row int) []byte {
	return appendFixed(dst, c.values[row], c.width)
}

type digitsColumn struct{ values, widths []uint64 }

func (c *digitsColumn) Append(dst []byte, row int) []byte {
	return appendFixed(dst, c.values[row], int(c.widths[row]))
}

type decimalColumn struct {
	values []uint64
	places int
}

func (c *decimalColumn) Append(dst []byte, row int) []byte {
	v := int64(unzigzag(c.values[row]))
	u := uint64(v)
	if v < 0 {
		dst = append(dst, '-')
		u = -u
	}
	dst = strconv.AppendUint(dst, u/pow10[c.places], 10)
	dst = append(dst, '.')
	return appendFixed(dst, u%pow10[c.places], c.places)
}

const (
	lowerDigits = "0123456789abcdef"
	upperDigits = "0123456789ABCDEF"
)

type hexColumn struct {
	buf   []byte
	width int // bytes of a value
	upper bool
}

func (c *hexColumn) Append(dst []byte, row int) []byte {
	digits := lowerDigits
	if c.upper {
		digits = upperDigits
	}
	for _, b := range c.buf[row*c.width : (row+1)*c.width] {
		dst = append(dst, digits[b>>4], digits[b&15])
	}
	return dst
}

type hexIntColumn struct {
	values []uint64
	width  int // 0: as many digits as needed
	upper  bool
}

func (c *hexIntColumn) Append(dst []byte, row int) []byte {
	v := c.values[row]
	width := c.width
	if width == 0 {
		width = max(1, (bits.Len64(v)+3)/4)
	}
	digits := lowerDigits
	if c.upper {
		digits = upperDigits
	}
	for i := width - 1; i >= 0; i-- {
		dst = append(dst, digits[v>>(4*i)&15])
	}
	return dst
}

type dictColumn struct {
	ids     []uint64
	entries Column
}

func (c *dictColumn) Append(dst []byte, row int) []byte {
	return c.entries.Append(dst, int(c.ids[row]))
}

type rawColumn struct {
	buf  []byte
	offs []int
}

func (c rawColumn) Append(dst []byte, row int) []byte {
	return append(dst, c.buf[c.offs[row]:c.offs[row+1]]...)
}

type clockColumn struct {
	values        []uint64
	slots, digits int
}
