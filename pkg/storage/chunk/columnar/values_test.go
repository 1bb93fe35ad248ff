package columnar

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestNumbersAndCodes: numbers are what reading the text gives, to the last bit, and equal codes mean equal texts.
func TestNumbersAndCodes(t *testing.T) {
	kinds := []func(r *rand.Rand) string{
		func(r *rand.Rand) string { return fmt.Sprint(r.Uint64() >> r.IntN(64)) },
		func(r *rand.Rand) string { return fmt.Sprintf("%06d", r.IntN(1000000)) },
		func(r *rand.Rand) string { return fmt.Sprintf("%.3f", r.NormFloat64()*100) },
		func(r *rand.Rand) string { return fmt.Sprintf("%d.%012d", r.IntN(1000), r.Int64N(1e12)) },
		func(r *rand.Rand) string { return strings.Repeat("mno", r.IntN(5)) + strings.Repeat("xyz", r.IntN(6)) },
		func(*rand.Rand) string { return "same" },
	}
	numbers, codes := 0, 0
	for seed := range uint64(120) {
		r := rand.New(rand.NewPCG(seed, 3))
		make := kinds[seed%uint64(len(kinds))]
		var lines [][]byte
		for range 200 {
			text := make(r)
			lines = append(lines, fmt.Appendf(nil, `took=%s a=x b=%s c="y z" user=u%d`, text, text, r.IntN(9)))
		}
		v, _, err := Decode(NewEncoder().Column(nil, lines, nil), len(lines), nil, 1<<20)
		require.NoError(t, err)
		for row := range lines {
			shape, at := v.Shape(row)
			if shape == nil {
				continue
			}
			for slot := range len(shape.Pieces()) - 1 {
				text := string(shape.Append(nil, slot, at))
				if number := shape.Numbers(slot); number != nil {
					if got, ok := number(at); ok {
						want, err := strconv.ParseFloat(text, 64)
						require.NoError(t, err)
						require.Equal(t, want, got, text)
						numbers++
					}
				}
				if c, distinct := shape.Codes(slot); distinct > 0 && c != nil {
					require.Less(t, c[at], uint64(distinct))
					require.Equal(t, text, string(shape.Distinct(slot)[c[at]]))
					codes++
				}
			}
		}
	}
	require.Positive(t, numbers)
	require.Positive(t, codes)
}
