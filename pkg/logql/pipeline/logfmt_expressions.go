package pipeline

import (
	"fmt"
	"unicode/utf8"

	"github.com/cambium-logs/cambium/pkg/logql"
)

// logfmtExpressions is | logfmt who="user", …: only the labels asked for, each set even when the line lacks its key. Of a repeated
// key the last one counts.
type logfmtExpressions struct {
	strict bool
	slots  []int
	keys   []int // slots of the keys, as sanitised names
}

func newLogfmtExpressions(c *compiler, s *logql.LogfmtParser) (stage, error) {
	p := &logfmtExpressions{strict: s.Strict}
	for _, x := range s.Extractions {
		key, err := parseLogfmtKey(x.Path)
		if err != nil {
			return nil, stageError(s, fmt.Errorf("cannot parse expression [%s]: %w", x.Path, err))
		}
		p.slots = append(p.slots, c.slot(x.Name))
		p.keys = append(p.keys, c.slot(key))
	}
	return p, nil
}

// parseLogfmtKey reads the single key that an expression may be.
func parseLogfmtKey(text string) (string, error) {
	lex := &pathLexer{text: text}
	t := lex.next()
	switch t.kind {
	case "FIELD", "STRING":
	case "$end":
		if r, _ := utf8.DecodeRuneInString(text); lex.err != nil && r < utf8.RuneSelf {
			return "", lex.err
		}
		return "", unexpectedToken(t, "STRING or KEY")
	default:
		return "", fmt.Errorf("unexpected char %c", text[lex.pos-1])
	}
	end := lex.next()
	switch {
	case lex.err != nil:
		return "", lex.err
	case end.kind == "FIELD":
		return "", unexpectedToken(pathToken{kind: "KEY"}, "")
	case end.kind == "STRING":
		return "", unexpectedToken(end, "")
	case end.kind != "$end":
		return "", fmt.Errorf("unexpected char %c", text[lex.pos-1])
	}
	if t.kind == "STRING" {
		return string(sanitizeKey(nil, []byte(t.text), true)), nil
	}
	return t.text, nil
}

func (p *logfmtExpressions) apply(e *entry) bool {
	if e.satisfied() {
		return true
	}
	found := make([]field, 0, 16)
	s := logfmtScanner{line: e.line}
	for pos := 0; s.next(); pos++ {
		if s.err.what == "" {
			found = p.pair(e, &s, pos, found)
		}
		if s.err.what != "" && p.strict {
			e.setError(ErrLogfmtParser, s.err.Error())
			break
		}
	}
next:
	for i, slot := range p.slots {
		for j := len(found) - 1; j >= 0; j-- {
			if found[j].label == e.slots[p.keys[i]] {
				e.extract(e.slots[slot], found[j].value)
				continue next
			}
		}
		e.extractMissing(e.slots[slot])
	}
	return true
}

// pair adds the pair just scanned to found when an expression asks for its key.
func (p *logfmtExpressions) pair(e *entry, s *logfmtScanner, pos int, found []field) []field {
	k := e.keys.find(e, s.key, pos)
	for _, slot := range p.keys {
		if k.label != e.slots[slot] {
			continue
		}
		v := s.text(e)
		if s.err.what != "" {
			break
		}
		for i := range found {
			if found[i].label == k.label {
				found[i].value = v
				return found
			}
		}
		return append(found, field{label: k.label, value: v})
	}
	return found
}
