package pipeline

import (
	"time"

	"github.com/dustin/go-humanize"

	"github.com/cambium-logs/cambium/pkg/logql"
)

// comparison compares a label's value as a number, duration or byte quantity. It drops entries without the label, and keeps those
// whose value does not convert, which get the error LabelFilterErr unless they have one already.
type comparison[T float64 | uint64 | time.Duration] struct {
	slot  int
	op    logql.CompareOp
	value T
	parse func(string) (T, error)
}

func newNumberPredicate(c *compiler, p *logql.NumberPredicate) predicate {
	return &comparison[float64]{c.slot(p.Name), p.Op, p.Value, parseNumber}
}

func newDurationPredicate(c *compiler, p *logql.DurationPredicate) predicate {
	return &comparison[time.Duration]{c.slot(p.Name), p.Op, p.Value, time.ParseDuration}
}

// newBytesPredicate compares with the quantity that the operand's canonical text gives, as the reference does: it has two
// significant digits and decimal units, so that 1KiB and 1024B stand for 1.0kB, which is 1000.
func newBytesPredicate(c *compiler, p *logql.BytesPredicate) predicate {
	value := p.Value
	if rounded, err := humanize.ParseBytes(humanize.Bytes(value)); err == nil {
		value = rounded
	}
	return &comparison[uint64]{c.slot(p.Name), p.Op, value, parseBytes}
}

func (p *comparison[T]) holds(e *entry) bool {
	s, ok := e.get(e.slots[p.slot])
	if !ok {
		return false
	}
	v, err := p.parse(s)
	if err != nil {
		if e.errKind == "" {
			e.setError(ErrLabelFilter, err.Error())
		}
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
