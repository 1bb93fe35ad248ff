package filter

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// naiveOrders says in other words which k-mers of a text are chosen.
func naiveOrders(text []byte) map[uint64]bool {
	out := map[uint64]bool{}
	order := func(kmer []byte) uint64 {
		var v, digits uint64
		for _, b := range kmer {
			if b >= 'A' && b <= 'Z' {
				b |= 0x20
			}
			if b >= '0' && b <= '9' {
				digits = 1 << 63
			}
			v = v<<8 | uint64(b)
		}
		return v*orderMul%(1<<48) + digits
	}
	for at := 0; at+MinNeedle <= len(text); at++ {
		least := ^uint64(0)
		for i := range Window {
			least = min(least, order(text[at+i:at+i+K]))
		}
		out[least] = true
	}
	return out
}

func TestChosenAreTheLeastOfEachWindow(t *testing.T) {
	for seed := range uint64(100) {
		r := rand.New(rand.NewPCG(seed, 7))
		var keys Keys
		want := map[uint64]bool{}
		var c chooser
		for range r.IntN(200) {
			text := randomText(r)
			orders := naiveOrders(text)
			got := map[uint64]bool{}
			chosen := slices.Clone(c.choose(text))
			for _, o := range chosen {
				got[o] = true
			}
			require.Equal(t, orders, got, "%q", text)
			if len(text) >= MinNeedle {
				require.Equal(t, chosen, c.chooseScalar(text), "%q", text)
			}
			for o := range orders {
				want[hash(o)] = true
			}
			keys.AddLine(text)
		}
		f := keys.Chunk()
		require.True(t, slices.IsSorted(f.Hashes))
		var hashes []uint64
		for h := range want {
			hashes = append(hashes, h)
		}
		slices.Sort(hashes)
		require.Equal(t, newChunk(hashes, keys.escapes), f)
	}
}

func BenchmarkAddLine(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 1))
	line := make([]byte, 150)
	for i := range line {
		line[i] = byte('0' + r.IntN(70))
	}
	var k Keys
	b.SetBytes(64 * int64(len(line)))
	for b.Loop() {
		k.Reset()
		for i := range 64 {
			line[i] ^= 1
			k.AddLine(line)
		}
	}
}
