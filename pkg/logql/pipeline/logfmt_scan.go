package pipeline

import (
	"bytes"
	"fmt"
	"unicode/utf16"
	"unicode/utf8"
)

// logfmtScanner reads key=value pairs from a line. Bytes up to the blank separate pairs.
type logfmtScanner struct {
	line  []byte
	pos   int
	key   []byte
	value []byte // between the quotes of a quoted value
	// escaped says that value has escapes to be decoded.
	escaped bool
	err     logfmtError
}

// logfmtError is what is wrong with a pair, and the index in the line.
type logfmtError struct {
	what string
	pos  int
}

func (e logfmtError) Error() string {
	return fmt.Sprintf("logfmt syntax error at pos %d : %s", e.pos+1, e.what)
}

const (
	unexpectedEquals = "unexpected '='"
	unexpectedQuote  = `unexpected '"'`
	unterminated     = "unterminated quoted value"
	invalidQuoted    = "invalid quoted value"
)

// next reads one pair. ok is false behind the last pair. A malformed pair sets err and is skipped up to the next separator.
func (s *logfmtScanner) next() (ok bool) {
	line := s.line
	i := s.pos
	for i < len(line) && line[i] <= ' ' {
		i++
	}
	if i >= len(line) {
		s.pos = i
		return false
	}
	s.value, s.escaped, s.err = nil, false, logfmtError{}
	start := i
	for i < len(line) && line[i] > ' ' && line[i] != '=' && line[i] != '"' {
		i++
	}
	s.key = line[start:i]
	if i >= len(line) || line[i] <= ' ' {
		s.pos = i
		return true
	}
	if line[i] == '"' {
		return s.malformed(unexpectedQuote, i)
	}
	if i == start {
		return s.malformed(unexpectedEquals, i)
	}
	i++
	if i < len(line) && line[i] == '"' {
		return s.quoted(i + 1)
	}
	start = i
	for i < len(line) && line[i] > ' ' {
		if line[i] == '=' {
			return s.malformed(unexpectedEquals, i)
		}
		if line[i] == '"' {
			return s.malformed(unexpectedQuote, i)
		}
		i++
	}
	s.value = line[start:i]
	s.pos = i
	return true
}

// quoted reads the value whose text begins at i.
func (s *logfmtScanner) quoted(i int) bool {
	end, escaped := jsonStringEnd(s.line, i)
	if end < 0 {
		s.pos = len(s.line)
		s.err = logfmtError{unterminated, len(s.line)}
		return true
	}
	s.value, s.escaped = s.line[i:end], escaped
	s.pos = end + 1
	return true
}

func (s *logfmtScanner) malformed(what string, at int) bool {
	s.err = logfmtError{what, at}
	for at < len(s.line) && s.line[at] > ' ' {
		at++
	}
	s.pos = at
	return true
}

// text returns the value decoded and as valid UTF-8. It sets err when an escape is wrong.
func (s *logfmtScanner) text(e *entry) string {
	raw := s.value
	if s.escaped {
		start := len(e.arena)
		decoded, ok := unescapeLogfmt(e.arena, raw)
		if !ok {
			s.malformed(invalidQuoted, s.pos)
			return ""
		}
		e.arena = decoded
		raw = decoded[start:]
	}
	return e.cleanUTF8(raw)
}

// unescapeLogfmt appends the decoded text to dst: the escapes of JSON, and \'. Half a surrogate pair becomes U+FFFD.
func unescapeLogfmt(dst, raw []byte) ([]byte, bool) {
	for i := 0; i < len(raw); {
		n := bytes.IndexByte(raw[i:], '\\')
		if n < 0 {
			return append(dst, raw[i:]...), true
		}
		dst = append(dst, raw[i:i+n]...)
		if i += n; i+1 >= len(raw) {
			return dst, false
		}
		switch c := raw[i+1]; c {
		case '"', '\\', '/', '\'':
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
				pair := rune(utf8.RuneError)
				if i+1 < len(raw) && raw[i] == '\\' && raw[i+1] == 'u' {
					low, _ := hexRune(raw[i+2:])
					if pair = utf16.DecodeRune(r, low); pair != utf8.RuneError {
						i += 6
					}
				}
				r = pair
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
