package columnar

import (
	"encoding/binary"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

// repeating is a column of n rows whose only template repeats one column in all of its slots, and so on depth times, down to a text. The template is
// rare, and its slots lie in one pool, when pooled.
func repeating(n, slots, depth int, pooled bool, text string) []byte {
	if depth == 0 {
		b := append([]byte{kindConst}, binary.AppendUvarint(nil, uint64(len(text)))...)
		return append(b, text...)
	}
	shape := uint64(slots) << 1
	var pools []byte
	if pooled {
		shape |= 1
		for range slots {
			pools = append(pools, poolOther)
		}
	}
	head := binary.AppendUvarint(nil, shape)
	head = append(binary.AppendUvarint(head, uint64(n)), pools...)
	head = append(head, make([]byte, slots+1)...) // empty pieces
	b := storedBlock([]byte{kindTemplates, 1}, head)
	b = append(b, intsPlain, 0, 0)
	if pooled {
		return append(b, repeating(n*slots, slots, depth-1, false, text)...)
	}
	b = append(b, repeating(n, slots, depth-1, false, text)...)
	for range slots - 1 {
		b = append(b, kindCopy, 0)
	}
	return b
}

// Few bytes that ask for a value of gigabytes, or for endless work, give an error.
func TestRepeatedSlots(t *testing.T) {
	const longest = 1000
	for depth := 1; depth <= 6; depth++ {
		for _, text := range []string{"", "0123456789"} {
			for _, pooled := range []bool{false, true} {
				b := repeating(1, maxSlots, depth, pooled, text)
				skipBoth(t, b, 1, nil)
				v, _, err := Decode(b, 1, nil, longest)
				if depth > 3 {
					require.ErrorIs(t, err, ErrMalformed)
					continue
				}
				require.NoError(t, err)
				require.LessOrEqual(t, len(v.Append(nil, 0)), longest)
				require.Equal(t, text != "", v.Err() != nil)
			}
		}
	}
}

// Dictionaries whose values are together longer than all values are said to be are no dictionaries.
func TestLongDictionary(t *testing.T) {
	text := make([]byte, 600)
	var lines [][]byte
	for i := range 100 {
		lines = append(lines, fmt.Appendf(nil, `{"n":%d,"a":"%s%d"}`, i*i, text, i%3))
	}
	b := NewEncoder().Column(nil, lines, nil)
	for longest, sound := range map[int]bool{100 * 4000: true, 1000: false} {
		v, _, err := Decode(b, len(lines), nil, longest)
		require.NoError(t, err)
		shape, _ := v.Shape(0)
		require.Equal(t, sound, shape.Distinct(1) != nil)
		require.Equal(t, sound, v.Err() == nil)
	}
}
