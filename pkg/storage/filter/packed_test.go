package filter

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/cambium-logs/cambium/internal/race"
)

// Packing loses nothing, and a section made of packed filters has the same bytes.
func TestPacked(t *testing.T) {
	for seed := range race.Cases(uint64(60)) {
		r := rand.New(rand.NewPCG(seed, 0))
		chunks := make([]Chunk, 1+r.IntN(20))
		packed := make([]Packed, len(chunks))
		for i := range chunks {
			hashes := make([]uint64, r.IntN([]int{1, 20, 3000}[r.IntN(3)]+1))
			for k := range hashes {
				hashes[k] = r.Uint64()
			}
			slices.Sort(hashes)
			chunks[i] = newChunk(slices.Compact(hashes), r.IntN(2) == 0)
			packed[i] = Pack(&chunks[i])
			back := packed[i].Unpack()
			require.Equal(t, chunks[i], back)
		}
		section := Encode([]byte("x"), chunks)
		require.Equal(t, section, EncodePacked([]byte("x"), packed))
		size, err := HeaderSize(section[1:])
		require.NoError(t, err)
		require.LessOrEqual(t, size, HeaderBound(len(chunks)))
		back, err := DecodePacked(section[1:])
		require.NoError(t, err)
		require.Equal(t, packed, back)
		for at := 1; at < len(section); at += 1 + len(section)/200 {
			bad := slices.Clone(section[1:])
			bad[at-1] ^= 1
			_, err := DecodePacked(bad)
			require.ErrorIs(t, err, ErrCorrupt)
		}
	}
}
