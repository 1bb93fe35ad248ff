package pipeline

import (
	"bytes"
	"errors"

	"github.com/cambium-logs/cambium/pkg/logql"
)

var errIPOperation = errors.New("ip: invalid operation")

// lineMatcher decides about the bytes of a line.
type lineMatcher interface {
	match(line []byte) bool
}

// lineFilter is |= != |~ !~ |> !>, for example |= "timeout" or "refused". It keeps a line when any operand matches, or when none
// does if negated.
type lineFilter struct {
	any     []lineMatcher
	negated bool
}

func newLineFilter(s *logql.LineFilter) (stage, error) {
	f := &lineFilter{}
	var kind logql.LineFilterOp
	switch s.Op {
	case logql.LineNotContains, logql.LineContains:
		kind = logql.LineContains
	case logql.LineNotMatches, logql.LineMatches:
		kind = logql.LineMatches
	default:
		kind = logql.LinePattern
	}
	f.negated = s.Op != kind
	for _, o := range s.Operands {
		m, err := newLineMatcher(kind, o)
		if err != nil {
			return nil, stageError(s, err)
		}
		if _, ok := m.(always); ok && !f.negated && len(s.Operands) > 1 {
			continue // as in the reference, an operand that matches everything does not count in a chain
		}
		f.any = append(f.any, m)
	}
	if len(f.any) == 0 {
		f.any = append(f.any, always{})
	}
	return f, nil
}

func newLineMatcher(kind logql.LineFilterOp, o logql.LineFilterOperand) (lineMatcher, error) {
	switch {
	case o.IP && kind != logql.LineContains:
		return nil, errIPOperation
	case o.IP:
		return newIPMatcher(o.Text)
	case kind == logql.LineContains && o.Text == "":
		return always{}, nil
	case kind == logql.LineContains:
		return containsMatcher(o.Text), nil
	case kind == logql.LineMatches:
		return newRegexMatcher(o.Text)
	default:
		return newLinePattern(o.Text)
	}
}

func (f *lineFilter) apply(e *entry) bool {
	for _, m := range f.any {
		if m.match(e.line) {
			return !f.negated
		}
	}
	return f.negated
}

// containsMatcher finds one substring.
type containsMatcher string

func (m containsMatcher) match(line []byte) bool {
	return bytes.Contains(line, viewBytes(string(m)))
}
