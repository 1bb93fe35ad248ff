package ingest

import (
	"bytes"
	"fmt"
	"unicode/utf16"
	"unicode/utf8"
)

// maxDepth is how deep JSON that is skipped may nest.
const maxDepth = 256

// jsonText reads JSON from data, one value after the other. Strings alias data, or the arena where they held escapes.
type jsonText struct {
	data  []byte
	at    int
	arena *byteArena
}

// fail says what was wanted at the current position.
func (t *jsonText) fail(want string) *Error {
	if t.at >= len(t.data) {
		return badRequest("invalid JSON: expected %s, but the body ends after %d bytes", want, len(t.data))
	}
	const around = 10
	return badRequest("invalid JSON: expected %s, but found %s at byte %d, near %q", want, quoteByte(t.data[t.at]), t.at+1,
		t.data[max(0, t.at-around):min(len(t.data), t.at+around)])
}

func quoteByte(b byte) string { return fmt.Sprintf("%q", rune(b)) }

// peek skips blanks and returns the next byte, or 0 at the end.
func (t *jsonText) peek() byte {
	for t.at < len(t.data) {
		switch c := t.data[t.at]; c {
		case ' ', '\t', '\r', '\n':
			t.at++
		default:
			return c
		}
	}
	return 0
}

// open consumes the byte that starts an object or array and reports whether it has no members.
func (t *jsonText) open(start, end byte, want string) (empty bool, err *Error) {
	if t.peek() != start {
		return false, t.fail(want)
	}
	t.at++
	if t.peek() == end {
		t.at++
		return true, nil
	}
	return false, nil
}

// next consumes what follows a member: a comma (more) or the end.
func (t *jsonText) next(end byte) (more bool, err *Error) {
	switch t.peek() {
	case ',':
		t.at++
		return true, nil
	case end:
		t.at++
		return false, nil
	}
	return false, t.fail(fmt.Sprintf("',' or '%c'", end))
}

// key consumes a member's name and its colon.
func (t *jsonText) key() ([]byte, *Error) {
	name, err := t.str("a member name")
	if err != nil {
		return nil, err
	}
	if t.peek() != ':' {
		return nil, t.fail("':'")
	}
	t.at++
	return name, nil
}

// object calls member for each name; member must consume the value.
func (t *jsonText) object(want string, member func(name []byte) *Error) *Error {
	empty, err := t.open('{', '}', want)
	if err != nil || empty {
		return err
	}
	for {
		name, err := t.key()
		if err != nil {
			return err
		}
		if err := member(name); err != nil {
			return err
		}
		if more, err := t.next('}'); err != nil || !more {
			return err
		}
	}
}

// array calls element at each element; element must consume it.
func (t *jsonText) array(want string, element func(i int) *Error) *Error {
	empty, err := t.open('[', ']', want)
	if err != nil || empty {
		return err
	}
	for i := 0; ; i++ {
		if err := element(i); err != nil {
			return err
		}
		if more, err := t.next(']'); err != nil || !more {
			return err
		}
	}
}

// null consumes null if it is next.
func (t *jsonText) null() bool {
	if t.peek() == 'n' && bytes.HasPrefix(t.data[t.at:], []byte("null")) {
		t.at += len("null")
		return true
	}
	return false
}

// str consumes a string. Escapes are undone; lone surrogates become U+FFFD; bytes that are not UTF-8 stay as they are.
func (t *jsonText) str(want string) ([]byte, *Error) {
	if t.peek() != '"' {
		return nil, t.fail(want)
	}
	rest := t.data[t.at+1:]
	end := bytes.IndexByte(rest, '"')
	if end < 0 {
		t.at = len(t.data)
		return nil, t.fail(`a closing '"'`)
	}
	escape := bytes.IndexByte(rest[:end], '\\')
	if escape < 0 {
		t.at += end + 2
		return rest[:end:end], nil
	}
	for i := escape; ; {
		switch {
		case i >= len(rest):
			t.at = len(t.data)
			return nil, t.fail(`a closing '"'`)
		case rest[i] == '\\':
			i += 2
		case rest[i] == '"':
			out, bad := unescape(t.arena.take(i), rest[:i], escape)
			if bad >= 0 {
				t.at += 1 + bad
				return nil, t.fail("an escape sequence")
			}
			t.at += i + 2
			return out, nil
		default:
			skip := bytes.IndexByte(rest[i:], '"')
			if skip < 0 {
				t.at = len(t.data)
				return nil, t.fail(`a closing '"'`)
			}
			if back := bytes.IndexByte(rest[i:i+skip], '\\'); back >= 0 {
				skip = back
			}
			i += skip
		}
	}
}

// unescape appends text to out with its escapes undone, the first of which is at index first. bad is the index of an invalid escape, or -1.
func unescape(out, text []byte, first int) (_ []byte, bad int) {
	out = append(out, text[:first]...)
	for i := first; i < len(text); {
		if text[i] != '\\' {
			next := bytes.IndexByte(text[i:], '\\')
			if next < 0 {
				return append(out, text[i:]...), -1
			}
			out = append(out, text[i:i+next]...)
			i += next
			continue
		}
		if i+1 >= len(text) {
			return nil, i
		}
		switch c := text[i+1]; c {
		case '"', '\\', '/':
			out = append(out, c)
		case 'b':
			out = append(out, '\b')
		case 'f':
			out = append(out, '\f')
		case 'n':
			out = append(out, '\n')
		case 'r':
			out = append(out, '\r')
		case 't':
			out = append(out, '\t')
		case 'u':
			r, ok := hex4(text[i+2:])
			if !ok {
				return nil, i
			}
			i += 4
			if utf16.IsSurrogate(r) {
				low, ok := rune(0), false
				if i+3 < len(text) && text[i+2] == '\\' && text[i+3] == 'u' {
					low, ok = hex4(text[i+4:])
				}
				if pair := utf16.DecodeRune(r, low); ok && pair != utf8.RuneError {
					r = pair
					i += 6
				} else {
					r = utf8.RuneError
				}
			}
			out = utf8.AppendRune(out, r)
		default:
			return nil, i
		}
		i += 2
	}
	return out, -1
}

func hex4(text []byte) (rune, bool) {
	if len(text) < 4 {
		return 0, false
	}
	var r rune
	for _, c := range text[:4] {
		switch {
		case '0' <= c && c <= '9':
			c -= '0'
		case 'a' <= c && c <= 'f':
			c -= 'a' - 10
		case 'A' <= c && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}

// skip consumes any value and returns its text.
func (t *jsonText) skip() ([]byte, *Error) {
	t.peek()
	start := t.at
	var ends [maxDepth]byte
	depth := 0
	for {
		switch c := t.peek(); c {
		case '{', '[':
			if depth == maxDepth {
				return nil, badRequest("invalid JSON: nested deeper than %d levels at byte %d", maxDepth, t.at+1)
			}
			end := c + 2 // '{'+2 == '}', '['+2 == ']'
			t.at++
			if t.peek() == end {
				t.at++
				break
			}
			ends[depth] = end
			depth++
			if end == '}' {
				if _, err := t.key(); err != nil {
					return nil, err
				}
			}
			continue
		case '"':
			if _, err := t.str("a string"); err != nil {
				return nil, err
			}
		default:
			if err := t.word(); err != nil {
				return nil, err
			}
		}
		for depth > 0 {
			more, err := t.next(ends[depth-1])
			if err != nil {
				return nil, err
			}
			if more {
				if ends[depth-1] == '}' {
					if _, err := t.key(); err != nil {
						return nil, err
					}
				}
				break
			}
			depth--
		}
		if depth == 0 {
			return t.data[start:t.at:t.at], nil
		}
	}
}

// word consumes a number, true, false or null.
func (t *jsonText) word() *Error {
	start := t.at
	for t.at < len(t.data) {
		switch c := t.data[t.at]; {
		case '0' <= c && c <= '9', 'a' <= c && c <= 'z', c == 'E', c == '+', c == '-', c == '.':
			t.at++
			continue
		}
		break
	}
	switch text := t.data[start:t.at]; {
	case string(text) == "true", string(text) == "false", string(text) == "null":
	case len(text) > 0 && (text[0] == '-' || '0' <= text[0] && text[0] <= '9'):
	default:
		t.at = start
		return t.fail("a value")
	}
	return nil
}
