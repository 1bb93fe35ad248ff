package columnar

import "bytes"

// form is the grammar that a line was cut by.
type form uint8

const (
	formText form = iota
	formJSON
	formPairs // logfmt
	formOther // no line follows it
)

// follow cuts a line that has the skeleton of a template, and appends its variables to t.spans. It cuts as line does, or refuses: most often because
// the line has another skeleton, which line then finds. Where lines repeat themselves this is much faster.
func (t *tokenizer) follow(line []byte, of *template) bool {
	first, at := len(t.spans), 0
	last := len(of.pieces) - 1
	for i, piece := range of.pieces[:last] {
		if len(line)-at < len(piece) || string(line[at:at+len(piece)]) != string(piece) {
			t.spans = t.spans[:first]
			return false
		}
		at += len(piece)
		end := -1
		switch of.form {
		case formText:
			end = t.wordVariable(line, at, of.pieces[i+1])
		case formJSON:
			end = jsonVariable(line, at)
		case formPairs:
			end = pairVariable(line, at)
		}
		if end < 0 {
			t.spans = t.spans[:first]
			return false
		}
		t.spans = append(t.spans, span{uint32(at), uint32(end - at)})
		at = end
	}
	if !bytes.Equal(line[at:], of.pieces[last]) {
		t.spans = t.spans[:first]
		return false
	}
	return true
}

// wordVariable returns the end of the variable of text that begins at i and is followed by next, or -1.
func (t *tokenizer) wordVariable(line []byte, i int, next []byte) int {
	end := i
	left := i > 0 && class[line[i-1]] != 0
	if left && i > 1 && line[i-1] == 'x' && line[i-2] == '0' && (i == 2 || class[line[i-3]] == 0) {
		for end < len(line) && class[line[end]] != 0 {
			end++
		}
		return nonEmpty(i, end)
	}
	if left || len(next) > 0 && class[next[0]] != 0 {
		for end < len(line) && line[end]-'0' <= 9 {
			end++
		}
		if !left && t.special(line, i, end) {
			return -1
		}
		return nonEmpty(i, end)
	}
	all := uint8(0)
	for end < len(line) {
		c := class[line[end]]
		if c == 0 {
			break
		}
		all |= c
		end++
	}
	if all&isDigit == 0 && (all&notLowerHex != 0 || end-i != 8) {
		return -1
	}
	if !t.parts && startsComposite(line, i, end) {
		if end := composite(line, i, end, len(line)); end > 0 {
			return end
		}
	}
	if all&isDigit == 0 {
		return -1
	}
	if all&notLowerHex != 0 && all&notUpperHex != 0 && (line[i] == '0' && line[i+1] == 'x' || changes(line[i:end]) <= 2) {
		return -1
	}
	return end
}

// special tells whether the word that begins with the digits line[from:to] may not be cut at its digits: it may be a hex number with 0x, or begin an
// address.
func (t *tokenizer) special(line []byte, from, to int) bool {
	if to < len(line) && line[to] == 'x' && line[from] == '0' {
		return true
	}
	for to < len(line) && class[line[to]] != 0 {
		to++
	}
	return !t.parts && startsComposite(line, from, to) && composite(line, from, to, len(line)) > 0
}

// nonEmpty is end, or -1 when nothing lies before it.
func nonEmpty(start, end int) int {
	if end == start {
		return -1
	}
	return end
}

// jsonVariable returns the end of the JSON value that begins at i, or -1.
func jsonVariable(line []byte, i int) int {
	if i > 0 && line[i-1] == '"' {
		return stringEnd(line, i)
	}
	return nonEmpty(i, valueEnd(line, i))
}

// pairVariable returns the end of the value that begins at i, or -1.
func pairVariable(line []byte, i int) int {
	if i > 0 && line[i-1] == '"' {
		return stringEnd(line, i)
	}
	for i < len(line) && line[i] > ' ' {
		if line[i] == '"' || line[i] == '=' {
			return -1
		}
		i++
	}
	return i
}

// stringEnd returns the index of the quote that ends the string which starts at i, or -1.
func stringEnd(line []byte, i int) int {
	for ; i < len(line); i++ {
		switch line[i] {
		case '\\':
			i++
		case '"':
			return i
		}
	}
	return -1
}
