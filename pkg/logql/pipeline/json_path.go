package pipeline

import (
	"fmt"
	"strconv"
)

// pathStep is one step of a JSON path: a key, or an index into an array.
type pathStep struct {
	key   string
	index int // -1 for a key
}

type pathToken struct {
	kind string // FIELD, STRING, INDEX, DOT, LSB, RSB or $end
	text string
}

// parseJSONPath reads a path such as a.b[0]["x-y"].
func parseJSONPath(text string) ([]pathStep, error) {
	lex := &pathLexer{text: text}
	steps, err := lex.path()
	if err == nil {
		err = lex.err
	}
	if err != nil {
		return nil, fmt.Errorf("cannot parse expression [%s]: %w", text, err)
	}
	return steps, nil
}

type pathLexer struct {
	text string
	pos  int
	err  error // a character that starts no token; the text ends there
}

func (l *pathLexer) next() pathToken {
	for l.pos < len(l.text) && (l.text[l.pos] == ' ' || l.text[l.pos] == '\t' || l.text[l.pos] == '\n' || l.text[l.pos] == '\r') {
		l.pos++
	}
	if l.pos >= len(l.text) || l.err != nil {
		return pathToken{kind: "$end"}
	}
	start := l.pos
	c := l.text[l.pos]
	l.pos++
	switch {
	case c == '.':
		return pathToken{kind: "DOT"}
	case c == '[':
		return pathToken{kind: "LSB"}
	case c == ']':
		return pathToken{kind: "RSB"}
	case c == '"':
		for l.pos < len(l.text) && l.text[l.pos] != '"' {
			if l.text[l.pos] == '\\' {
				l.pos++
			}
			l.pos++
		}
		end := min(l.pos, len(l.text))
		l.pos = min(l.pos+1, len(l.text))
		return pathToken{"STRING", unescapePathKey(l.text[start+1 : end])}
	case isDigit(c):
		for l.pos < len(l.text) && isDigit(l.text[l.pos]) {
			l.pos++
		}
		return pathToken{"INDEX", l.text[start:l.pos]}
	case isNameByte(c):
		for l.pos < len(l.text) && isNameByte(l.text[l.pos]) {
			l.pos++
		}
		return pathToken{"FIELD", l.text[start:l.pos]}
	}
	for _, r := range l.text[start:] {
		l.err = fmt.Errorf("unexpected char %c", r)
		break
	}
	return pathToken{kind: "$end"}
}

func unescapePathKey(s string) string {
	if u, err := strconv.Unquote(`"` + s + `"`); err == nil {
		return u
	}
	return s
}

func unexpectedToken(t pathToken, expecting string) error {
	if expecting == "" {
		return fmt.Errorf("syntax error: unexpected %s", t.kind)
	}
	return fmt.Errorf("syntax error: unexpected %s, expecting %s", t.kind, expecting)
}

func (l *pathLexer) path() ([]pathStep, error) {
	var steps []pathStep
	t := l.next()
	if t.kind != "FIELD" && t.kind != "LSB" {
		return nil, unexpectedToken(t, "LSB or FIELD")
	}
	for {
		switch t.kind {
		case "FIELD":
			if len(steps) > 0 {
				return nil, unexpectedToken(t, "")
			}
			steps = append(steps, pathStep{key: t.text, index: -1})
		case "DOT":
			if t = l.next(); t.kind != "FIELD" {
				return nil, unexpectedToken(t, "FIELD")
			}
			steps = append(steps, pathStep{key: t.text, index: -1})
		case "LSB":
			t = l.next()
			switch t.kind {
			case "STRING":
				steps = append(steps, pathStep{key: t.text, index: -1})
			case "INDEX":
				n, err := strconv.Atoi(t.text)
				if err != nil {
					return nil, fmt.Errorf("index out of range: %s", t.text)
				}
				steps = append(steps, pathStep{index: n})
			default:
				return nil, unexpectedToken(t, "STRING or INDEX")
			}
			if t = l.next(); t.kind != "RSB" {
				return nil, unexpectedToken(t, "RSB")
			}
		case "$end":
			return steps, nil
		default:
			return nil, unexpectedToken(t, "")
		}
		t = l.next()
	}
}
