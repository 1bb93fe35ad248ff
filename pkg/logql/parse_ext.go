package logql

import (
	"math"
	"strings"
	"time"

	"github.com/prometheus/common/model"
)

// What stands here is the grammar of the extensions. It is tried on texts that are not LogQL.

// Aggregations of PromQL that LogQL lacks, with the type of the parameter in front of the vector.
var extraAggregations = map[string][]valueType{
	"quantile":     {typeScalar, typeVector},
	"group":        {typeVector},
	"count_values": {typeText, typeVector},
}

// subqueryToken reads "[range:step]"; the step may be left out.
func (l *lexer) subqueryToken(t token, text string) token {
	t.kind, l.subquery = tokSubquery, true
	span, step, _ := strings.Cut(text, ":")
	d, err := model.ParseDuration(span)
	if err != nil {
		return l.fail(t, err.Error())
	}
	t.duration = durationOf(d)
	if step != "" {
		d, err := model.ParseDuration(step)
		if err != nil {
			return l.fail(t, err.Error())
		}
		if t.step = durationOf(d); t.step == 0 {
			return l.fail(t, "the step of a subquery must be greater than 0")
		}
	}
	if t.duration == 0 {
		return l.fail(t, "the range of a subquery must be greater than 0")
	}
	l.advanceTo(l.pos + len(text) + 2)
	return t
}

// extension parses a primary expression that only the extensions know. It is false when there is none.
func (p *parser) extension() (Expr, bool, error) {
	next := p.following().kind
	switch {
	case p.tok.kind == tokIdent && !p.tok.stray:
		e, ok, err := p.namedExtension(next)
		p.extended = p.extended || ok
		return e, ok, err
	case p.tok.kind == tokVector && p.lookAhead(1).kind != tokNumber:
		p.extended = true
		e, err := p.callArguments(p.advance().text, nil)
		if err == nil && len(e.Args) == 1 {
			if v, ok := e.Args[0].(*Literal); ok && !math.Signbit(v.Value) && v.Value <= math.MaxFloat64 {
				return &VectorExpr{Value: v.Value}, true, nil
			}
		}
		return e, true, err
	case (p.tok.kind == tokSub || p.tok.kind == tokAdd) && next != tokNumber:
		p.extended = p.extended || next != tokIdent
		e, err := p.unary()
		return e, true, err
	}
	return nil, false, nil
}

func (p *parser) namedExtension(next kind) (Expr, bool, error) {
	name := p.tok.text
	if _, ok := extraAggregations[name]; ok && (next == tokOpenParen || next == tokBy || next == tokWithout) {
		p.advance()
		g, err := p.grouping()
		if err != nil {
			return nil, true, err
		}
		e, err := p.callArguments(name, g)
		if err == nil && g == nil {
			e.Grouping, err = p.grouping()
		}
		if g := e.Grouping; g != nil && !g.Without && len(g.Labels) == 0 {
			e.Grouping = nil
		}
		return e, true, err
	}
	if _, ok := functionSignature(name); ok && next == tokOpenParen {
		p.advance()
		e, err := p.callArguments(name, nil)
		return e, true, err
	}
	switch strings.ToLower(name) {
	case "nan":
		p.advance()
		return &Literal{Value: math.NaN()}, true, nil
	case "inf":
		p.advance()
		return &Literal{Value: math.Inf(1)}, true, nil
	}
	return nil, false, nil
}

// unary parses a sign in front of anything but a number. Minus means multiplication by -1.
func (p *parser) unary() (Expr, error) {
	op := p.advance()
	e, err := p.expr(precedence["^"])
	if err != nil {
		return nil, err
	}
	if op.kind == tokAdd {
		e, ok := e.(MetricExpr)
		if !ok {
			return nil, unexpected(p.tok)
		}
		return e, nil
	}
	if v, ok := e.(*Literal); ok {
		return &Literal{Value: -v.Value}, nil
	}
	return joinOperands(&BinaryExpr{Op: "*"}, &Literal{Value: -1}, e)
}

// callArguments parses "(…)" behind the name of a function.
func (p *parser) callArguments(name string, g *Grouping) (*FunctionCall, error) {
	if _, err := p.expect(tokOpenParen, "("); err != nil {
		return &FunctionCall{Name: name, Grouping: g}, err
	}
	return p.openArguments(name, g)
}

// openArguments parses the rest of a call whose "(" is consumed.
func (p *parser) openArguments(name string, g *Grouping) (*FunctionCall, error) {
	e := &FunctionCall{Name: name, Grouping: g}
	if p.accept(tokCloseParen) {
		return e, nil
	}
	for {
		arg, err := p.argument()
		if err != nil {
			return e, err
		}
		e.Args = append(e.Args, arg)
		if p.accept(tokCloseParen) {
			return e, nil
		}
		if _, err := p.expect(tokComma); err != nil {
			return e, err
		}
	}
}

func (p *parser) argument() (Expr, error) {
	if p.tok.kind == tokString {
		return &StringLiteral{Value: p.advance().text}, nil
	}
	e, err := p.expr(0)
	if err != nil {
		return nil, err
	}
	if m, ok := e.(MetricExpr); ok {
		return m, nil
	}
	if p.tok.kind == tokRange {
		return nil, &ParseError{Line: p.tok.line, Col: p.tok.col,
			Msg: "this function works on a subquery such as rate({…}[5m])[1h:1m], not on a log range"}
	}
	return nil, unexpected(p.tok)
}

// subqueryArgument tells whether the operand of a range aggregation, whose "(" is consumed, is no log range: no
// selector comes first inside its parentheses.
func (p *parser) subqueryArgument() bool {
	at := func(i int) kind {
		if i == 0 {
			return p.tok.kind
		}
		return p.lookAhead(i - 1).kind
	}
	i := 0
	if at(0) == tokNumber && at(1) == tokComma {
		i = 2
	}
	for at(i) == tokOpenParen {
		i++
	}
	return at(i) != tokOpenBrace
}

// subqueries parses "[range:step]" behind an expression.
func (p *parser) subqueries(e Expr) (Expr, error) {
	for p.tok.kind == tokSubquery {
		p.extended = true
		m, ok := e.(MetricExpr)
		if !ok {
			return nil, unexpected(p.tok)
		}
		t := p.advance()
		s := &Subquery{Expr: m, Range: t.duration, Step: t.step}
		var err error
		if s.At, s.Offset, err = p.timeModifiers(); err != nil {
			return nil, err
		}
		e = s
	}
	return e, nil
}

// timeModifiers parses "offset" and "@", each once at most, in either order.
func (p *parser) timeModifiers() (at *At, offset time.Duration, err error) {
	seenOffset := false
	for {
		switch {
		case p.tok.kind == tokOffset && !seenOffset:
			p.advance()
			t, err := p.expect(tokDuration, "DURATION")
			if err != nil {
				return nil, 0, err
			}
			offset, seenOffset = t.duration, true
		case p.tok.stray && p.tok.text == "@" && at == nil:
			p.extended = true
			p.advance()
			if at, err = p.atTime(); err != nil {
				return nil, 0, err
			}
		default:
			return at, offset, nil
		}
	}
}

// maxAtSeconds bounds "@" so that its milliseconds are exact.
const maxAtSeconds = 1e12

// atTime parses a time in seconds, "start()" or "end()".
func (p *parser) atTime() (*At, error) {
	if p.tok.kind == tokIdent && (p.tok.text == "start" || p.tok.text == "end") {
		at := &At{Bound: p.advance().text}
		if _, err := p.expect(tokOpenParen, "("); err != nil {
			return nil, err
		}
		_, err := p.expect(tokCloseParen, ")")
		return at, err
	}
	t := p.tok
	v, err := p.signedNumber()
	if err != nil {
		return nil, err
	}
	if math.Abs(v) > maxAtSeconds {
		return nil, &ParseError{Line: t.line, Col: t.col, Msg: "time of the @ modifier is out of range"}
	}
	return &At{Millis: int64(math.Round(v * 1000))}, nil
}
