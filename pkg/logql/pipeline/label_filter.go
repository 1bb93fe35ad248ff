package pipeline

import (
	"fmt"

	"github.com/cambium-logs/cambium/pkg/logql"
)

// labelFilter is | level="error" and duration > 1s.
type labelFilter struct{ predicate predicate }

// predicate decides about the labels of an entry. It may set the entry's error.
type predicate interface {
	holds(e *entry) bool
}

func newLabelFilter(c *compiler, s *logql.LabelFilter) (stage, error) {
	p, err := c.predicate(s.Predicate)
	if err != nil {
		if _, ok := err.(*ParserError); ok {
			return nil, err
		}
		return nil, stageError(s, err)
	}
	return &labelFilter{p}, nil
}

func (f *labelFilter) apply(e *entry) bool { return f.predicate.holds(e) }

func (c *compiler) predicate(p logql.LabelPredicate) (predicate, error) {
	switch p := p.(type) {
	case *logql.StringPredicate:
		m, err := newStringMatcher(p.Matcher)
		if err != nil {
			return nil, err
		}
		if p.Matcher.Name == ErrorLabel {
			return &errorPredicate{m}, nil
		}
		return &stringPredicate{c.slot(p.Matcher.Name), m}, nil
	case *logql.NumberPredicate:
		return newNumberPredicate(c, p), nil
	case *logql.DurationPredicate:
		return newDurationPredicate(c, p), nil
	case *logql.BytesPredicate:
		return newBytesPredicate(c, p), nil
	case *logql.IPPredicate:
		m, err := newIPMatcher(p.Pattern)
		if err != nil {
			return nil, err
		}
		return &ipPredicate{c.slot(p.Name), p.Negated, m}, nil
	case *logql.LogicalPredicate:
		left, err := c.predicate(p.Left)
		if err != nil {
			return nil, err
		}
		right, err := c.predicate(p.Right)
		if err != nil {
			return nil, err
		}
		if p.Or {
			return &orPredicate{left, right}, nil
		}
		return &andPredicate{left, right}, nil
	}
	return nil, fmt.Errorf("unknown label predicate %T", p)
}

type andPredicate struct{ left, right predicate }

func (p *andPredicate) holds(e *entry) bool { return p.left.holds(e) && p.right.holds(e) }

type orPredicate struct{ left, right predicate }

func (p *orPredicate) holds(e *entry) bool { return p.left.holds(e) || p.right.holds(e) }

// stringPredicate treats an absent label as the empty string.
type stringPredicate struct {
	slot    int
	matcher *stringMatcher
}

func (p *stringPredicate) holds(e *entry) bool {
	v, _ := e.get(e.slots[p.slot])
	return p.matcher.match(v)
}

// errorPredicate is a string filter on __error__.
type errorPredicate struct{ matcher *stringMatcher }

func (p *errorPredicate) holds(e *entry) bool { return p.matcher.match(e.errKind) }

// ipPredicate drops entries without the label, and else looks for an address in the value.
type ipPredicate struct {
	slot    int
	negated bool
	matcher *ipMatcher
}

func (p *ipPredicate) holds(e *entry) bool {
	v, ok := e.get(e.slots[p.slot])
	return ok && p.matcher.match(viewBytes(v)) != p.negated
}
