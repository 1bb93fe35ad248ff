package filter

// hasVectors reports whether the processor has AVX2 and POPCNT, and the system keeps the registers of 256 bits.
var hasVectors = func() bool {
	const (
		popcnt, osxsave, avx = 1 << 23, 1 << 27, 1 << 28 // of leaf 1
		avx2                 = 1 << 5                    // of leaf 7
		vectorState          = 6
	)
	if leaves, _, _ := cpuid(0); leaves < 7 {
		return false
	}
	_, _, features := cpuid(1)
	_, extended, _ := cpuid(7)
	return features&(popcnt|osxsave|avx) == popcnt|osxsave|avx && enabledState()&vectorState == vectorState && extended&avx2 != 0
}()

// cpuid asks the processor for subleaf 0 of a leaf.
//
//go:noescape
func cpuid(leaf uint32) (eax, ebx, ecx uint32)

// enabledState tells which registers the system keeps. It needs OSXSAVE.
//
//go:noescape
func enabledState() (eax uint32)

// packing says, for every set of four numbers, where the halves of those in the set are, in order.
var packing = func() (p [16][8]uint32) {
	for set := range p {
		at := 0
		for i := range uint32(4) {
			if set>>i&1 != 0 {
				p[set][at], p[set][at+1] = 2*i, 2*i+1
				at += 2
			}
		}
	}
	return p
}()

// ordersAVX2 writes the orders of the first n 6-mers of text, and up to seven more, with bit digitsBit turned over: as signed numbers they compare as they should.
// It reads 16 bytes from where each group of eight begins.
//
//go:noescape
func ordersAVX2(orders *uint64, text *byte, n int)

// leastAVX2 writes the orders that windows choose, each once where it is chosen by consecutive windows, and returns how many they are. It overwrites orders, reads up to
// 24 of them more than windows is, and writes up to three numbers more than it tells.
//
//go:noescape
func leastAVX2(least, orders *uint64, windows int, packing *[16][8]uint32) (kept int)

// vectorSlack is how many more numbers than a text has bytes the functions above may read and write.
const vectorSlack = 32

// chooseVectors does what chooseScalar does.
func (c *chooser) chooseVectors(text []byte) []uint64 {
	n := len(text)
	if cap(c.text) < n+vectorSlack {
		room := n + n/2 + vectorSlack
		c.text = make([]byte, room)
		c.orders = make([]uint64, room)
		c.least = make([]uint64, room)
	}
	padded, orders, least := c.text[:n+vectorSlack], c.orders[:n+vectorSlack], c.least[:n+vectorSlack]
	copy(padded, text)
	ordersAVX2(&orders[0], &padded[0], n-K+1)
	return least[:leastAVX2(&least[0], &orders[0], n-MinNeedle+1, &packing)]
}
