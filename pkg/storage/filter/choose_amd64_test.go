package filter

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestVectorsChooseWhatIsChosenWithoutThem(t *testing.T) {
	if !hasVectors {
		t.Skip("no vector instructions")
	}
	wide := hasWideVectors
	defer func() { hasWideVectors = wide }()
	var c chooser
	for seed := range uint64(3000) {
		r := rand.New(rand.NewPCG(seed, 9))
		edges := "/09:@AZ[`az{\x00\x7f\x80\xc1\xff"
		text := make([]byte, MinNeedle+int(seed%300))
		for i := range text {
			switch seed % 3 {
			case 0: // all bytes
				text[i] = byte(r.Uint32())
			case 1: // what lies at the edges of the classes
				text[i] = edges[r.IntN(len(edges))]
			default: // runs of equal k-mers
				text[i] = "aA0"[r.IntN(1000)/499]
			}
		}
		want := slices.Clone(c.chooseScalar(text))
		for _, hasWideVectors = range []bool{false, wide} {
			require.Equal(t, want, c.chooseVectors(text), "%q", text)
		}
	}
}
