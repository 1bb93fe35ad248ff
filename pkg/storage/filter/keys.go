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

// letter is a byte as k-mers see it: ASCII letters in lower case, and isDigit set for digits.
var letter [256]uint16

const isDigit = 1 << 8

func init() {
	for c := range 256 {
		letter[c] = uint16(c)
		switch {
		case c >= 'A' && c <= 'Z':
			letter[c] += 'a' - 'A'
		case c >= '0' && c <= '9':
			letter[c] |= isDigit
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
	text   []byte   // with bytes to spare behind it
	orders []uint64 // of the k-mers of the text
	least  []uint64 // those of the chosen ones; one that is chosen by consecutive windows comes once
}

// A k-mer that holds a digit has the bit digitsBit of its order set: it comes after all that hold none.
const digitsBit = 63

// order writes the orders of the k-mers of text, which has at least one.
func (c *chooser) order(text []byte) []uint64 {
	n := len(text) - K + 1
	if cap(c.orders) < n {
		c.orders = make([]uint64, n+n/2)
	}
	orders := c.orders[:n]
	var v, digits uint64 // the last bytes, and a bit for each that says whether it is a digit
	for _, b := range text[:K-1] {
		l := uint64(letter[b])
		v = v<<8 | l&0xff
		digits = digits<<1 | l/isDigit
	}
	for i, b := range text[K-1:] {
		l := uint64(letter[b])
		v = v<<8 | l&0xff
		digits = digits<<1 | l/isDigit
		// An odd factor permutes the numbers of 48 bits; the highest ones depend on all of the k-mer.
		some := (digits&(1<<K-1) + (1<<K - 1)) >> K
		orders[i] = v*orderMul&kmerMask | some<<digitsBit
	}
	return orders
}

// choose returns the orders of the chosen k-mers of text, valid until the next call.
func (c *chooser) choose(text []byte) []uint64 {
	switch {
	case len(text) < MinNeedle:
		return nil
	case hasVectors:
		return c.chooseVectors(text)
	}
	return c.chooseScalar(text)
}

// chooseScalar chooses from a text that has a window.
func (c *chooser) chooseScalar(text []byte) []uint64 {
	orders := c.order(text)
	windows := len(orders) - Window + 1
	if cap(c.least) < windows {
		c.least = make([]uint64, windows+windows/2)
	}
	least := c.least[:windows]
	// The orders are cut into blocks as long as a window, so that each window is the end of one block and the beginning of the next. What is
	// least at the end of a block is found backwards, at the beginning of the next one forwards: no branch depends on the orders.
	kept := 0
	last := ^uint64(0)
	var ends [16]uint64 // of which a block takes Window; the size spares checks of bounds
	for from := 0; from < windows; from += Window {
		block := (*[Window]uint64)(orders[from:])
		m := block[Window-1]
		for i := Window - 2; i >= 0; i-- {
			ends[i+1] = m
			m = min(m, block[i])
		}
		least[kept] = m
		if m != last {
			kept++
		}
		last = m
		begin := ^uint64(0)
		for i, order := range orders[from+Window : from+Window+min(Window, windows-from)-1] {
			begin = min(begin, order)
			m := min(ends[(i+1)&15], begin)
			least[kept] = m
			if m != last {
				kept++
			}
			last = m
		}
	}
	return least[:kept]
}

// Keys collects the keys of one chunk. It may be reused after Reset.
type Keys struct {
	chooser chooser
	recent  [1 << 12]uint64 // orders of the k-mers added lately, plus one
	orders  []uint64        // of the k-mers added
	hashes  []uint64        // of these, once they are sorted
	spare   []uint64        // for sorting
	counts  []uint32        // for sorting
	escapes bool
}

// Reset forgets everything.
func (k *Keys) Reset() {
	k.orders = k.orders[:0]
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
	orders := k.chooser.choose(text)
	k.orders = slices.Grow(k.orders, len(orders))
	n := len(k.orders)
	added := k.orders[n : n+len(orders)]
	n = 0
	for _, order := range orders {
		slot := &k.recent[order>>36&(1<<12-1)]
		added[n] = order // what was added lately is written over: whether it was is hard to foretell
		if *slot != order+1 {
			n++
		}
		*slot = order + 1
	}
	k.orders = k.orders[:len(k.orders)+n]
}

// sort sorts the hashes of what was added. Their bits are random, so that they are dealt to buckets of one or two by the first ones, and each is at most some places
// away from where it belongs.
func (k *Keys) sort() {
	n := len(k.orders)
	k.hashes = slices.Grow(k.hashes[:0], n)[:n]
	for i, order := range k.orders {
		k.hashes[i] = hash(order)
	}
	if n < 64 {
		slices.Sort(k.hashes)
		return
	}
	shift := 64 - bits.Len(uint(n)) + 1
	k.counts = append(k.counts[:0], make([]uint32, 1<<(64-shift)+1)...)
	for _, h := range k.hashes {
		k.counts[h>>shift+1]++
	}
	for i := range k.counts[1:] {
		k.counts[i+1] += k.counts[i]
	}
	k.spare = slices.Grow(k.spare[:0], n)[:n]
	for _, h := range k.hashes {
		at := &k.counts[h>>shift]
		k.spare[*at] = h
		*at++
	}
	sorted := k.spare
	for i := 1; i < n; i++ {
		h := sorted[i]
		at := i
		for at > 0 && sorted[at-1] > h {
			sorted[at] = sorted[at-1]
			at--
		}
		sorted[at] = h
	}
	k.hashes, k.spare = sorted, k.hashes
}

// Chunk returns the filter of what was added.
func (k *Keys) Chunk() Chunk {
	k.sort()
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
