package columnar

// json cuts a line that is one JSON object: keys and punctuation are literal, values are variables.
// It is a scanner of shape, not a validator: what it cannot follow it refuses, and the line is cut as text instead.
func (t *tokenizer) json(line []byte) bool {
	var stack [16]byte // the closing bracket of each open one
	depth := 0
	i, n := 0, len(line)
	key := false // the next string is a key
	for i < n {
		c := line[i]
		switch c {
		case '{', '[':
			if depth == len(stack) {
				return false
			}
			stack[depth] = c + 2 // '{'+2 is '}', '['+2 is ']'
			depth++
			key = c == '{'
			i++
		case '}', ']':
			if depth == 0 || stack[depth-1] != c {
				return false
			}
			depth--
			i++
			if depth == 0 {
				return i == n
			}
			key = false
		case ',':
			if depth == 0 {
				return false
			}
			key = stack[depth-1] == '}'
			i++
		case ':', ' ', '\t':
			i++
		case '"':
			j := t.closingQuote(line, i+1)
			if j < 0 {
				return false
			}
			if !key {
				t.variable(i+1, j)
			}
			key = false
			i = j + 1
		default:
			start := i
			for i < n && line[i] != ',' && line[i] != '}' && line[i] != ']' && line[i] > ' ' && line[i] != '"' && line[i] != '{' && line[i] != '[' && line[i] != ':' {
				i++
			}
			if key || i == start {
				return false
			}
			t.variable(start, i)
		}
	}
	return false
}

// closingQuote returns the index of the quote that ends the string which starts at i, or -1.
func (t *tokenizer) closingQuote(line []byte, i int) int {
	for from := i; ; i++ {
		if i = next(t.pairMasks, quotes, i); i >= len(line) {
			return -1
		}
		// A quote behind an odd number of backslashes is one of the string.
		escapes := i
		for escapes > from && line[escapes-1] == '\\' {
			escapes--
		}
		if (i-escapes)%2 == 0 {
			return i
		}
	}
}

// beginsWithKey tells whether a line begins as logfmt does.
func beginsWithKey(line []byte) bool {
	i := 0
	for i < len(line) && isKeyByte(line[i]) {
		i++
	}
	return i > 0 && i < len(line) && line[i] == '='
}

// logfmt cuts a line of key=value pairs: keys are literal, values are variables. A line counts as logfmt when it
// starts with a key and holds nothing but at least two pairs.
func (t *tokenizer) logfmt(line []byte) bool {
	masks := t.pairMasks
	i, n, pairs := 0, len(line), 0
	special := -1 // a quote or an equals sign, where it is not before i
	for i < n {
		start := i
		i = keyEnd(masks, i)
		if i == start || i == n || line[i] != '=' {
			return false
		}
		i++
		if i < n && line[i] == '"' {
			j := t.closingQuote(line, i+1)
			if j < 0 || j+1 < n && line[j+1] != ' ' {
				return false
			}
			t.variable(i+1, j)
			i = j + 1
		} else {
			start = i
			i = min(n, next(masks, spaces, i))
			if special < start {
				special = min(next(masks, quotes, start), next(masks, equals, start))
			}
			if special < i {
				return false
			}
			t.variable(start, i)
		}
		pairs++
		if i < n {
			if line[i] != ' ' {
				return false
			}
			i++
		}
	}
	return pairs >= 2
}

func isKeyByte(c byte) bool {
	return class[c] != 0 || c == '_' || c == '.' || c == '-'
}
