package logql

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/dustin/go-humanize"
	"github.com/prometheus/common/model"
)

func durationOf(d model.Duration) time.Duration { return time.Duration(d) }

// parseDuration reads Prometheus' form, or else Go's. Both may be signed.
func parseDuration(text string) (time.Duration, error) {
	if d, err := model.ParseDuration(text); err == nil {
		return durationOf(d), nil
	}
	if len(text) > 1 && (text[0] == '-' || text[0] == '+') {
		if d, err := model.ParseDuration(text[1:]); err == nil {
			if text[0] == '-' {
				return -durationOf(d), nil
			}
			return durationOf(d), nil
		}
	}
	return time.ParseDuration(text)
}

const (
	durationRunes = "nsuµμmhdwy"
	byteRunes     = "BikKMGTP"
)

// number reads a number, and with the unit that follows it a duration or a byte quantity.
func (l *lexer) number(t token) token {
	start := l.pos
	end, msg := scanNumber(l.src, start)
	if msg != "" {
		return l.fail(t, msg)
	}
	if d, ok := l.durationAt(t, start, end); ok {
		return d
	}
	unit := end
	for unit < len(l.src) && strings.IndexByte(byteRunes, l.src[unit]) >= 0 {
		unit++
	}
	if unit > end {
		if n, err := humanize.ParseBytes(l.src[start:unit]); err == nil {
			t.kind, t.text, t.line, t.bytes = tokBytes, l.src[start:unit], 0, n
			l.advanceTo(unit)
			return t
		}
	}
	t.kind, t.text = tokNumber, l.src[start:end]
	l.advanceTo(end)
	return t
}

// durationAt reads the duration that begins at start and has at least its first unit behind number.
func (l *lexer) durationAt(t token, start, number int) (token, bool) {
	end, units := number, false
	for end < len(l.src) {
		r, size := utf8.DecodeRuneInString(l.src[end:])
		switch {
		case strings.ContainsRune(durationRunes, r):
			units = true
		case r != '.' && (r < '0' || r > '9'):
			size = 0
		}
		if size == 0 {
			break
		}
		end += size
	}
	if !units {
		return t, false
	}
	d, err := parseDuration(l.src[start:end])
	if err != nil {
		return t, false
	}
	t.kind, t.text, t.line, t.duration = tokDuration, l.src[start:end], 0, d
	l.advanceTo(end)
	return t, true
}

// scanNumber finds the end of the number at start, in Go's syntax. The message says what is wrong with it.
func scanNumber(src string, start int) (end int, msg string) {
	s := numberScanner{src: src, pos: start}
	base, digits := s.prefix()
	if base.name == "" {
		return s.pos, "decimal literal has no digits"
	}
	digits += s.digits(base)
	float := false
	if s.peek() == '.' && (base.radix == 10 || base.radix == 16 || base.leadingZero) {
		float = true
		s.pos++
		digits += s.digits(base)
	}
	if digits == 0 {
		return s.pos, base.name + " literal has no digits"
	}
	if exp := s.peek() | 0x20; exp == 'e' && base.decimalExponent() || exp == 'p' && base.radix == 16 {
		float = true
		s.pos++
		if c := s.peek(); c == '+' || c == '-' {
			s.pos++
		}
		if s.digits(numberBase{radix: 10}) == 0 {
			return s.pos, "exponent has no digits"
		}
	} else if float && base.radix == 16 {
		return s.pos, "hexadecimal mantissa requires a 'p' exponent"
	}
	if s.invalid != 0 && !float {
		return s.pos, fmt.Sprintf("invalid digit %q in %s literal", s.invalid, base.name)
	}
	if misplacedSeparator(src[start:s.pos]) {
		return s.pos, "'_' must separate successive digits"
	}
	return s.pos, ""
}

type numberBase struct {
	name        string
	radix       int
	leadingZero bool // octal by a leading 0 alone: still decimal when a fraction or an exponent follows
}

func (b numberBase) decimalExponent() bool { return b.radix == 10 || b.leadingZero }

type numberScanner struct {
	src     string
	pos     int
	invalid byte // first digit that the radix does not have
}

func (s *numberScanner) peek() byte {
	if s.pos < len(s.src) {
		return s.src[s.pos]
	}
	return 0
}

// prefix consumes a leading 0 with the letter of a base, if there is one. "0B" begins no number: B is a unit.
func (s *numberScanner) prefix() (b numberBase, digits int) {
	decimal := numberBase{name: "decimal", radix: 10}
	if s.peek() != '0' {
		return decimal, 0
	}
	s.pos++
	switch s.peek() {
	case 'B':
		return numberBase{}, 0
	case 'b':
		b = numberBase{name: "binary", radix: 2}
	case 'o', 'O':
		b = numberBase{name: "octal", radix: 8}
	case 'x', 'X':
		b = numberBase{name: "hexadecimal", radix: 16}
	default:
		return numberBase{name: "octal", radix: 8, leadingZero: true}, 1
	}
	s.pos++
	return b, 0
}

// digits consumes digits and separators and counts the digits.
func (s *numberScanner) digits(b numberBase) int {
	n := 0
	for ; s.pos < len(s.src); s.pos++ {
		c := s.src[s.pos]
		switch {
		case c == '_':
		case isDecimal(c):
			if int(c-'0') >= b.radix && s.invalid == 0 {
				s.invalid = c
			}
			n++
		case b.radix == 16 && 'a' <= c|0x20 && c|0x20 <= 'f':
			n++
		default:
			return n
		}
	}
	return n
}

// misplacedSeparator tells whether a "_" of a number stands elsewhere than between two digits (or prefix and digit).
func misplacedSeparator(number string) bool {
	for i := 0; i < len(number); i++ {
		if number[i] != '_' {
			continue
		}
		if i == 0 || i+1 == len(number) || !isAlphanumeric(number[i-1]) || !isAlphanumeric(number[i+1]) {
			return true
		}
	}
	return false
}

func isAlphanumeric(c byte) bool { return isDecimal(c) || 'a' <= c|0x20 && c|0x20 <= 'z' }

// quoted reads a string in double quotes.
func (l *lexer) quoted(t token) token {
	start := l.pos
	l.advance()
	for {
		if msg := l.illegal(); msg != "" {
			return l.fail(t, msg)
		}
		switch r := l.peek(); r {
		case -1, '\n':
			return l.fail(t, "literal not terminated")
		case '"':
			l.advance()
			text, err := strconv.Unquote(l.src[start:l.pos])
			if err != nil {
				return l.fail(t, "invalid char escape")
			}
			t.kind, t.text = tokString, text
			return t
		case '\\':
			n := escapeLength(l.src[l.pos:])
			if n == 0 {
				return l.fail(t, "invalid char escape")
			}
			l.advanceTo(l.pos + n)
		default:
			l.advance()
		}
	}
}

// escapeLength gives the length of the escape sequence that s begins with, or 0 when it is none.
func escapeLength(s string) int {
	if len(s) < 2 {
		return 0
	}
	count := func(from, n int, radix int) int {
		if len(s) < from+n {
			return 0
		}
		if _, err := strconv.ParseUint(s[from:from+n], radix, 64); err != nil {
			return 0
		}
		return from + n
	}
	switch c := s[1]; {
	case strings.IndexByte(`abfnrtv\"`, c) >= 0:
		return 2
	case '0' <= c && c <= '7':
		return count(1, 3, 8)
	case c == 'x':
		return count(2, 2, 16)
	case c == 'u':
		return count(2, 4, 16)
	case c == 'U':
		return count(2, 8, 16)
	}
	return 0
}

// raw reads a string in back-quotes.
func (l *lexer) raw(t token) token {
	l.advance()
	start := l.pos
	for l.peek() != '`' {
		if msg := l.illegal(); msg != "" {
			return l.fail(t, msg)
		}
		if l.pos >= len(l.src) {
			return l.fail(t, "literal not terminated")
		}
		l.advance()
	}
	t.kind, t.text = tokString, l.src[start:l.pos]
	l.advance()
	return t
}
