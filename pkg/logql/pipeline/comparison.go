package pipeline

import (
	"time"

	"github.com/cambium-logs/cambium/pkg/logql"
)

// comparison compares a label's value as a number, duration or byte quantity. It keeps entries that have an error, and those whose
// value does not convert, which get the error LabelFilterErr; it drops entries without the label.
type comparison[T float64 | uint64 | time.Duration] struct {
	slot  int
	op    logql.CompareOp
	value T
	parse func(string) (T, error)
}

func newDurationPredicate(c *compiler, p *logql.DurationPredicate) predicate {
	return &comparison[time.Duration]{c.slot(p.Name), p.Op, p.Value, time.ParseDuration}
}

func (p *comparison[T]) holds(e *entry) bool {
	if e.errKind != "" {
		return true
	}
	s, ok := e.get(e.slots[p.slot])
	if !ok {
		return false
	}
	v, err := p.parse(s)
	if err != nil {
		e.setError(ErrLabelFilter, err.Error())
		return true
	}
	switch p.op {
	case logql.CmpEqual:
		return v == p.value
	case logql.CmpNotEqual:
		return v != p.value
	case logql.CmpGreater:
		return v > p.value
	case logql.CmpGreaterEqual:
		return v >= p.value
	case logql.CmpLess:
		return v < p.value
	case logql.CmpLessEqual:
		return v <= p.value
	}
	return false
}
