package pipeline

import (
	"unicode"
	"unicode/utf8"
)

// sanitizeKey appends to dst the label name for an extracted key: surrounding white space is cut off, every character
// outside [A-Za-z0-9_] becomes one '_', and a leading digit gets a '_' in front when the key begins a name.
func sanitizeKey(dst []byte, key []byte, first bool) []byte {
	key = trimSpace(key)
	if len(key) == 0 {
		return dst
	}
	if first && key[0] >= '0' && key[0] <= '9' {
		dst = append(dst, '_')
	}
	for i := 0; i < len(key); {
		c := key[i]
		if c < utf8.RuneSelf {
			if isNameByte(c) {
				dst = append(dst, c)
			} else {
				dst = append(dst, '_')
			}
			i++
			continue
		}
		_, size := utf8.DecodeRune(key[i:])
		dst = append(dst, '_')
		i += size
	}
	return dst
}

func isNameByte(c byte) bool {
	return c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
}

func trimSpace(b []byte) []byte {
	for len(b) > 0 {
		r, size := utf8.DecodeRune(b)
		if !unicode.IsSpace(r) {
			break
		}
		b = b[size:]
	}
	for len(b) > 0 {
		r, size := utf8.DecodeLastRune(b)
		if !unicode.IsSpace(r) {
			break
		}
		b = b[:len(b)-size]
	}
	return b
}
