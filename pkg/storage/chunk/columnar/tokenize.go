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

var class = func() (class [256]uint8) {
	for c := range class {
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
	return class
}()

// isHex reports whether a byte of this class is a hex digit.
func isHex(class uint8) bool {
	return class != 0 && class&(notLowerHex|notUpperHex) != notLowerHex|notUpperHex
}

// maxSlots bounds the variables of one line; a line with more is kept whole.
const maxSlots = 192

// tokenizer cuts lines into literals and variables. The skeleton of a line is its literals in order with a mark
// between them where a variable stood; lines with equal skeletons share a template.
type tokenizer struct {
	spans []span // those of the current line follow those of the lines before
	first int    // where they begin
	words bool   // whole words are variables, whether they hold digits or not
	parts bool   // addresses and UUIDs are cut into their parts too
	full  bool   // there are too many
	form  form   // of the current line
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

// hashLiterals hashes the skeleton of a line.
func hashLiterals(line []byte, spans []span) uint64 {
	hash, at := uint64(hashSeed), uint32(0)
	for _, s := range spans {
		hash = hashBytes(hash, line[at:s.off])
		at = s.off + s.n
	}
	return hashBytes(hash, line[at:])
}

// line cuts one line and appends its variables to t.spans. It refuses a line that has too many.
func (t *tokenizer) line(line []byte) bool {
	t.first = len(t.spans)
	t.full = false
	if !t.cut(line) {
		t.forget()
		t.form = formText
		t.text(line)
	}
	if t.full {
		t.spans = t.spans[:t.first]
	}
	return !t.full
}

// cut cuts a line of JSON or logfmt.
func (t *tokenizer) cut(line []byte) bool {
	switch {
	case t.words || len(line) == 0:
		return false
	case line[0] == '{':
		t.form = formJSON
		return t.json(line)
	case !beginsWithKey(line):
		return false
	}
	t.form = formPairs
	return t.logfmt(line)
}

// forget takes back how the line was cut.
func (t *tokenizer) forget() {
	t.spans = t.spans[:t.first]
	t.full = false
}

// variable adds a variable.
func (t *tokenizer) variable(from, to int) {
	if len(t.spans)-t.first == maxSlots {
		t.full = true
		return
	}
	t.spans = append(t.spans, span{uint32(from), uint32(to - from)})
}

// text cuts a line by character class: runs of letters and digits that hold a digit are variables.
func (t *tokenizer) text(line []byte) {
	if t.words {
		t.form = formOther
		t.wholeWords(line)
		return
	}
	for i := 0; i < len(line); i++ {
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
		if !t.parts && startsComposite(line, start, i) {
			if end := composite(line, start, i, len(line)); end > 0 {
				t.variable(start, end)
				if end < len(line) && class[line[end]] != 0 {
					t.form = formOther // in the midst of a word
				}
				i = end - 1
				continue
			}
		}
		switch {
		case all&isDigit == 0:
		case all&notLowerHex == 0, all&notUpperHex == 0:
			t.variable(start, i)
		case i-start > 2 && line[start] == '0' && line[start+1] == 'x':
			t.variable(start+2, i)
		case changes(line[start:i]) <= 2:
			t.split(line, start, i)
		default:
			t.variable(start, i)
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

// startsComposite tells whether the word line[from:end] may begin an IPv4 address or a UUID.
func startsComposite(line []byte, from, end int) bool {
	return end < len(line) && (line[end] == '.' && end-from <= 3 || line[end] == '-' && end-from == 8)
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

// endsWord marks the bytes that end a whole word.
var endsWord = func() (ends [256]bool) {
	for c := range 33 {
		ends[c] = true
	}
	for _, c := range []byte("[](){}<>\"',;=|:") {
		ends[c] = true
	}
	return ends
}()

func (t *tokenizer) wholeWords(line []byte) {
	for i := 0; i < len(line); {
		if endsWord[line[i]] {
			i++
			continue
		}
		start := i
		for i < len(line) && !endsWord[line[i]] {
			i++
		}
		t.variable(start, i)
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
			t.variable(start, i)
		}
	}
}
