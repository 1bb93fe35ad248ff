package pipeline

import (
	"bytes"
	"fmt"
	"slices"
	"unicode/utf8"

	"github.com/cambium-logs/cambium/pkg/logql"
)

// logfmtExpressions is | logfmt who="user", …: only the labels asked for, each set even when the line lacks its key. A label is
// set by its key and, unless it is renamed to _extracted, by a key of its own name. The last one counts, except where the labels that
// somebody reads are known beforehand: there, scanning ends as soon as each of them was found.
type logfmtExpressions struct {
	strict bool
	wanted []logfmtWanted
}

// logfmtWanted is a label asked for, and its key as a sanitised name. Both are slots.
type logfmtWanted struct {
	label, key int
}

func newLogfmtExpressions(c *compiler, s *logql.LogfmtParser) (stage, error) {
	p := &logfmtExpressions{strict: s.Strict}
	for _, x := range s.Extractions {
		key, err := parseLogfmtKey(x.Path)
		if err != nil {
			return nil, stageError(s, fmt.Errorf("cannot parse expression [%s]: %w", x.Path, err))
		}
		w := logfmtWanted{label: c.slot(x.Name), key: c.slot(key)}
		if i := slices.IndexFunc(p.wanted, func(o logfmtWanted) bool { return o.label == w.label }); i >= 0 {
			p.wanted[i] = w
		} else {
			p.wanted = append(p.wanted, w)
		}
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
	found := e.found[:0]
	s := logfmtScanner{line: e.line}
	for pos := 0; s.next(); pos++ {
		if s.err.what == "" {
			found = p.pair(e, &s, pos, found)
		}
		if s.err.what != "" && p.strict {
			e.setError(ErrLogfmtParser, s.err.Error())
			break
		}
		if e.needs.known && e.neededFound+countNeeded(found) >= e.needs.total {
			break
		}
	}
	e.found = found
next:
	for _, w := range p.wanted {
		l := e.slots[w.label]
		for i := range found {
			if found[i].label == l {
				e.extract(l, found[i].value)
				continue next
			}
		}
		e.extractMissing(l)
	}
	return true
}

func countNeeded(found []field) int {
	n := 0
	for i := range found {
		if found[i].label.needed {
			n++
		}
	}
	return n
}

// pair adds the pair just scanned to found, under the labels that it sets.
func (p *logfmtExpressions) pair(e *entry, s *logfmtScanner, pos int, found []field) []field {
	name := e.keys.find(e, s.key, pos).label
	byKey, byName := false, false
	for _, w := range p.wanted {
		byKey = byKey || e.slots[w.key] == name
		byName = byName || e.slots[w.label] == name
	}
	if byName && name != nil && (name.metaGen == e.gen || e.inBase(name)) {
		byName = false
	}
	if !byKey && !byName {
		if p.strict && s.escaped {
			s.text(e)
		}
		return found
	}
	value := ""
	if !bytes.ContainsRune(s.value, utf8.RuneError) {
		value = s.text(e)
	}
	if s.err.what != "" {
		return found
	}
next:
	for _, w := range p.wanted {
		l := e.slots[w.label]
		if byKey && e.slots[w.key] != name || !byKey && l != name {
			continue
		}
		for i := range found {
			if found[i].label == l {
				found[i].value = value
				continue next
			}
		}
		found = append(found, field{label: l, value: value})
	}
	return found
}
