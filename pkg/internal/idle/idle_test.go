package idle

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestSet holds the set against a list that is searched.
func TestSet(t *testing.T) {
	for limit := range 6 {
		r := rand.New(rand.NewPCG(uint64(limit), 1))
		s := NewSet[int](limit)
		var want []int // the latest last
		for range 2000 {
			key := r.IntN(9)
			if at := slices.Index(want, key); at >= 0 {
				want = slices.Delete(want, at, at+1)
			}
			if r.IntN(3) == 0 {
				s.Delete(key)
			} else {
				want = append(want, key)
				first, over := s.Put(key)
				require.Equal(t, len(want) > max(limit, 1), over)
				if over {
					require.Equal(t, want[0], first)
					want = want[1:]
				}
			}
			require.Equal(t, len(want), s.Len())
		}
	}
}
