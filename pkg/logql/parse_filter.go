package logql

// Precedences of the words that join label filters. What follows a comma, or follows without a word, is grouped first.
const (
	filterOr  = 1
	filterAnd = 2
)

// labelFilter parses predicates joined by words of at least the given precedence.
func (p *parser) labelFilter(least int) (LabelPredicate, error) {
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer p.leave()
	left, err := p.predicate()
	if err != nil {
		return nil, err
	}
	for {
		rightLeast, or := 0, false
		switch p.tok.kind {
		case tokOr:
			if filterOr < least {
				return left, nil
			}
			rightLeast, or = filterAnd, true
			p.advance()
		case tokAnd:
			if filterAnd < least {
				return left, nil
			}
			rightLeast = filterAnd + 1
			p.advance()
		case tokComma:
			p.advance()
		case tokIdent, tokOpenParen:
		default:
			return left, nil
		}
		right, err := p.labelFilter(rightLeast)
		if err != nil {
			return nil, err
		}
		left = &LogicalPredicate{Or: or, Left: left, Right: right}
	}
}

var compareOps = map[kind]CompareOp{
	tokEqual: CmpEqual, tokCompareEqual: CmpEqual, tokNotEqual: CmpNotEqual, tokGreater: CmpGreater,
	tokGreaterOrEqual: CmpGreaterEqual, tokLess: CmpLess, tokLessOrEqual: CmpLessEqual,
}

// predicate parses one comparison, or a label filter in parentheses.
func (p *parser) predicate() (LabelPredicate, error) {
	if p.accept(tokOpenParen) {
		if p.tok.kind != tokIdent && p.tok.kind != tokOpenParen {
			return nil, unexpected(p.tok, "IDENTIFIER", "(")
		}
		f, err := p.labelFilter(0)
		if err != nil {
			return nil, err
		}
		_, err = p.expect(tokCloseParen)
		return f, err
	}
	name, err := p.ident("IDENTIFIER", "(")
	if err != nil {
		return nil, err
	}
	if p.tok.kind == tokRegex || p.tok.kind == tokNotRegex {
		m, err := p.matcher(name)
		return &StringPredicate{Matcher: m}, err
	}
	operator := p.tok
	op, ok := compareOps[operator.kind]
	if !ok {
		return nil, unexpected(p.tok)
	}
	p.advance()
	switch p.tok.kind {
	case tokString, tokIP:
		return p.textPredicate(name, operator)
	case tokDuration:
		return &DurationPredicate{Name: name, Op: op, Value: p.advance().duration}, nil
	case tokBytes:
		return &BytesPredicate{Name: name, Op: op, Value: p.advance().bytes}, nil
	case tokNumber, tokAdd, tokSub:
		v, err := p.signedNumber()
		return &NumberPredicate{Name: name, Op: op, Value: v}, err
	}
	return nil, unexpected(p.tok)
}

// textPredicate parses the operand of "=" and "!=" when it is a string or ip("…"). Other operators compare no text.
func (p *parser) textPredicate(name string, operator token) (LabelPredicate, error) {
	typ, ok := matchTypes[operator.kind]
	if !ok {
		return nil, unexpected(p.tok)
	}
	if p.tok.kind == tokIP {
		pattern, err := p.ip()
		return &IPPredicate{Name: name, Negated: operator.kind == tokNotEqual, Pattern: pattern}, err
	}
	m, err := newMatcher(typ, name, p.advance().text)
	return &StringPredicate{Matcher: m}, err
}
