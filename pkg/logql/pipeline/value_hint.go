package pipeline

import (
	"bytes"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/cambium-logs/cambium/pkg/logql"
)

// valueHint drops lines before they are parsed: where parsers stand in front of | level="error", a line that does not hold the text
// error cannot have the value, unless it hides it behind an escape.
type valueHint struct {
	slot int // the label; lines of streams and entries that have it themselves are left alone
	any  lineMatcher
}

// valueHints finds the hints of stages that begin with parsers. Whatever parsers make of a line, a value is part of it, escapes and
// bytes that are not valid UTF-8 (which become blanks) aside.
func (c *compiler) valueHints(stages []logql.Stage) []valueHint {
	var hints []valueHint
	parsers := 0
	for _, s := range stages {
		switch s := s.(type) {
		case *logql.LineFilter:
		case *logql.JSONParser, *logql.LogfmtParser, *logql.RegexpParser, *logql.PatternParser:
			if hints == nil {
				parsers++
			}
		case *logql.LabelFilter:
			if parsers == 0 {
				return nil
			}
			hints = c.addHints(hints, s.Predicate)
		default:
			return hints
		}
	}
	return hints
}

func (c *compiler) addHints(hints []valueHint, p logql.LabelPredicate) []valueHint {
	switch p := p.(type) {
	case *logql.LogicalPredicate:
		if !p.Or {
			return c.addHints(c.addHints(hints, p.Left), p.Right)
		}
	case *logql.StringPredicate:
		m := p.Matcher
		if m.Name == ErrorLabel || m.Name == ErrorDetailsLabel {
			return hints
		}
		set := []literal{{text: m.Value}}
		switch m.Type {
		case labels.MatchEqual:
		case labels.MatchRegexp:
			s, err := newStringMatcher(m)
			if err != nil || s.set == nil {
				return hints
			}
			set = s.set
		default:
			return hints
		}
		for _, l := range set {
			if l.text == "" || bytes.ContainsAny([]byte(l.text), " \ufffd") {
				return hints
			}
		}
		if any, ok := literalMatcher(set, false); ok {
			return append(hints, valueHint{c.slot(m.Name), any})
		}
	}
	return hints
}

var backslash = []byte(`\`)

// refuses reports whether the entry is sure to be dropped by the label filter behind the parsers.
func (h *valueHint) refuses(e *entry) bool {
	l := e.slots[h.slot]
	return l.baseIdx < 0 && l.metaGen != e.gen && !h.any.match(e.line) && !bytes.Contains(e.line, backslash)
}
