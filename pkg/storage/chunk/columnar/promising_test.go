package columnar

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestNumbersAreCompressedWhereItPays(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	const n = 4000
	numbers := func(of func(i int) uint64) []uint64 {
		v := make([]uint64, n)
		for i := range v {
			v[i] = of(i)
		}
		return v
	}
	for _, c := range []struct {
		name string
		v    []uint64
		most int // bytes
	}{
		{"random", numbers(func(int) uint64 { return r.Uint64N(16) }), n/2 + 16},
		{"skewed", numbers(func(int) uint64 { return r.Uint64N(16) * (r.Uint64N(10) / 9) }), n / 5},
		{"periodic", numbers(func(i int) uint64 { return uint64(i * 7919 % 101 % 16) }), n / 8},
		{"periodic and wide", numbers(func(i int) uint64 { return uint64(i * 7919 % 50021 % 100) }), n},
	} {
		require.LessOrEqual(t, len(NewEncoder().Ints(nil, c.v)), c.most, c.name)
	}
	var e Encoder
	random := make([]byte, n)
	for i := range random {
		random[i] = byte(r.UintN(16))
	}
	require.False(t, e.promising(random, n/2))
	require.True(t, e.promising(random, n))
}
