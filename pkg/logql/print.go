package logql

import (
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
)

// printer writes canonical text.
type printer struct{ strings.Builder }

func textOf(write func(*printer)) string {
	var p printer
	write(&p)
	return p.String()
}

func (p *printer) quote(s string) { p.WriteString(strconv.Quote(s)) }

// list writes n items with commas between them.
func (p *printer) list(n int, item func(i int)) {
	for i := range n {
		if i > 0 {
			p.WriteByte(',')
		}
		item(i)
	}
}

func (p *printer) names(names []string) { p.WriteString(strings.Join(names, ",")) }

func (p *printer) matcher(m *labels.Matcher) {
	p.WriteString(m.Name)
	p.WriteString(m.Type.String())
	p.quote(m.Value)
}

func (p *printer) expr(e Expr) {
	switch e := e.(type) {
	case *LogExpr:
		p.selector(e.Matchers)
		p.stages(e.Stages)
	case *RangeAggregation:
		p.rangeAggregation(e, nil)
	case *VectorAggregation:
		p.vectorAggregation(e)
	case *BinaryExpr:
		p.WriteByte('(')
		p.expr(e.Left)
		p.WriteByte(' ')
		p.operator(e, beginsWithParen(e.Right))
		p.WriteByte(' ')
		p.expr(e.Right)
		p.WriteByte(')')
	case *Literal:
		p.WriteString(literalText(e.Value))
	case *VectorExpr:
		p.WriteString("vector(" + vectorValueText(e.Value) + ")")
	case *LabelReplace:
		p.WriteString("label_replace(")
		p.expr(e.Expr)
		for _, arg := range []string{e.Dst, e.Replacement, e.Src, e.Regex} {
			p.WriteByte(',')
			p.quote(arg)
		}
		p.WriteByte(')')
	case *FunctionCall:
		p.WriteString(e.Name)
		p.grouping(e.Grouping, ",")
		p.WriteByte('(')
		p.list(len(e.Args), func(i int) { p.expr(e.Args[i]) })
		p.WriteByte(')')
	case *StringLiteral:
		p.quote(e.Value)
	case *Subquery:
		p.expr(e.Expr)
		p.subqueryRange(e)
	case *AtExpr:
		if agg, ok := e.Expr.(*RangeAggregation); ok {
			p.rangeAggregation(agg, &e.At)
			return
		}
		p.expr(e.Expr)
		p.at(&e.At)
	}
}

func (p *printer) selector(matchers []*labels.Matcher) {
	p.WriteByte('{')
	for i, m := range matchers {
		if i > 0 {
			p.WriteString(", ")
		}
		p.matcher(m)
	}
	p.WriteByte('}')
}

func (p *printer) stages(stages []Stage) {
	for _, s := range stages {
		p.WriteByte(' ')
		p.stage(s)
	}
}

func (p *printer) rangeAggregation(e *RangeAggregation, at *At) {
	p.WriteString(e.Op)
	p.WriteByte('(')
	if e.Param != nil {
		p.WriteString(literalText(*e.Param))
		p.WriteByte(',')
	}
	p.logRange(e.Range, at)
	p.WriteByte(')')
	p.grouping(e.Grouping, ",")
}

func (p *printer) logRange(r *LogRange, at *At) {
	p.selector(r.Log.Matchers)
	p.stages(r.Log.Stages)
	if r.Unwrap != nil {
		p.WriteByte(' ')
		p.unwrap(r.Unwrap)
		for _, f := range r.Unwrap.PostFilters {
			p.WriteString(" | ")
			p.predicate(f)
		}
	}
	p.WriteString("[" + rangeText(r.Range) + "]")
	if r.Offset != 0 {
		p.WriteString(" offset " + r.Offset.String())
	}
	p.at(at)
}

// unwrap writes the stage without the filters behind it.
func (p *printer) unwrap(u *Unwrap) {
	p.WriteString("| unwrap ")
	if u.Conversion == "" {
		p.WriteString(u.Label)
		return
	}
	p.WriteString(u.Conversion + "(" + u.Label + ")")
}

func (p *printer) grouping(g *Grouping, separator string) {
	if g == nil {
		return
	}
	word := " by ("
	if g.Without {
		word = " without ("
	}
	p.WriteString(word + strings.Join(g.Labels, separator) + ")")
}

func (p *printer) vectorAggregation(e *VectorAggregation) {
	p.WriteString(e.Op)
	p.grouping(e.Grouping, ",")
	p.WriteByte('(')
	if e.Param != nil {
		p.WriteString(strconv.Itoa(*e.Param))
		p.WriteByte(',')
	}
	p.expr(e.Expr)
	p.WriteByte(')')
}

// operator writes an operator with its modifiers. Behind group_left an opening parenthesis would begin the list of labels,
// so an empty list is written out when the right operand begins with one.
func (p *printer) operator(e *BinaryExpr, parenFollows bool) {
	p.WriteString(e.Op)
	if e.ReturnBool {
		p.WriteString(" bool")
	}
	m := e.Matching
	if m == nil {
		return
	}
	word := " ignoring ("
	if m.On {
		word = " on ("
	}
	p.WriteString(word)
	p.names(m.Labels)
	p.WriteByte(')')
	switch m.Card {
	case ManyToOne:
		p.WriteString(" group_left")
	case OneToMany:
		p.WriteString(" group_right")
	default:
		return
	}
	if len(m.Include) > 0 || parenFollows {
		p.WriteString(" (")
		p.names(m.Include)
		p.WriteByte(')')
	}
}

// beginsWithParen tells whether the canonical text of e begins with a parenthesis.
func beginsWithParen(e Expr) bool {
	switch e := e.(type) {
	case *BinaryExpr:
		return true
	case *Literal:
		return strings.HasPrefix(literalText(e.Value), "(")
	case *Subquery:
		return beginsWithParen(e.Expr)
	}
	return false
}

func (p *printer) subqueryRange(e *Subquery) {
	p.WriteString("[" + rangeText(e.Range) + ":")
	if e.Step != 0 {
		p.WriteString(rangeText(e.Step))
	}
	p.WriteByte(']')
	if e.Offset != 0 {
		p.WriteString(" offset " + e.Offset.String())
	}
	p.at(e.At)
}

func (p *printer) at(at *At) {
	if at == nil {
		return
	}
	p.WriteString(" @ ")
	if at.Bound != "" {
		p.WriteString(at.Bound + "()")
		return
	}
	ms := at.Millis
	if ms < 0 {
		p.WriteByte('-')
		ms = -ms
	}
	digits := strconv.FormatInt(1000+ms%1000, 10)
	p.WriteString(strconv.FormatInt(ms/1000, 10) + "." + digits[1:])
}

// rangeText writes a duration in Prometheus' form.
func rangeText(d time.Duration) string { return model.Duration(d).String() }

// floatText writes a number so that it reads back exactly.
func floatText(v float64) string {
	if a := math.Abs(v); a != 0 && (a < 1e-6 || a >= 1e21) {
		return strconv.FormatFloat(v, 'g', -1, 64)
	}
	return strconv.FormatFloat(v, 'f', -1, 64)
}

// literalText writes a literal. What no literal can be is written as an operation that is folded to it.
func literalText(v float64) string {
	switch {
	case math.IsNaN(v):
		return "(0 / 0)"
	case math.IsInf(v, 1):
		return "(1e308 * 10)"
	case math.IsInf(v, -1):
		return "(-1e308 * 10)"
	}
	return floatText(v)
}

// vectorValueText writes six decimals where that loses nothing.
func vectorValueText(v float64) string {
	s := strconv.FormatFloat(v, 'f', 6, 64)
	if back, err := strconv.ParseFloat(s, 64); err != nil || back != v {
		return floatText(v)
	}
	return s
}

// bytesText writes a quantity in rounded form where that loses nothing. "0B" is no quantity.
func bytesText(n uint64) string {
	if n == 0 {
		return "0kB"
	}
	s := strings.ReplaceAll(humanize.Bytes(n), " ", "")
	if l := newLexer(s, false).next(); l.kind != tokBytes || l.bytes != n {
		return strconv.FormatUint(n, 10) + "B"
	}
	return s
}
