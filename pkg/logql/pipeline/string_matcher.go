package pipeline

import (
	"regexp"
	"regexp/syntax"
	"strings"

	"github.com/prometheus/prometheus/model/labels"
)

// stringMatcher compares a label's value with a string or with a regex over the whole value. In such a regex '.' does not match a
// line feed, other than in stream selectors.
type stringMatcher struct {
	negated bool
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
	if set, ok := expand(parsed); ok && literalsExact(set) {
		s.set = set
		return s, nil
	}
	for _, set := range required(parsed) {
		if lm, ok := literalMatcher(set, nil); ok {
			s.need = append(s.need, lm)
		}
	}
	return s, nil
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
