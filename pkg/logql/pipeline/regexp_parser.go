package pipeline

import (
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"

	"github.com/cambium-logs/cambium/pkg/logql"
)

var errNoNamedCapture = errors.New("at least one named capture must be supplied")

// regexpParser is | regexp "(?P<method>\\w+) (?P<path>\\S+)": the named groups of the first match become labels.
type regexpParser struct {
	re     *regexp.Regexp
	need   []lineMatcher // literals without which there is no match
	groups []regexpGroup
}

type regexpGroup struct {
	index int
	slot  int
}

func newRegexpParser(c *compiler, s *logql.RegexpParser) (stage, error) {
	re, err := regexp.Compile(s.Pattern)
	if err != nil {
		return nil, &ParserError{"regexp", err}
	}
	p := &regexpParser{re: re}
	seen := make(map[string]bool)
	for i, name := range re.SubexpNames() {
		if name == "" {
			continue
		}
		if seen[name] {
			return nil, &ParserError{"regexp", fmt.Errorf("duplicate extracted label name '%s'", name)}
		}
		seen[name] = true
		p.groups = append(p.groups, regexpGroup{index: i, slot: c.slot(name)})
	}
	if len(p.groups) == 0 {
		return nil, &ParserError{"regexp", errNoNamedCapture}
	}
	if parsed, err := syntax.Parse(s.Pattern, syntax.Perl); err == nil {
		for _, set := range required(parsed.Simplify()) {
			if m, ok := literalMatcher(set, false); ok {
				p.need = append(p.need, m)
			}
		}
	}
	return p, nil
}

func (p *regexpParser) apply(e *entry) bool {
	for _, n := range p.need {
		if !n.match(e.line) {
			return true
		}
	}
	wanted := false
	for _, g := range p.groups {
		wanted = wanted || e.target(e.slots[g.slot]) != nil
	}
	if !wanted {
		return true
	}
	m := p.re.FindSubmatchIndex(e.line)
	if m == nil {
		return true
	}
	for _, g := range p.groups {
		value := ""
		if from := m[2*g.index]; from >= 0 {
			value = viewString(e.line[from:m[2*g.index+1]])
		}
		e.extract(e.slots[g.slot], value)
	}
	return true
}
