package filter

import (
	"math/bits"
	"slices"
)

// falseBits is the number of bits that a stored hash has more than are needed to count the chunk's keys: one false answer in 2^falseBits or more.
const falseBits = 6

// maxPrecision bounds the bits of a stored hash.
const maxPrecision = 40

// Chunk is the filter of one chunk: the first Precision bits of its keys, ascending and distinct.
type Chunk struct {
	Precision int
	Escapes   bool // some line holds a backslash, so that a value parsed from it need not stand in it letter by letter
	Hashes    []uint64
}

func newChunk(sorted []uint64, escapes bool) Chunk {
	c := Chunk{Precision: min(maxPrecision, bits.Len(uint(len(sorted)))+falseBits), Escapes: escapes}
	c.Hashes = make([]uint64, len(sorted))
	kept, last := 0, ^uint64(0)
	for _, h := range sorted {
		h >>= 64 - c.Precision
		c.Hashes[kept] = h // what comes again is written over: whether it does is hard to foretell
		if h != last {
			kept++
		}
		last = h
	}
	c.Hashes = c.Hashes[:kept]
	return c
}

// Has reports whether the key may be among the chunk's.
func (c *Chunk) Has(key uint64) bool {
	_, ok := slices.BinarySearch(c.Hashes, key>>(64-c.Precision))
	return ok
}

// Union returns the filter of the texts of both chunks together. Its precision is the lower one, so that unions of many chunks
// answer more and more falsely: re-built filters are better where the texts are at hand.
func (c *Chunk) Union(o *Chunk) Chunk {
	precision := min(c.Precision, o.Precision)
	out := Chunk{Precision: precision, Escapes: c.Escapes || o.Escapes, Hashes: make([]uint64, 0, len(c.Hashes)+len(o.Hashes))}
	for _, f := range []*Chunk{c, o} {
		for _, h := range f.Hashes {
			out.Hashes = append(out.Hashes, h>>(f.Precision-precision))
		}
	}
	slices.Sort(out.Hashes)
	out.Hashes = slices.Compact(out.Hashes)
	return out
}
