// Package cursor reads the fields of binary records that may be damaged: no size in them is believed before it is held against what is there.
package cursor

import (
	"encoding/binary"
	"math"
)

// Cursor reads fields from the front of Rest. After the first that is not there, or is no number, Rest is empty, Bad reports it, and everything
// reads as zero; so callers look once, behind several fields.
type Cursor struct {
	Rest []byte
	bad  bool
}

// Bad reports that a field could not be read.
func (c *Cursor) Bad() bool { return c.bad }

// Fail makes the cursor bad.
func (c *Cursor) Fail() { c.bad, c.Rest = true, nil }

// Byte reads one byte.
func (c *Cursor) Byte() byte {
	if len(c.Rest) < 1 {
		c.Fail()
		return 0
	}
	v := c.Rest[0]
	c.Rest = c.Rest[1:]
	return v
}

// Uint32 reads four bytes, little-endian.
func (c *Cursor) Uint32() uint32 {
	if len(c.Rest) < 4 {
		c.Fail()
		return 0
	}
	v := binary.LittleEndian.Uint32(c.Rest)
	c.Rest = c.Rest[4:]
	return v
}

// Uint64 reads eight bytes, little-endian.
func (c *Cursor) Uint64() uint64 {
	if len(c.Rest) < 8 {
		c.Fail()
		return 0
	}
	v := binary.LittleEndian.Uint64(c.Rest)
	c.Rest = c.Rest[8:]
	return v
}

// Uvarint reads a number as binary.AppendUvarint writes it.
func (c *Cursor) Uvarint() uint64 {
	v, n := binary.Uvarint(c.Rest)
	if n <= 0 {
		c.Fail()
		return 0
	}
	c.Rest = c.Rest[n:]
	return v
}

// Varint reads a number as binary.AppendVarint writes it.
func (c *Cursor) Varint() int64 {
	v, n := binary.Varint(c.Rest)
	if n <= 0 {
		c.Fail()
		return 0
	}
	c.Rest = c.Rest[n:]
	return v
}

// Size reads a Uvarint that fits into 32 bits.
func (c *Cursor) Size() uint32 {
	v := c.Uvarint()
	if v > math.MaxUint32 {
		c.Fail()
		return 0
	}
	return uint32(v)
}

// Count reads, as a Uvarint, the number of things of which each takes at least size bytes of what follows.
func (c *Cursor) Count(size int) int {
	n := c.Uvarint()
	if n > uint64(len(c.Rest)/size) {
		c.Fail()
		return 0
	}
	return int(n)
}

// Bytes gives the next n bytes. They share Rest's array, and cannot grow in it.
func (c *Cursor) Bytes(n uint64) []byte {
	if n > uint64(len(c.Rest)) {
		c.Fail()
		return nil
	}
	b := c.Rest[:n:n]
	c.Rest = c.Rest[n:]
	return b
}

// Text reads a length, as a Uvarint, and a copy of as many bytes.
func (c *Cursor) Text() string { return string(c.Bytes(c.Uvarint())) }
