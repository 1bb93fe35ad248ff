package columnar

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestMasks(t *testing.T) {
	edges := "/09:;@AFGZ[_`afgz{|\x00\x1f !\"#\\]<=>,-.\x7f\x80\xc1\xe1\xff"
	for seed := range uint64(2000) {
		r := rand.New(rand.NewPCG(seed, 11))
		text := make([]byte, seed%300)
		for i := range text {
			if seed%2 == 0 {
				text[i] = byte(r.Uint32())
			} else {
				text[i] = edges[r.IntN(len(edges))]
			}
		}
		words, pairs := wordMasksOf(nil, text), pairMasksOf(nil, text)
		padded := make([]byte, len(words)*maskBytes)
		copy(padded, text)
		require.Greater(t, len(padded), len(text))
		scalarWords, scalarPairs := make([]wordMasks, len(words)), make([]pairMasks, len(pairs))
		maskWordsScalar(scalarWords, padded)
		maskPairsScalar(scalarPairs, padded)
		require.Equal(t, scalarWords, words, "%q", text)
		require.Equal(t, scalarPairs, pairs, "%q", text)
		for i, c := range padded {
			w, p := &words[i/maskBytes], &pairs[i/maskBytes]
			has := func(mask uint64) bool { return mask>>(i%maskBytes)&1 != 0 }
			want := class[c]
			require.Equal(t, want&isDigit != 0, has(w.digit))
			require.Equal(t, want != 0, has(w.word))
			require.Equal(t, want&notLowerHex != 0, has(w.notLower))
			require.Equal(t, want&notUpperHex != 0, has(w.notUpper))
			require.Equal(t, c == '"', has(p[quotes]))
			require.Equal(t, c == '\\', has(p[backslashes]))
			require.Equal(t, c == '=', has(p[equals]))
			require.Equal(t, c <= ' ', has(p[spaces]))
			require.Equal(t, isKeyByte(c), has(p[keyBytes]))
		}
	}
}
