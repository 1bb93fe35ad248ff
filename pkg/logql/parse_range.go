package logql

import "strconv"

// rangeAggregation parses count_over_time(…), quantile_over_time(0.9, …), …
func (p *parser) rangeAggregation() (Expr, error) {
	op := p.advance().text
	if _, err := p.expect(tokOpenParen, "("); err != nil {
		return nil, err
	}
	if p.extensions && p.subqueryArgument() {
		return p.openArguments(op, nil)
	}
	e := &RangeAggregation{Op: op}
	start := []string{"NUMBER", "{", "("}
	if p.tok.kind == tokNumber {
		v, err := p.number()
		if err != nil {
			return nil, err
		}
		e.Param = &v
		if _, err := p.expect(tokComma, ","); err != nil {
			return nil, err
		}
		start = start[1:]
	}
	r := rangeParser{p: p, start: start}
	operand, err := r.operand()
	if err != nil {
		return nil, err
	}
	e.Range = operand
	if _, err := p.expect(tokCloseParen, ")"); err != nil {
		return nil, err
	}
	if e.Grouping, err = p.grouping(); err != nil {
		return nil, err
	}
	p.checkRangeAggregation(e)
	if r.at != nil {
		return &AtExpr{Expr: e, At: *r.at}, nil
	}
	return e, nil
}

// checkRangeAggregation applies the rules for the parameter, the grouping and unwrap.
func (p *parser) checkRangeAggregation(e *RangeAggregation) {
	if e.Op == "quantile_over_time" {
		if e.Param == nil {
			p.refuse(e, "parameter required for operation %s", e.Op)
		}
	} else if e.Param != nil {
		p.refuse(e, "parameter %s not supported for operation %s", strconv.FormatFloat(*e.Param, 'g', -1, 64), e.Op)
	}
	rule := rangeRules[e.Op]
	if e.Grouping != nil && !rule.grouping {
		p.refuse(e, "grouping not allowed for %s aggregation", e.Op)
	}
	if e.Range.Unwrap != nil && !rule.unwrapped {
		p.refuse(e, "invalid aggregation %s with unwrap", e.Op)
	}
	if e.Range.Unwrap == nil && !rule.plain {
		p.refuse(e, "invalid aggregation %s without unwrap", e.Op)
	}
}

// rangeRule says which operands a range aggregation takes.
type rangeRule struct{ plain, unwrapped, grouping bool }

var rangeRules = map[string]rangeRule{
	"count_over_time":    {plain: true},
	"bytes_rate":         {plain: true},
	"bytes_over_time":    {plain: true},
	"rate":               {plain: true, unwrapped: true},
	"absent_over_time":   {plain: true, unwrapped: true},
	"rate_counter":       {unwrapped: true},
	"sum_over_time":      {unwrapped: true},
	"avg_over_time":      {unwrapped: true, grouping: true},
	"min_over_time":      {unwrapped: true, grouping: true},
	"max_over_time":      {unwrapped: true, grouping: true},
	"first_over_time":    {unwrapped: true, grouping: true},
	"last_over_time":     {unwrapped: true, grouping: true},
	"stddev_over_time":   {unwrapped: true, grouping: true},
	"stdvar_over_time":   {unwrapped: true, grouping: true},
	"quantile_over_time": {unwrapped: true, grouping: true},
}

// rangeParser parses the operand of a range aggregation.
type rangeParser struct {
	p     *parser
	start []string // what may begin the operand, for the message
	at    *At      // the "@" modifier, with extensions
}

func (r *rangeParser) operand() (*LogRange, error) {
	lr, _, err := r.nested(0)
	return lr, err
}

// nested parses an operand inside the given number of parentheses. Inside some, the range may be left out (complete is
// false) because it may follow a parenthesis.
func (r *rangeParser) nested(parens int) (lr *LogRange, complete bool, err error) {
	p := r.p
	if p.tok.kind == tokOpenBrace {
		return r.logRange(parens)
	}
	if p.tok.kind != tokOpenParen {
		if parens > 0 {
			return nil, false, unexpected(p.tok, "{", "(")
		}
		return nil, false, unexpected(p.tok, r.start...)
	}
	if err := p.enter(); err != nil {
		return nil, false, err
	}
	defer p.leave()
	p.advance()
	lr, complete, err = r.nested(parens + 1)
	if err != nil {
		return nil, false, err
	}
	if _, err := p.expect(tokCloseParen, ")"); err != nil {
		return nil, false, err
	}
	if complete {
		return lr, true, nil
	}
	if p.tok.kind == tokRange {
		return lr, true, r.rangeAndOffset(lr)
	}
	if lr.Unwrap != nil || parens == 0 {
		return nil, false, unexpected(p.tok, "RANGE")
	}
	return lr, false, nil
}

// logRange parses a selector with its pipeline and range, in either order.
func (r *rangeParser) logRange(parens int) (lr *LogRange, complete bool, err error) {
	p := r.p
	matchers, err := p.selector()
	if err != nil {
		return nil, false, err
	}
	lr = &LogRange{Log: &LogExpr{Matchers: matchers}}
	if p.tok.kind == tokRange {
		if err := r.rangeAndOffset(lr); err != nil {
			return nil, false, err
		}
		complete = true
	}
	if lr.Log.Stages, lr.Unwrap, err = p.pipeline(true); err != nil {
		return nil, false, err
	}
	switch {
	case complete:
		return lr, true, nil
	case p.tok.kind == tokRange:
		return lr, true, r.rangeAndOffset(lr)
	case parens > 0 && p.tok.kind == tokCloseParen:
		return lr, false, nil
	case lr.Unwrap != nil && parens > 0:
		return nil, false, unexpected(p.tok, "RANGE", ")", "|")
	case lr.Unwrap != nil:
		return nil, false, unexpected(p.tok, "RANGE", "|")
	}
	return nil, false, unexpected(p.tok)
}

func (r *rangeParser) rangeAndOffset(lr *LogRange) error {
	p := r.p
	lr.Range = p.advance().duration
	if p.extensions {
		at, offset, err := p.timeModifiers()
		r.at, lr.Offset = at, offset
		return err
	}
	if p.tok.kind != tokOffset {
		return nil
	}
	p.advance()
	t, err := p.expect(tokDuration, "DURATION")
	lr.Offset = t.duration
	return err
}
