package columnar

import "math/bits"

// maskBytes is how many bytes a mask tells of: bit i of a mask is for byte i.
const maskBytes = 64

// wordMasks tell what the bytes of a text are to the cutting of words. Bits behind the end of the text are 0.
type wordMasks struct {
	digit    uint64
	word     uint64 // digits and letters
	notLower uint64 // letters that are no lower case hex digits
	notUpper uint64 // letters that are no upper case hex digits
}

// pairMasks tell what the bytes of a text are to the cutting of JSON and of keys and values. Behind the end of the text stand NUL bytes.
type pairMasks [5]uint64

// Masks of pairMasks.
const (
	quotes = iota
	backslashes
	equals
	spaces   // blanks and what comes before them
	keyBytes // what keys are made of
)

// next is the first byte from i on that a mask has a bit for; when there is none, it lies behind all masks.
func next(masks []pairMasks, which, i int) int {
	k := uint(i) / maskBytes
	if k >= uint(len(masks)) {
		return i
	}
	m := masks[k][which] & (^uint64(0) << (uint(i) % maskBytes))
	for m == 0 {
		if k++; k == uint(len(masks)) {
			return int(k) * maskBytes
		}
		m = masks[k][which]
	}
	return int(k)*maskBytes + bits.TrailingZeros64(m)
}

// keyEnd is the first byte from i on that no key is made of.
func keyEnd(masks []pairMasks, i int) int {
	k := uint(i) / maskBytes
	m := ^masks[k][keyBytes] & (^uint64(0) << (uint(i) % maskBytes))
	for m == 0 {
		k++
		m = ^masks[k][keyBytes]
	}
	return int(k)*maskBytes + bits.TrailingZeros64(m)
}

// wordStart is the first byte of the word that byte i is of.
func wordStart(masks []wordMasks, i uint) uint {
	k := i / maskBytes
	m := ^masks[k].word & (1<<(i%maskBytes) - 1)
	for m == 0 {
		if k == 0 {
			return 0
		}
		k--
		m = ^masks[k].word
	}
	return (k+1)*maskBytes - uint(bits.LeadingZeros64(m))
}

// wordEnd is the first byte behind the word that byte i is of.
func wordEnd(masks []wordMasks, i uint) uint {
	k := i / maskBytes
	m := ^masks[k].word & (^uint64(0) << (i % maskBytes))
	for m == 0 {
		k++
		m = ^masks[k].word
	}
	return k*maskBytes + uint(bits.TrailingZeros64(m))
}

// eights are the first bytes of words in block k that are eight letters, all lower case hex digits, or hold digits.
func eights(masks []wordMasks, k int) uint64 {
	m := &masks[k]
	hex := m.word &^ m.notLower
	runs := eightTimes(hex)
	ends, starts := m.word>>8, m.word<<1
	if k+1 < len(masks) {
		behind := &masks[k+1]
		runs |= eightTimes(hex>>32|(behind.word&^behind.notLower)<<32) << 32
		ends |= behind.word << 56
	}
	if runs == 0 {
		return 0
	}
	if k > 0 {
		starts |= masks[k-1].word >> 63
	}
	return runs &^ ends &^ starts
}

// eightTimes leaves the bits that begin a run of eight.
func eightTimes(m uint64) uint64 {
	m &= m >> 1
	m &= m >> 2
	return m & (m >> 4)
}

// wordMasksOf appends the masks of a text, the last of which has at least one bit behind the end, to dst.
func wordMasksOf(dst []wordMasks, text []byte) []wordMasks {
	n := len(text) / maskBytes
	dst = sized(dst, n+1)
	if n > 0 {
		maskWords(dst[:n], text)
	}
	var tail [maskBytes]byte
	copy(tail[:], text[n*maskBytes:])
	maskWords(dst[n:], tail[:])
	return dst
}

// pairMasksOf is wordMasksOf for pairs.
func pairMasksOf(dst []pairMasks, text []byte) []pairMasks {
	n := len(text) / maskBytes
	dst = sized(dst, n+1)
	if n > 0 {
		maskPairs(dst[:n], text)
	}
	var tail [maskBytes]byte
	copy(tail[:], text[n*maskBytes:])
	maskPairs(dst[n:], tail[:])
	return dst
}

// Bits of masksOf.
const (
	inDigit = 1 << iota
	inWord
	inNotLower
	inNotUpper
	inQuote
	inBackslash
	inEquals
	inSpace
	inKey
)

// masksOf tells which masks have a bit for a byte.
var masksOf = func() (of [256]uint16) {
	for i := range of {
		c := byte(i)
		m := uint16(0)
		if class[c]&isDigit != 0 {
			m |= inDigit
		}
		if class[c] != 0 {
			m |= inWord
		}
		if class[c]&notLowerHex != 0 {
			m |= inNotLower
		}
		if class[c]&notUpperHex != 0 {
			m |= inNotUpper
		}
		switch c {
		case '"':
			m |= inQuote
		case '\\':
			m |= inBackslash
		case '=':
			m |= inEquals
		}
		if c <= ' ' {
			m |= inSpace
		}
		if isKeyByte(c) {
			m |= inKey
		}
		of[c] = m
	}
	return of
}()

// maskWordsScalar fills dst with the masks of as many whole blocks of text.
func maskWordsScalar(dst []wordMasks, text []byte) {
	for k := range dst {
		var m wordMasks
		for i, c := range text[k*maskBytes : (k+1)*maskBytes] {
			in := uint64(masksOf[c])
			m.digit |= in & inDigit << i
			m.word |= in & inWord / inWord << i
			m.notLower |= in & inNotLower / inNotLower << i
			m.notUpper |= in & inNotUpper / inNotUpper << i
		}
		dst[k] = m
	}
}

// maskPairsScalar fills dst with the masks of as many whole blocks of text.
func maskPairsScalar(dst []pairMasks, text []byte) {
	for k := range dst {
		var m pairMasks
		for i, c := range text[k*maskBytes : (k+1)*maskBytes] {
			in := uint64(masksOf[c])
			m[quotes] |= in & inQuote / inQuote << i
			m[backslashes] |= in & inBackslash / inBackslash << i
			m[equals] |= in & inEquals / inEquals << i
			m[spaces] |= in & inSpace / inSpace << i
			m[keyBytes] |= in & inKey / inKey << i
		}
		dst[k] = m
	}
}
