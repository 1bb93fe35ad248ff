package filter

import (
	"bytes"
	"math/bits"
	"slices"
)

// Parameters of the choice of k-mers. They are part of the format: a reader derives a needle's keys with the same ones.
const (
	K         = 6
	Window    = 11
	MinNeedle = K + Window - 1
)

// folded is a byte with its ASCII letters in lower case.
var folded [256]byte

func init() {
	for c := range 256 {
		folded[c] = byte(c)
		if c >= 'A' && c <= 'Z' {
			folded[c] += 'a' - 'A'
		}
	}
}

const (
	kmerMask = 1<<(8*K) - 1
	orderMul = 0x9e3779b97f4a7c15
	hashMul  = 0xd6e8feb86659fd93
)

// hash spreads a k-mer's order over 64 bits.
func hash(order uint64) uint64 {
	hi, lo := bits.Mul64(order^orderMul, hashMul)
	return hi ^ lo
}

// chooser finds the k-mers that are chosen from a text. It names a k-mer by its order: a number that no other k-mer has.
type chooser struct {
	orders []uint64 // of the k-mers of the text
	least  []uint64 // those of the chosen ones; one that is chosen by consecutive windows comes once
}

// digits marks the order of a k-mer that holds a digit: it comes after all that hold none.
const digits = 1 << 63

// choose returns the orders of the chosen k-mers of text, valid until the next call.
func (c *chooser) choose(text []byte) []uint64 {
	n := len(text) - K + 1
	if n < Window {
		return nil
	}
	if cap(c.orders) < n {
		c.orders = make([]uint64, n+n/2)
	}
	orders := c.orders[:n]
	var v uint64
	plain := 0 // bytes since the last digit
	for _, b := range text[:K-1] {
		v = v<<8 | uint64(folded[b])
		plain++
		if b-'0' <= 9 {
			plain = 0
		}
	}
	for i, b := range text[K-1:] {
		v = v<<8 | uint64(folded[b])
		plain++
		if b-'0' <= 9 {
			plain = 0
		}
		// An odd factor permutes the numbers of 48 bits; the highest ones depend on all of the k-mer.
		order := v * orderMul & kmerMask
		if plain < K {
			order |= digits
		}
		orders[i] = order
	}
	out := c.least[:0]
	var least uint64
	left := 0 // windows in which least is still the least
	for i, order := range orders {
		switch {
		case i < Window-1:
			continue
		case left > 0 && order >= least:
			left--
			continue
		case left > 0:
			least, left = order, Window-1
		default:
			window := orders[i-Window+1 : i+1]
			at := 0
			for j, o := range window {
				if o < window[at] {
					at = j
				}
			}
			least, left = window[at], at
		}
		out = append(out, least)
	}
	c.least = out
	return out
}

// Keys collects the keys of one chunk. It may be reused after Reset.
type Keys struct {
	chooser chooser
	recent  [1 << 12]uint64 // orders of the k-mers added lately, plus one
	hashes  []uint64
	escapes bool
}

// Reset forgets everything.
func (k *Keys) Reset() {
	k.hashes = k.hashes[:0]
	k.escapes = false
	clear(k.recent[:])
}

// AddLine adds a line.
func (k *Keys) AddLine(line []byte) {
	k.escapes = k.escapes || bytes.IndexByte(line, '\\') >= 0
	k.add(line)
}

// AddValue adds the value of a structured metadata label.
func (k *Keys) AddValue(value string) {
	if len(value) >= MinNeedle {
		k.add([]byte(value))
	}
}

func (k *Keys) add(text []byte) {
	for _, order := range k.chooser.choose(text) {
		if slot := &k.recent[order>>36&(1<<12-1)]; *slot != order+1 {
			*slot = order + 1
			k.hashes = append(k.hashes, hash(order))
		}
	}
}

// Chunk returns the filter of what was added.
func (k *Keys) Chunk() Chunk {
	slices.Sort(k.hashes)
	k.hashes = slices.Compact(k.hashes)
	return newChunk(k.hashes, k.escapes)
}

// Needle returns the keys that every text which contains needle is sure to have, or nil when the needle is too short to have any.
func Needle(needle []byte) []uint64 {
	var c chooser
	var keys []uint64
	for _, order := range c.choose(needle) {
		keys = append(keys, hash(order))
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}
