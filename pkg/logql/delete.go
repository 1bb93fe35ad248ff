package logql

import "github.com/prometheus/prometheus/model/labels"

// ParseDelete reads the query of a delete request: a log query, of which the matchers may select every stream. It gives a *ParseError,
// or ErrNotLog for a metric query.
func ParseDelete(text string) (*LogExpr, error) {
	p, err := newParser(text, false)
	if err != nil {
		return nil, err
	}
	e, err := p.query()
	if err != nil {
		return nil, err
	}
	log, ok := e.(*LogExpr)
	if !ok {
		return nil, ErrNotLog
	}
	matchers := log.Matchers
	log.Matchers = append(matchers[:len(matchers):len(matchers)], labels.MustNewMatcher(labels.MatchNotEqual, "any", ""))
	err = p.validate(log)
	log.Matchers = matchers
	if err != nil {
		return nil, err
	}
	return log, nil
}
