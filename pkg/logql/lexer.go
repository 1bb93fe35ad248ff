package logql

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/prometheus/common/model"
)

// lexer cuts a text into tokens. After the first error every further token is that error.
type lexer struct {
	src        string
	pos        int // byte offset of the next character
	line, col  int // of the next character, from 1
	extensions bool
	subquery   bool // a subquery's range was met
	failed     *token
}

func newLexer(src string, extensions bool) *lexer {
	return &lexer{src: strings.TrimPrefix(src, "\ufeff"), line: 1, col: 1, extensions: extensions}
}

// peek gives the next character without consuming it, or -1 at the end of the text.
func (l *lexer) peek() rune {
	if l.pos >= len(l.src) {
		return -1
	}
	if c := l.src[l.pos]; c < utf8.RuneSelf {
		return rune(c)
	}
	r, _ := utf8.DecodeRuneInString(l.src[l.pos:])
	return r
}

// peekByte gives the byte n bytes ahead, or 0 behind the end.
func (l *lexer) peekByte(n int) byte {
	if l.pos+n >= len(l.src) {
		return 0
	}
	return l.src[l.pos+n]
}

func (l *lexer) advance() {
	r, size := utf8.DecodeRuneInString(l.src[l.pos:])
	l.pos += size
	if r == '\n' {
		l.line++
		l.col = 1
		return
	}
	l.col++
}

func (l *lexer) advanceTo(pos int) {
	for l.pos < pos {
		l.advance()
	}
}

// illegal reports what is wrong with the next character wherever it stands, or "".
func (l *lexer) illegal() string {
	c := l.peekByte(0)
	if c == 0 && l.pos < len(l.src) {
		return "invalid character NUL"
	}
	if c >= utf8.RuneSelf {
		if r, size := utf8.DecodeRuneInString(l.src[l.pos:]); r == utf8.RuneError && size == 1 {
			return "invalid UTF-8 encoding"
		}
	}
	return ""
}

func (l *lexer) fail(t token, msg string) token {
	t.kind = tokError
	t.err = &ParseError{Line: t.line, Col: t.col, Msg: msg}
	l.failed = &t
	return t
}

// next gives the next token. At the end of the text it gives tokEOF again and again.
func (l *lexer) next() token {
	if l.failed != nil {
		return *l.failed
	}
	if t, bad := l.skipBlanks(); bad {
		return t
	}
	t := token{line: l.line, col: l.col}
	if l.pos >= len(l.src) {
		if len(l.src) == 0 {
			t.line, t.col = 0, 0
		}
		return t
	}
	if msg := l.illegal(); msg != "" {
		return l.fail(t, msg)
	}
	r := l.peek()
	switch {
	case isLetter(r):
		return l.word(t)
	case '0' <= r && r <= '9', r == '.' && isDecimal(l.peekByte(1)):
		return l.number(t)
	case r == '"':
		return l.quoted(t)
	case r == '`':
		return l.raw(t)
	case r == '[':
		return l.rangeToken(t)
	}
	if r == '-' || r == '+' {
		if s, ok := l.flagOrSignedDuration(t); ok {
			return s
		}
	}
	return l.symbol(t)
}

// skipBlanks skips white space and comments.
func (l *lexer) skipBlanks() (token, bool) {
	for {
		start := token{line: l.line, col: l.col}
		switch c := l.peekByte(0); {
		case c == ' ', c == '\t', c == '\r', c == '\n':
			l.advance()
		case c == '#', c == '/' && l.peekByte(1) == '/':
			for l.pos < len(l.src) && l.src[l.pos] != '\n' {
				l.advance()
			}
		case c == '/' && l.peekByte(1) == '*':
			end := strings.Index(l.src[l.pos+2:], "*/")
			if end < 0 {
				return l.fail(start, "comment not terminated"), true
			}
			l.advanceTo(l.pos + 2 + end + 2)
		default:
			return token{}, false
		}
	}
}

func (l *lexer) symbol(t token) token {
	if l.pos+2 <= len(l.src) {
		if k, ok := twoByteTokens[l.src[l.pos:l.pos+2]]; ok {
			t.kind, t.text, t.line = k, l.src[l.pos:l.pos+2], 0
			l.advanceTo(l.pos + 2)
			return t
		}
	}
	start := l.pos
	r := l.peek()
	l.advance()
	t.text = l.src[start:l.pos]
	if k, ok := oneRuneTokens[r]; ok {
		t.kind = k
		return t
	}
	t.kind, t.stray = tokIdent, true
	return t
}

func isLetter(r rune) bool  { return r == '_' || unicode.IsLetter(r) }
func isDecimal(c byte) bool { return '0' <= c && c <= '9' }

func (l *lexer) word(t token) token {
	start := l.pos
	for r := l.peek(); isLetter(r) || unicode.IsDigit(r); r = l.peek() {
		l.advance()
	}
	t.kind, t.text = tokIdent, l.src[start:l.pos]
	lower := strings.ToLower(t.text)
	if k, ok := keywords[lower]; ok {
		t.kind, t.text = k, lower
		return t
	}
	if k, ok := functionWords[lower]; ok && l.callFollows(k) {
		t.kind, t.text = k, lower
	}
	return t
}

// callFollows tells whether a function word of kind k is used as a function here: an opening parenthesis follows,
// or, for a vector aggregation, a grouping.
func (l *lexer) callFollows(k kind) bool {
	rest := strings.TrimLeft(l.src[l.pos:], " \t\r\n")
	if strings.HasPrefix(rest, "(") {
		return true
	}
	if k != tokVectorOp {
		return false
	}
	for _, word := range []string{"by", "without"} {
		if len(rest) > len(word) && strings.EqualFold(rest[:len(word)], word) {
			return strings.HasPrefix(strings.TrimLeft(rest[len(word):], " \t\r\n"), "(")
		}
	}
	return false
}

// flagOrSignedDuration reads "--strict", "--keep-empty", "-5m" and "+5m"; other signs are tokens of their own.
func (l *lexer) flagOrSignedDuration(t token) (token, bool) {
	for _, flag := range []string{"--strict", "--keep-empty"} {
		if !strings.HasPrefix(l.src[l.pos:], flag) {
			continue
		}
		if c := l.peekByte(len(flag)); c == '-' || c == '_' || c >= utf8.RuneSelf || isAlphanumeric(c) {
			return t, false
		}
		l.advanceTo(l.pos + len(flag))
		t.kind, t.text, t.line = tokFlag, flag, 0
		return t, true
	}
	if c := l.peekByte(1); !isDecimal(c) && c != '.' {
		return t, false
	}
	return l.durationAt(t, l.pos, l.pos+1)
}

// rangeToken reads "[…]", blanks included.
func (l *lexer) rangeToken(t token) token {
	start := l.pos + 1
	t.kind, t.line = tokRange, 0
	length := strings.IndexByte(l.src[start:], ']')
	if length < 0 {
		return l.fail(t, "missing closing ']' in duration")
	}
	text := l.src[start : start+length]
	if l.extensions && strings.ContainsRune(text, ':') {
		return l.subqueryToken(t, text)
	}
	d, err := model.ParseDuration(text)
	if err != nil {
		return l.fail(t, err.Error())
	}
	l.advanceTo(start + length + 1)
	t.duration = durationOf(d)
	return t
}
