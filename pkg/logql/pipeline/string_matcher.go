package pipeline

import (
	"regexp"
	"regexp/syntax"
	"strings"

	"github.com/prometheus/prometheus/model/labels"
)

// stringMatcher compares a label's value with a string or with a regex over the whole value. In such a regex '.' does not match a
// line feed, other than in stream selectors.
//
// Two kinds of regexes are no comparison of the whole value, because Loki's are not: the empty one matches every value, and literal
// text with .* before or behind it matches every value that contains the text.
type stringMatcher struct {
	negated bool
	loose   lineMatcher // decides alone when not nil
	equal   string
	set     []literal // any of these, when not nil
	re      *regexp.Regexp
	need    []lineMatcher // literals without which re does not match
}

func newStringMatcher(m *labels.Matcher) (*stringMatcher, error) {
	s := &stringMatcher{
		negated: m.Type == labels.MatchNotEqual || m.Type == labels.MatchNotRegexp,
		equal:   m.Value,
	}
	if m.Type == labels.MatchEqual || m.Type == labels.MatchNotEqual {
		return s, nil
	}
	if _, err := regexp.Compile(m.Value); err != nil {
		return nil, &ParserError{Err: err}
	}
	re, err := regexp.Compile("^(?:" + m.Value + ")$")
	if err != nil {
		return nil, &ParserError{Err: err}
	}
	s.re = re
	parsed, err := syntax.Parse(m.Value, syntax.Perl)
	if err != nil {
		return nil, &ParserError{Err: err}
	}
	parsed = parsed.Simplify()
	if s.loose, err = looseMatcher(m.Value, parsed); s.loose != nil || err != nil {
		return s, err
	}
	if set, ok := expand(parsed); ok && literalsExact(set) {
		s.set = set
		return s, nil
	}
	for _, set := range required(parsed) {
		if lm, ok := literalMatcher(set, false); ok {
			s.need = append(s.need, lm)
		}
	}
	return s, nil
}

// looseMatcher returns the matcher for regexes that are not anchored, or nil.
func looseMatcher(text string, re *syntax.Regexp) (lineMatcher, error) {
	if re.Op == syntax.OpEmptyMatch {
		return always{}, nil
	}
	if re.Op != syntax.OpConcat {
		return nil, nil
	}
	literals := 0
	for _, sub := range re.Sub {
		switch {
		case sub.Op == syntax.OpLiteral:
			literals++
		case sub.Op != syntax.OpStar || sub.Sub[0].Op != syntax.OpAnyCharNotNL:
			return nil, nil
		}
	}
	if literals != 1 {
		return nil, nil
	}
	return newRegexMatcher(text)
}

// literalsExact reports whether comparing with the literals decides as the regex does, also for values that are not valid UTF-8.
func literalsExact(set []literal) bool {
	for _, l := range set {
		if strings.ContainsRune(l.text, '\uFFFD') {
			return false
		}
	}
	return true
}

func (m *stringMatcher) match(value string) bool {
	return m.positive(value) != m.negated
}

func (m *stringMatcher) positive(value string) bool {
	if m.loose != nil {
		return m.loose.match(viewBytes(value))
	}
	if m.re == nil {
		return value == m.equal
	}
	if m.set != nil {
		for _, l := range m.set {
			if value == l.text || l.fold && strings.EqualFold(value, l.text) {
				return true
			}
		}
		return false
	}
	for _, n := range m.need {
		if !n.match(viewBytes(value)) {
			return false
		}
	}
	return m.re.MatchString(value)
}
