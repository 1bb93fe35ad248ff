package filter

import "golang.org/x/sys/cpu"

var (
	hasVectors     = cpu.X86.HasAVX2 && cpu.X86.HasPOPCNT
	hasWideVectors = hasVectors && cpu.X86.HasAVX512F && cpu.X86.HasAVX512BW && cpu.X86.HasAVX512DQ
)

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

// ordersAVX512 writes the orders of the first n 6-mers of text, and up to seven more. It reads 16 bytes from where each group of eight begins.
//
//go:noescape
func ordersAVX512(orders *uint64, text *byte, n int)

// leastAVX512 writes the orders that windows choose, each once where it is chosen by consecutive windows, and returns how many they are. It overwrites
// orders, reads up to 17 of them more than windows is, and writes up to seven numbers more than it tells.
//
//go:noescape
func leastAVX512(least, orders *uint64, windows int) (kept int)

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
	if hasWideVectors {
		ordersAVX512(&orders[0], &padded[0], n-K+1)
		return least[:leastAVX512(&least[0], &orders[0], n-MinNeedle+1)]
	}
	ordersAVX2(&orders[0], &padded[0], n-K+1)
	return least[:leastAVX2(&least[0], &orders[0], n-MinNeedle+1, &packing)]
}
