package columnar

import "golang.org/x/sys/cpu"

var hasVectors = cpu.X86.HasAVX2

// maskWords fills dst with the masks of as many whole blocks of text.
func maskWords(dst []wordMasks, text []byte) {
	if !hasVectors {
		maskWordsScalar(dst, text)
		return
	}
	_ = text[len(dst)*maskBytes-1]
	maskWordsAVX2(&dst[0], &text[0], len(dst))
}

// maskPairs fills dst with the masks of as many whole blocks of text.
func maskPairs(dst []pairMasks, text []byte) {
	if !hasVectors {
		maskPairsScalar(dst, text)
		return
	}
	_ = text[len(dst)*maskBytes-1]
	maskPairsAVX2(&dst[0], &text[0], len(dst))
}

// maskWordsAVX2 does what maskWordsScalar does, for at least one block.
//
//go:noescape
func maskWordsAVX2(dst *wordMasks, text *byte, blocks int)

// maskPairsAVX2 does what maskPairsScalar does, for at least one block.
//
//go:noescape
func maskPairsAVX2(dst *pairMasks, text *byte, blocks int)
