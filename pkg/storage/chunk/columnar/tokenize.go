package columnar

import (
	"encoding/binary"
	"math/bits"
)

// span is a variable part of a line: line[off : off+n].
type span struct{ off, n uint32 }

// What a byte is to the cutting of text; 0 for what stands between words.
const (
	isDigit     = 1 << iota
	isAlpha     // a letter, or a byte of a letter that is not ASCII
	notLowerHex // a letter that is no lower case hex digit
	notUpperHex
)

var class [256]uint8

func init() {
	for c := range 256 {
		switch {
		case c >= '0' && c <= '9':
			class[c] = isDigit
		case c >= 'a' && c <= 'f':
			class[c] = isAlpha | notUpperHex
		case c >= 'A' && c <= 'F':
			class[c] = isAlpha | notLowerHex
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= 0x80:
			class[c] = isAlpha | notLowerHex | notUpperHex
		}
	}
}

// isHex reports whether a byte of this class is a hex digit.
func isHex(class uint8) bool {
	return class != 0 && class&(notLowerHex|notUpperHex) != notLowerHex|notUpperHex
}

// maxSlots bounds the variables of one line; a line with more is kept whole.
const maxSlots = 192

// tokenizer cuts lines into literals and variables. The skeleton of a line is its literals in order with a mark
// between them where a variable stood; lines with equal skeletons share a template.
type tokenizer struct {
	spans []span // of the current line
	words bool   // whole words are variables, whether they hold digits or not
	parts bool   // addresses and UUIDs are cut into their parts too
	hash  uint64
	lit   int // start of the literal that is being read
	full  bool
}

const (
	hashSeed = 0x9e3779b97f4a7c15
	hashMul  = 0xd6e8feb86659fd93
)

func mix(h, v uint64) uint64 {
	hi, lo := bits.Mul64(h^v, hashMul)
	return hi ^ lo
}

// hashBytes folds b into h. It need not resist an adversary: equal hashes are compared by content.
func hashBytes(h uint64, b []byte) uint64 {
	n := len(b)
	h += uint64(n) * hashSeed
	switch {
	case n > 8:
		last := binary.LittleEndian.Uint64(b[n-8:])
		for ; len(b) > 8; b = b[8:] {
			h = mix(h, binary.LittleEndian.Uint64(b))
		}
		return mix(h, last)
	case n >= 4:
		return mix(h, uint64(binary.LittleEndian.Uint32(b))|uint64(binary.LittleEndian.Uint32(b[n-4:]))<<32)
	case n > 0:
		return mix(h, uint64(b[0])|uint64(b[n/2])<<8|uint64(b[n-1])<<16)
	}
	return mix(h, 0)
}

// line cuts one line and returns the hash of its skeleton. The spans are in t.spans until the next call.
// ok is false when the line has too many variables.
func (t *tokenizer) line(line []byte) (hash uint64, ok bool) {
	t.reset()
	if !t.words && len(line) > 0 {
		if line[0] == '{' && t.json(line) {
			return t.end(line), !t.full
		}
		t.reset()
		if t.logfmt(line) {
			return t.end(line), !t.full
		}
		t.reset()
	}
	t.text(line, 0, len(line))
	return t.end(line), !t.full
}

func (t *tokenizer) reset() {
	t.spans = t.spans[:0]
	t.hash = hashSeed
	t.lit = 0
	t.full = false
}

func (t *tokenizer) end(line []byte) uint64 {
	return hashBytes(t.hash, line[t.lit:])
}

// variable ends the current literal at from and skips to behind the variable.
func (t *tokenizer) variable(line []byte, from, to int) {
	if len(t.spans) == maxSlots {
		t.full = true
		return
	}
	t.hash = hashBytes(t.hash, line[t.lit:from])
	t.spans = append(t.spans, span{uint32(from), uint32(to - from)})
	t.lit = to
}

// text cuts line[from:to] by character class: runs of letters and digits that hold a digit are variables.
func (t *tokenizer) text(line []byte, from, to int) {
	if t.words {
		t.wholeWords(line, from, to)
		return
	}
	line = line[:to]
	for i := from; i < len(line); i++ {
		all := class[line[i]]
		if all == 0 {
			continue
		}
		start := i
		for i++; i < len(line); i++ {
			c := class[line[i]]
			if c == 0 {
				break
			}
			all |= c
		}
		if all&isDigit == 0 && (i-start != 8 || all&notLowerHex != 0) {
			continue
		}
		if !t.parts && i < len(line) {
			if end := composite(line, start, i, to); end > 0 {
				t.variable(line, start, end)
				i = end - 1
				continue
			}
		}
		switch {
		case all&isDigit == 0:
		case all&notLowerHex == 0, all&notUpperHex == 0:
			t.variable(line, start, i)
		case i-start > 2 && line[start] == '0' && line[start+1] == 'x':
			t.variable(line, start+2, i)
		case changes(line[start:i]) <= 2:
			t.split(line, start, i)
		default:
			t.variable(line, start, i)
		}
	}
}

// changes counts how often letters and digits alternate in a word.
func changes(word []byte) int {
	n := 0
	last := class[word[0]] & isDigit
	for _, b := range word[1:] {
		if c := class[b] & isDigit; c != last {
			last = c
			n++
		}
	}
	return n
}

// composite returns the end of the IPv4 address or UUID whose first part is line[from:i], or 0.
func composite(line []byte, from, i, to int) int {
	switch {
	case line[i] == '.' && i-from <= 3:
		end := i
		for range 3 {
			at := end + 1
			if end >= to || line[end] != '.' {
				return 0
			}
			for end = at; end < to && class[line[end]] == isDigit; end++ {
			}
			if end == at || end-at > 3 {
				return 0
			}
		}
		if class[line[from]] != isDigit || end < to && (class[line[end]] != 0 || line[end] == '.' && end+1 < to && class[line[end+1]] != 0) {
			return 0
		}
		return end
	case line[i] == '-' && i-from == 8 && to-from >= 36:
		for k, b := range line[from : from+36] {
			if k == 8 || k == 13 || k == 18 || k == 23 {
				if b != '-' {
					return 0
				}
			} else if !isHex(class[b]) {
				return 0
			}
		}
		return from + 36
	}
	return 0
}

// wordEnd marks the bytes that end a whole word.
var wordEnd [256]bool

func init() {
	for c := range 33 {
		wordEnd[c] = true
	}
	for _, c := range []byte("[](){}<>\"',;=|:") {
		wordEnd[c] = true
	}
}

func (t *tokenizer) wholeWords(line []byte, from, to int) {
	for i := from; i < to; {
		if wordEnd[line[i]] {
			i++
			continue
		}
		start := i
		for i < to && !wordEnd[line[i]] {
			i++
		}
		t.variable(line, start, i)
	}
}

// split makes variables of the runs of digits in a word.
func (t *tokenizer) split(line []byte, from, to int) {
	for i := from; i < to; {
		start, c := i, class[line[i]]&isDigit
		for i < to && class[line[i]]&isDigit == c {
			i++
		}
		if c != 0 {
			t.variable(line, start, i)
		}
	}
}
