package logql

import "github.com/prometheus/prometheus/model/labels"

// ParseSelector reads a bare stream selector. It gives a *ParseError, or ErrNotSelector for any other query.
func ParseSelector(text string) ([]*labels.Matcher, error) {
	matchers, err := ParseSelectorOrAll(text)
	if err != nil {
		return nil, err
	}
	return matchers, requireNonEmpty(matchers)
}

// ParseSelectorOrAll is ParseSelector for places where "{}" selects every stream: it then gives no matchers.
func ParseSelectorOrAll(text string) ([]*labels.Matcher, error) {
	p, err := newParser(text, false)
	if err != nil {
		return nil, err
	}
	e, err := p.query()
	if err != nil {
		return nil, err
	}
	log, ok := e.(*LogExpr)
	if ok && len(log.Matchers) == 0 && len(log.Stages) == 0 {
		return nil, nil
	}
	if err := p.validate(e); err != nil {
		return nil, err
	}
	if !ok || len(log.Stages) > 0 {
		return nil, ErrNotSelector
	}
	return log.Matchers, nil
}

// ParseLog reads a log query. It gives a *ParseError, or ErrNotLog for a metric query.
func ParseLog(text string) (*LogExpr, error) {
	e, _, err := parse(text, false)
	if err != nil {
		return nil, err
	}
	log, ok := e.(*LogExpr)
	if !ok {
		return nil, ErrNotLog
	}
	return log, nil
}
