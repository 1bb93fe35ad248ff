package pipeline

import "github.com/cambium-logs/cambium/pkg/logql"

// selector is an item of drop or keep: a name, and possibly a condition on the value.
type selector struct {
	slot    int
	isError bool
	matcher *stringMatcher // nil for a bare name
}

func newSelectors(c *compiler, items []logql.LabelSelector) ([]selector, error) {
	out := make([]selector, 0, len(items))
	for _, it := range items {
		s := selector{slot: c.slot(it.Name), isError: it.Name == ErrorLabel}
		if it.Matcher != nil {
			m, err := newStringMatcher(it.Matcher)
			if err != nil {
				return nil, err
			}
			s.matcher = m
		}
		out = append(out, s)
	}
	return out, nil
}

// matches reports whether the value of the selector's label meets its condition.
func (s *selector) matches(e *entry) bool {
	if s.matcher == nil {
		return true
	}
	if s.isError {
		return s.matcher.match(e.errKind)
	}
	v, _ := e.get(e.slots[s.slot])
	return s.matcher.match(v)
}

// dropLabels is | drop pod, level="debug".
type dropLabels struct {
	selectors []selector
	details   []bool // the selector names __error_details__
}

func newDropLabels(c *compiler, s *logql.DropLabels) (stage, error) {
	sel, err := newSelectors(c, s.Selectors)
	if err != nil {
		return nil, err
	}
	d := &dropLabels{selectors: sel}
	for _, it := range s.Selectors {
		d.details = append(d.details, it.Name == ErrorDetailsLabel)
	}
	return d, nil
}

func (d *dropLabels) apply(e *entry) bool {
	for i := range d.selectors {
		s := &d.selectors[i]
		if !s.matches(e) {
			continue
		}
		switch {
		case s.isError: // labels of that name that came with the data stay
			e.errKind = ""
		case d.details[i]:
			e.errDetails = ""
		default:
			e.delete(e.slots[s.slot])
		}
	}
	return true
}

// keepLabels is | keep app, level="error": all other labels go, apart from those of errors.
type keepLabels struct{ selectors []selector }

func newKeepLabels(c *compiler, s *logql.KeepLabels) (stage, error) {
	sel, err := newSelectors(c, s.Selectors)
	if err != nil {
		return nil, err
	}
	return &keepLabels{sel}, nil
}

func (k *keepLabels) apply(e *entry) bool {
	for i := range e.base {
		if l := e.base[i].label; e.inBase(l) && !k.keeps(e, l) {
			e.deleteBase(l)
		}
	}
	for i := range e.meta {
		if l := e.meta[i].label; l.metaGen == e.gen && !k.keeps(e, l) {
			e.delete(l)
		}
	}
	for i := len(e.parsed) - 1; i >= 0; i-- {
		if l := e.parsed[i].label; !k.keeps(e, l) {
			e.delete(l)
		}
	}
	return true
}

func (k *keepLabels) keeps(e *entry, l *label) bool {
	if l.name == ErrorLabel || l.name == ErrorDetailsLabel {
		return true
	}
	for i := range k.selectors {
		if s := &k.selectors[i]; e.slots[s.slot] == l && s.matches(e) {
			return true
		}
	}
	return false
}
