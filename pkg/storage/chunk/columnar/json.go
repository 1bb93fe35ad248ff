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
			j := stringEnd(line, i+1)
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
			i = valueEnd(line, i)
			if key || i == start {
				return false
			}
			if line[start-1] == '"' {
				t.form = formOther // not a string, although it looks like one
			}
			t.variable(start, i)
		}
	}
	return false
}

// endsValue marks the bytes that end a value that is no string.
var endsValue = func() (ends [256]bool) {
	for c := range ' ' + 1 {
		ends[c] = true
	}
	for _, c := range []byte(`,}]"{[:`) {
		ends[c] = true
	}
	return ends
}()

// valueEnd returns where the value that is no string and begins at i ends.
func valueEnd(line []byte, i int) int {
	for i < len(line) && !endsValue[line[i]] {
		i++
	}
	return i
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
	i, n, pairs := 0, len(line), 0
	for i < n {
		start := i
		for i < n && isKeyByte(line[i]) {
			i++
		}
		if i == start || i == n || line[i] != '=' {
			return false
		}
		i++
		if i < n && line[i] == '"' {
			j := stringEnd(line, i+1)
			if j < 0 || j+1 < n && line[j+1] != ' ' {
				return false
			}
			t.variable(i+1, j)
			i = j + 1
		} else {
			start = i
			for i < n && line[i] > ' ' {
				if line[i] == '"' || line[i] == '=' {
					return false
				}
				i++
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
