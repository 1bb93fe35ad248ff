package pipeline

import (
	"bytes"
	"errors"
	"unicode/utf16"
	"unicode/utf8"
)

// The texts of JSON errors.
var (
	errJSONObject  = errors.New("Value looks like object, but can't find closing '}' symbol")
	errJSONArray   = errors.New("Value is array, but can't find closing ']' symbol")
	errJSONString  = errors.New("Value is string, but can't find closing '\"' symbol")
	errJSONUnknown = errors.New("Unknown value type")
	errJSONBroken  = errors.New("Malformed JSON error")
	errJSONEscape  = errors.New("Encountered an invalid escape sequence in a string")
)

type jsonKind uint8

const (
	jsonString jsonKind = iota
	jsonNumber
	jsonBool
	jsonNull
	jsonObject
	jsonArray
)

// jsonBlank returns the index of the first byte at or behind i that is no blank, or len(b).
func jsonBlank(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\n' || b[i] == '\t' || b[i] == '\r') {
		i++
	}
	return i
}

// jsonStringEnd returns the index of the quote that closes the string whose text begins at i, and whether the text has escapes.
// It returns -1 when there is none.
func jsonStringEnd(b []byte, i int) (end int, escaped bool) {
	q := bytes.IndexByte(b[i:], '"')
	if q < 0 {
		return -1, false
	}
	slash := bytes.IndexByte(b[i:i+q], '\\')
	if slash < 0 {
		return i + q, false
	}
	for i += slash; i < len(b); i++ {
		switch b[i] {
		case '\\':
			i++
		case '"':
			return i, true
		}
	}
	return -1, true
}

// jsonBlockEnd returns the index behind the bracket that closes the one at b[i], or -1. Brackets inside strings do not count, and
// only those of the same kind are matched.
func jsonBlockEnd(b []byte, i int, opening, closing byte) int {
	depth := 0
	for i < len(b) {
		switch b[i] {
		case '"':
			end, _ := jsonStringEnd(b, i+1)
			if end < 0 {
				return -1
			}
			i = end
		case opening:
			depth++
		case closing:
			if depth--; depth == 0 {
				return i + 1
			}
		}
		i++
	}
	return -1
}

// jsonValue is a value as it stands in a line. Of a string, raw is the text between the quotes.
type jsonValue struct {
	kind    jsonKind
	escaped bool
	raw     []byte
}

// scanJSONValue reads the value that begins behind blanks at i, and returns the index behind it.
func scanJSONValue(b []byte, i int) (v jsonValue, next int, err error) {
	i = jsonBlank(b, i)
	if i >= len(b) {
		return v, i, errJSONBroken
	}
	switch c := b[i]; {
	case c == '"':
		end, esc := jsonStringEnd(b, i+1)
		if end < 0 {
			return v, i, errJSONString
		}
		return jsonValue{jsonString, esc, b[i+1 : end]}, end + 1, nil
	case c == '{':
		end := jsonBlockEnd(b, i, '{', '}')
		if end < 0 {
			return v, i, errJSONObject
		}
		return jsonValue{kind: jsonObject, raw: b[i:end]}, end, nil
	case c == '[':
		end := jsonBlockEnd(b, i, '[', ']')
		if end < 0 {
			return v, i, errJSONArray
		}
		return jsonValue{kind: jsonArray, raw: b[i:end]}, end, nil
	}
	end := i
	for end < len(b) && !endsJSONToken(b[end]) {
		end++
	}
	v.raw = b[i:end]
	switch c := b[i]; {
	case c == '-' || isDigit(c):
		v.kind = jsonNumber
	case string(v.raw) == "true" || string(v.raw) == "false":
		v.kind = jsonBool
	case string(v.raw) == "null":
		v.kind = jsonNull
	default:
		return v, i, errJSONUnknown
	}
	return v, end, nil
}

func endsJSONToken(c byte) bool {
	switch c {
	case ' ', '\n', '\r', '\t', ',', '}', ']':
		return true
	}
	return false
}

// text returns a scalar's label value. An escape that cannot be decoded makes a string empty; what is not valid UTF-8 becomes
// blanks.
func (v jsonValue) text(e *entry) string {
	raw := v.raw
	if v.kind == jsonString && v.escaped {
		start := len(e.arena)
		decoded, ok := unescapeJSON(e.arena, raw)
		if !ok {
			return ""
		}
		e.arena = decoded
		raw = decoded[start:]
	}
	return e.cleanUTF8(raw)
}

// unescapeJSON appends the decoded text of a string to dst.
func unescapeJSON(dst, raw []byte) ([]byte, bool) {
	for i := 0; i < len(raw); {
		if raw[i] != '\\' {
			n := bytes.IndexByte(raw[i:], '\\')
			if n < 0 {
				n = len(raw) - i
			}
			dst = append(dst, raw[i:i+n]...)
			i += n
			continue
		}
		if i+1 >= len(raw) {
			return dst, false
		}
		switch c := raw[i+1]; c {
		case '"', '\\', '/':
			dst = append(dst, c)
		case 'b':
			dst = append(dst, '\b')
		case 'f':
			dst = append(dst, '\f')
		case 'n':
			dst = append(dst, '\n')
		case 'r':
			dst = append(dst, '\r')
		case 't':
			dst = append(dst, '\t')
		case 'u':
			r, ok := hexRune(raw[i+2:])
			if !ok {
				return dst, false
			}
			i += 6
			if utf16.IsSurrogate(r) {
				if i+1 >= len(raw) || raw[i] != '\\' || raw[i+1] != 'u' {
					return dst, false
				}
				low, ok := hexRune(raw[i+2:])
				if r = utf16.DecodeRune(r, low); !ok || r == utf8.RuneError {
					return dst, false
				}
				i += 6
			}
			dst = utf8.AppendRune(dst, r)
			continue
		default:
			return dst, false
		}
		i += 2
	}
	return dst, true
}

// hexRune decodes the four hex digits that b begins with.
func hexRune(b []byte) (rune, bool) {
	if len(b) < 4 {
		return 0, false
	}
	var r rune
	for _, c := range b[:4] {
		switch {
		case isDigit(c):
			r = r<<4 | rune(c-'0')
		case c >= 'a' && c <= 'f':
			r = r<<4 | rune(c-'a'+10)
		case c >= 'A' && c <= 'F':
			r = r<<4 | rune(c-'A'+10)
		default:
			return 0, false
		}
	}
	return r, true
}

// cleanUTF8 returns b as a string in which every U+FFFD and every byte that is not valid UTF-8 is a blank. The string may share
// b's memory.
func (e *entry) cleanUTF8(b []byte) string {
	i := 0
	for i < len(b) && b[i] < utf8.RuneSelf {
		i++
	}
	if i == len(b) || utf8.Valid(b[i:]) && !bytes.ContainsRune(b[i:], utf8.RuneError) {
		return viewString(b)
	}
	start := len(e.arena)
	for i := 0; i < len(b); {
		r, size := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError {
			e.arena = append(e.arena, ' ')
		} else {
			e.arena = append(e.arena, b[i:i+size]...)
		}
		i += size
	}
	return viewString(e.arena[start:])
}
