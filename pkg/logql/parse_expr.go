package logql

import (
	"math"
	"strconv"
)

// precedence of the binary operators, 0 for words that are none. All but "^" are left-associative.
var precedence = map[string]int{
	"or": 1, "and": 2, "unless": 2,
	"==": 3, "!=": 3, ">": 3, ">=": 3, "<": 3, "<=": 3,
	"+": 4, "-": 4, "*": 5, "/": 5, "%": 5, "atan2": 5, "^": 6,
}

// operator gives the binary operator that the current token is, or "".
func (p *parser) operator() string {
	switch p.tok.kind {
	case tokOr, tokAnd, tokUnless, tokCompareEqual, tokNotEqual, tokGreater, tokGreaterOrEqual, tokLess, tokLessOrEqual,
		tokAdd, tokSub, tokMul, tokDiv, tokMod, tokPow:
		return p.tok.text
	case tokIdent:
		if p.extensions && p.tok.text == "atan2" {
			p.extended = true
			return p.tok.text
		}
	}
	return ""
}

// expr parses operands joined by operators of at least the given precedence. The result is a *LogExpr or a MetricExpr.
func (p *parser) expr(least int) (Expr, error) {
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer p.leave()
	left, err := p.operand()
	if err != nil {
		return nil, err
	}
	for {
		op := p.operator()
		prec := precedence[op]
		if op == "" || prec < least {
			return left, nil
		}
		p.advance()
		b := &BinaryExpr{Op: op}
		if err := p.modifiers(b); err != nil {
			return nil, err
		}
		if op != "^" {
			prec++
		}
		right, err := p.expr(prec)
		if err != nil {
			return nil, err
		}
		if left, err = joinOperands(b, left, right); err != nil {
			return nil, err
		}
	}
}

// metric parses a metric expression. A log query in its place is refused at the token behind it.
func (p *parser) metric() (MetricExpr, error) {
	e, err := p.expr(0)
	if err != nil {
		return nil, err
	}
	m, ok := e.(MetricExpr)
	if !ok {
		return nil, unexpected(p.tok)
	}
	return m, nil
}

func (p *parser) operand() (Expr, error) {
	e, err := p.primary()
	if err != nil || !p.extensions {
		return e, err
	}
	return p.subqueries(e)
}

func (p *parser) primary() (Expr, error) {
	if p.extensions {
		if e, ok, err := p.extension(); ok || err != nil {
			return e, err
		}
	}
	switch p.tok.kind {
	case tokOpenBrace:
		return p.logExpr()
	case tokOpenParen:
		p.advance()
		e, err := p.expr(0)
		if err != nil {
			return nil, err
		}
		_, err = p.expect(tokCloseParen)
		return e, err
	case tokNumber, tokAdd, tokSub:
		v, err := p.signedNumber()
		return &Literal{Value: v}, err
	case tokRangeOp:
		return p.rangeAggregation()
	case tokVectorOp:
		return p.vectorAggregation()
	case tokVector:
		return p.vector()
	case tokLabelReplace:
		return p.labelReplace()
	}
	return nil, unexpected(p.tok)
}

// modifiers parses "bool", "on", "ignoring", "group_left" and "group_right" behind an operator.
func (p *parser) modifiers(b *BinaryExpr) error {
	b.ReturnBool = p.accept(tokBool)
	if p.tok.kind != tokOn && p.tok.kind != tokIgnoring {
		return nil
	}
	m := &VectorMatching{On: p.advance().kind == tokOn}
	b.Matching = m
	var err error
	if m.Labels, err = p.identList("("); err != nil {
		return err
	}
	switch p.tok.kind {
	case tokGroupLeft:
		m.Card = ManyToOne
	case tokGroupRight:
		m.Card = OneToMany
	default:
		return nil
	}
	p.advance()
	if p.tok.kind == tokOpenParen {
		m.Include, err = p.identList()
	}
	return err
}

// joinOperands makes the operation, or its value when both operands are literals.
func joinOperands(b *BinaryExpr, left, right Expr) (Expr, error) {
	var ok bool
	if b.Left, ok = left.(MetricExpr); !ok {
		return nil, errorf("unexpected type for left leg of binary operation (%s): %s", b.Op, logTypeName(left))
	}
	if b.Right, ok = right.(MetricExpr); !ok {
		return nil, errorf("unexpected type for right leg of binary operation (%s): %s", b.Op, logTypeName(right))
	}
	l, leftLiteral := left.(*Literal)
	r, rightLiteral := right.(*Literal)
	if b.Op == "or" || b.Op == "and" || b.Op == "unless" {
		if leftLiteral {
			return nil, errorf("unexpected literal for left leg of logical/set binary operation (%s): %f", b.Op, l.Value)
		}
		if rightLiteral {
			return nil, errorf("unexpected literal for right leg of logical/set binary operation (%s): %f", b.Op, r.Value)
		}
	}
	if leftLiteral && rightLiteral {
		return &Literal{Value: fold(b.Op, l.Value, r.Value)}, nil
	}
	return b, nil
}

// logTypeName is what clients know a log query by in this place.
func logTypeName(e Expr) string {
	if log, ok := e.(*LogExpr); ok && len(log.Stages) == 0 {
		return "*syntax.MatchersExpr"
	}
	return "*syntax.PipelineExpr"
}

// fold computes an operation between literals. Comparisons give 1 or 0; a division by zero gives NaN.
func fold(op string, l, r float64) float64 {
	compare := func(holds bool) float64 {
		if holds {
			return 1
		}
		return 0
	}
	switch op {
	case "==":
		return compare(l == r)
	case "!=":
		return compare(l != r)
	case ">":
		return compare(l > r)
	case ">=":
		return compare(l >= r)
	case "<":
		return compare(l < r)
	case "<=":
		return compare(l <= r)
	case "+":
		return l + r
	case "-":
		return l - r
	case "*":
		return l * r
	case "/":
		if r == 0 {
			return math.NaN()
		}
		return l / r
	case "%":
		return math.Mod(l, r)
	case "^":
		return math.Pow(l, r)
	case "atan2":
		return math.Atan2(l, r)
	}
	return math.NaN()
}

func (p *parser) vector() (Expr, error) {
	p.advance()
	if _, err := p.expect(tokOpenParen, "("); err != nil {
		return nil, err
	}
	v, err := p.number("NUMBER")
	if err != nil {
		return nil, err
	}
	_, err = p.expect(tokCloseParen, ")")
	return &VectorExpr{Value: v}, err
}

func (p *parser) labelReplace() (Expr, error) {
	p.advance()
	if _, err := p.expect(tokOpenParen, "("); err != nil {
		return nil, err
	}
	inner, err := p.metric()
	if err != nil {
		return nil, err
	}
	e := &LabelReplace{Expr: inner}
	for i, arg := range []*string{&e.Dst, &e.Replacement, &e.Src, &e.Regex} {
		acceptable := []string{","}
		if i == 0 {
			acceptable = nil
		}
		if _, err := p.expect(tokComma, acceptable...); err != nil {
			return nil, err
		}
		t, err := p.expect(tokString, "STRING")
		if err != nil {
			return nil, err
		}
		*arg = t.text
	}
	if _, err := p.expect(tokCloseParen, ")"); err != nil {
		return nil, err
	}
	if err := compileReplaceRegex(e.Regex); err != nil {
		p.refuse(e, "%s", err.(*ParseError).Msg)
	}
	return e, nil
}

func (p *parser) vectorAggregation() (Expr, error) {
	e := &VectorAggregation{Op: p.advance().text}
	var err error
	if e.Grouping, err = p.grouping(); err != nil {
		return nil, err
	}
	if _, err := p.expect(tokOpenParen, "("); err != nil {
		return nil, err
	}
	param := ""
	if p.tok.kind == tokNumber && p.following().kind == tokComma {
		param = p.advance().text
		p.advance()
	}
	if e.Expr, err = p.metric(); err != nil {
		return nil, err
	}
	if _, err := p.expect(tokCloseParen); err != nil {
		return nil, err
	}
	if e.Grouping == nil {
		if e.Grouping, err = p.grouping(); err != nil {
			return nil, err
		}
	}
	p.checkVectorAggregation(e, param)
	if e.Grouping != nil && !e.Grouping.Without && len(e.Grouping.Labels) == 0 {
		e.Grouping = nil
	}
	return e, nil
}

// checkVectorAggregation sets the parameter, given as written or empty, and applies the rules for it and for the grouping.
func (p *parser) checkVectorAggregation(e *VectorAggregation, param string) {
	switch e.Op {
	case "topk", "bottomk", "approx_topk":
		if param == "" {
			p.refuse(e, "parameter required for operation %s", e.Op)
			return
		}
		k, err := strconv.Atoi(param)
		if err != nil {
			p.refuse(e, "invalid parameter %s(%s,", e.Op, param)
		} else if k <= 0 {
			p.refuse(e, "invalid parameter (must be greater than 0) %s(%s", e.Op, param)
		}
		e.Param = &k
		if e.Op == "approx_topk" && e.Grouping != nil {
			p.refuse(e, "grouping not allowed for %s aggregation", e.Op)
		}
		return
	}
	if param != "" {
		p.refuse(e, "unsupported parameter for operation %s(%s,", e.Op, param)
	}
	if (e.Op == "sort" || e.Op == "sort_desc") && e.Grouping != nil {
		p.refuse(e, "sort and sort_desc doesn't allow grouping by ")
	}
}
