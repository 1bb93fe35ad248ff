package pipeline

import (
	"fmt"

	"github.com/cambium-logs/cambium/pkg/logql"
)

// unwrapper is | unwrap duration(took) with its post filters: it turns a label into the value of a sample.
type unwrapper struct {
	slot    int
	plain   bool // without a conversion
	convert func(string) (float64, error)
	filters []predicate
}

func newUnwrapper(c *compiler, u *logql.Unwrap) (*unwrapper, error) {
	w := &unwrapper{slot: c.slot(u.Label), plain: u.Conversion == ""}
	switch u.Conversion {
	case "":
		w.convert = parseNumber
	case "bytes":
		w.convert = func(s string) (float64, error) {
			n, err := parseBytes(s)
			return float64(n), err
		}
	case "duration", "duration_seconds":
		w.convert = parseSeconds
	default:
		return nil, fmt.Errorf("unknown conversion %q of unwrap", u.Conversion)
	}
	for _, f := range u.PostFilters {
		p, err := c.predicate(f)
		if err != nil {
			if _, ok := err.(*ParserError); ok {
				return nil, err
			}
			return nil, stageError(&logql.LabelFilter{Predicate: f}, err)
		}
		w.filters = append(w.filters, p)
	}
	return w, nil
}

// value returns the sample's value. keep is false when the label is absent or empty, or a post filter drops the entry. A value that
// does not convert is 0 and sets the entry's error.
func (w *unwrapper) value(e *entry) (value float64, keep bool) {
	s, _ := e.get(e.slots[w.slot])
	if s == "" {
		return 0, false
	}
	value, err := w.convert(s)
	if err != nil {
		value = 0
		e.setError(ErrSampleExtraction, err.Error())
	}
	for _, f := range w.filters {
		if !f.holds(e) {
			return 0, false
		}
	}
	return value, true
}
