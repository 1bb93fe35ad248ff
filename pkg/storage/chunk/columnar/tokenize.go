package columnar

import "math/bits"

// span is a variable part of a line: line[off : off+n].
type span struct{ off, n uint32 }

const (
	classOther = iota
	classDigit
	classAlpha
)

var (
	class    [256]uint8
	hexLower [256]bool
	hexUpper [256]bool
)

func init() {
	for c := range 256 {
		switch {
		case c >= '0' && c <= '9':
			class[c], hexLower[c], hexUpper[c] = classDigit, true, true
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= 0x80:
			class[c] = classAlpha
			hexLower[c] = c >= 'a' && c <= 'f'
			hexUpper[c] = c >= 'A' && c <= 'F'
		}
	}
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
	for len(b) >= 8 {
		h = mix(h, le64(b))
		b = b[8:]
	}
	var v uint64
	for i, c := range b {
		v |= uint64(c) << (8 * i)
	}
	return mix(h, v|uint64(len(b)+1)<<56)
}

func le64(b []byte) uint64 {
	_ = b[7]
	return uint64(b[0]) | uint64(b[1])<<8 | uint64(b[2])<<16 | uint64(b[3])<<24 | uint64(b[4])<<32 | uint64(b[5])<<40 | uint64(b[6])<<48 | uint64(b[7])<<56
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
	for i := from; i < to; {
		c := class[line[i]]
		if c == classOther {
			i++
			continue
		}
		start, digits, changes := i, 0, 0
		lower, upper := true, true
		for last := c; i < to; i++ {
			b := line[i]
			c = class[b]
			if c == classOther {
				break
			}
			if c != last {
				changes++
				last = c
			}
			if c == classDigit {
				digits++
			}
			lower = lower && hexLower[b]
			upper = upper && hexUpper[b]
		}
		if digits == 0 && (i-start != 8 || !lower) {
			continue
		}
		if !t.parts && i < to {
			if end := composite(line, start, i, to); end > 0 {
				t.variable(line, start, end)
				i = end
				continue
			}
		}
		switch {
		case digits == 0:
		case digits == i-start, lower, upper:
			t.variable(line, start, i)
		case i-start > 2 && line[start] == '0' && line[start+1] == 'x':
			t.variable(line, start+2, i)
		case changes <= 2:
			t.split(line, start, i)
		default:
			t.variable(line, start, i)
		}
	}
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
			for end = at; end < to && class[line[end]] == classDigit; end++ {
			}
			if end == at || end-at > 3 {
				return 0
			}
		}
		if class[line[from]] != classDigit || end < to && (class[line[end]] != classOther || line[end] == '.' && end+1 < to && class[line[end+1]] != classOther) {
			return 0
		}
		return end
	case line[i] == '-' && i-from == 8 && to-from >= 36:
		for k, b := range line[from : from+36] {
			if k == 8 || k == 13 || k == 18 || k == 23 {
				if b != '-' {
					return 0
				}
			} else if !hexLower[b] && !hexUpper[b] {
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
		start, c := i, class[line[i]]
		for i < to && class[line[i]] == c {
			i++
		}
		if c == classDigit {
			t.variable(line, start, i)
		}
	}
}
