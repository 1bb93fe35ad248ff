//go:build !amd64

package columnar

const hasVectors = false

func maskWords(dst []wordMasks, text []byte) { maskWordsScalar(dst, text) }
func maskPairs(dst []pairMasks, text []byte) { maskPairsScalar(dst, text) }
