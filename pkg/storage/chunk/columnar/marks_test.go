package columnar

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// Literals may hold the bytes that stand for variables.
func TestMarkedTextKeepsEveryByte(t *testing.T) {
	for c := range 256 {
		var values [][]byte
		for i := range 40 {
			values = append(values, fmt.Appendf(nil, "%c\tuser %d%c%clogged in%c", c, 17*i, c, c, c))
			values[i] = bytes.ReplaceAll(values[i], []byte(string(rune(c))), []byte{byte(c)})
			if i%10 == 0 {
				values[i] = append(values[i], fmt.Sprintf(" for the %dth time %d", i, i*i)...)
			}
		}
		requireKept(t, values)
	}
}

func TestUUIDs(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 5))
	format := func(verb string) []byte {
		return fmt.Appendf(nil, verb, r.Uint32(), r.IntN(1<<16), r.IntN(1<<16), r.IntN(1<<16), r.Int64N(1<<48))
	}
	const lower, upper = "%08x-%04x-%04x-%04x-%012x", "%08X-%04X-%04X-%04X-%012X"
	for _, n := range []int{2, 5, 100, 3000} {
		var lowers, uppers, mixed, others [][]byte
		for i := range n {
			lowers = append(lowers, format(lower))
			uppers = append(uppers, format(upper))
			mixed = append(mixed, format([]string{lower, upper}[i%2]))
			others = append(others, format([]string{lower, "%08x-%04x-%04x-%04x-%011xg", "%08x-%04x-%04x.%04x-%012x"}[i%3]))
		}
		for _, values := range [][][]byte{lowers, uppers, mixed, others} {
			requireKept(t, values)
		}
		if n == 3000 {
			for _, values := range [][][]byte{lowers, uppers} {
				b := NewEncoder().Column(nil, values, nil)
				require.Equal(t, byte(kindUUID), b[0])
				require.Less(t, len(b), 16*n+16)
			}
		}
	}
}

// requireKept encodes and decodes values, and searches for parts of them.
func requireKept(t *testing.T, values [][]byte) {
	t.Helper()
	size := 0
	for _, v := range values {
		size += len(v)
	}
	b := NewEncoder().Column(nil, values, nil)
	got, rest, err := Decode(b, len(values), nil, size)
	require.NoError(t, err)
	require.Empty(t, rest)
	for i, want := range values {
		require.Equal(t, string(want), string(got.Append(nil, i)))
	}
	for i := 0; i < len(values); i += 1 + len(values)/5 {
		needle := values[i][len(values[i])/3:]
		rows := NewRows(len(values))
		got.Search(needle, rows, len(values))
		for row, v := range values {
			require.True(t, rows.Has(row) || !bytes.Contains(v, needle), "row %d, %q", row, needle)
		}
	}
	require.NoError(t, got.Err())
}
