package logql

import (
	"strconv"
	"strings"
	"time"
)

const maxLineBytes = 100 // canonical text up to this length is not split

// Format lays a query out over several lines, with an indent of two blanks, where its canonical text is long. The
// result parses to an equal tree.
func Format(e Expr) string {
	var f formatter
	f.expr(e, 0)
	return f.String()
}

type formatter struct{ printer }

func (f *formatter) indent(level int) { f.WriteString(strings.Repeat("  ", level)) }

func (f *formatter) newline(level int) {
	f.WriteByte('\n')
	f.indent(level)
}

// expr writes e at the given level. The text begins with the indent and ends without a line feed.
func (f *formatter) expr(e Expr, level int) {
	if text := e.String(); len(text) <= maxLineBytes {
		f.indent(level)
		f.WriteString(text)
		return
	}
	switch e := e.(type) {
	case *LogExpr:
		f.log(e, level)
	case *RangeAggregation:
		f.rangeAggregation(e, nil, level)
	case *AtExpr:
		if agg, ok := e.Expr.(*RangeAggregation); ok {
			f.rangeAggregation(agg, &e.At, level)
			return
		}
		f.expr(e.Expr, level)
		f.at(&e.At)
	case *VectorAggregation:
		f.vectorAggregation(e, level)
	case *BinaryExpr:
		f.binary(e, level)
	case *LabelReplace:
		args := []Expr{e.Expr}
		for _, s := range []string{e.Dst, e.Replacement, e.Src, e.Regex} {
			args = append(args, &StringLiteral{Value: s})
		}
		f.call("label_replace", nil, args, level)
	case *FunctionCall:
		f.call(e.Name, e.Grouping, e.Args, level)
	case *Subquery:
		f.subquery(e, level)
	default:
		f.indent(level)
		f.WriteString(e.String())
	}
}

// log writes a log expression, with each stage on a line of its own when it is long.
func (f *formatter) log(e *LogExpr, level int) {
	f.indent(level)
	if text := e.String(); len(text) <= maxLineBytes {
		f.WriteString(text)
		return
	}
	f.selector(e.Matchers)
	for i := 0; i < len(e.Stages); {
		chain := lineFilterChain(e.Stages[i:])
		if len(chain) == 0 {
			f.newline(level + 1)
			f.stage(e.Stages[i])
			i++
			continue
		}
		f.lineFilters(chain, level+1)
		i += len(chain)
	}
}

// lineFilterChain gives the line filters that stages begin with.
func lineFilterChain(stages []Stage) []Stage {
	n := 0
	for n < len(stages) {
		if _, ok := stages[n].(*LineFilter); !ok {
			break
		}
		n++
	}
	return stages[:n]
}

func (f *formatter) lineFilters(chain []Stage, level int) {
	line := strings.TrimPrefix(textOf(func(p *printer) { p.stages(chain) }), " ")
	f.newline(level)
	if len(line) <= maxLineBytes {
		f.WriteString(line)
		return
	}
	for i, s := range chain {
		if i > 0 {
			f.newline(level)
		}
		f.stage(s)
	}
}

func (f *formatter) rangeAggregation(e *RangeAggregation, at *At, level int) {
	f.indent(level)
	f.WriteString(e.Op + "(")
	if e.Param != nil {
		f.newline(level + 1)
		f.WriteString(literalText(*e.Param) + ",")
	}
	f.WriteByte('\n')
	f.logRange(e.Range, at, level+1)
	f.newline(level)
	f.WriteByte(')')
	f.grouping(e.Grouping, ", ")
}

func (f *formatter) logRange(r *LogRange, at *At, level int) {
	f.log(r.Log, level)
	if r.Unwrap != nil {
		f.newline(level + 1)
		f.unwrap(r.Unwrap)
		for _, filter := range r.Unwrap.PostFilters {
			f.newline(level + 1)
			f.WriteString("| ")
			f.predicate(filter)
		}
	}
	f.WriteString(" [" + rangeText(r.Range) + "]")
	f.offset(r.Offset)
	f.at(at)
}

// offset writes an offset in Prometheus' form where that loses nothing.
func (f *formatter) offset(d time.Duration) {
	switch {
	case d == 0:
	case d%time.Millisecond != 0:
		f.WriteString(" offset " + d.String())
	case d < 0:
		f.WriteString(" offset -" + rangeText(-d))
	default:
		f.WriteString(" offset " + rangeText(d))
	}
}

func (f *formatter) vectorAggregation(e *VectorAggregation, level int) {
	f.indent(level)
	f.WriteString(e.Op)
	f.grouping(e.Grouping, ", ")
	f.WriteByte('(')
	if e.Param != nil {
		f.newline(level + 1)
		f.WriteString(strconv.Itoa(*e.Param) + ",")
	}
	f.WriteByte('\n')
	f.expr(e.Expr, level+1)
	f.newline(level)
	f.WriteByte(')')
}

func (f *formatter) call(name string, g *Grouping, args []Expr, level int) {
	f.indent(level)
	f.WriteString(name)
	f.grouping(g, ", ")
	f.WriteByte('(')
	for i, arg := range args {
		if i > 0 {
			f.WriteByte(',')
		}
		f.WriteByte('\n')
		f.expr(arg, level+1)
	}
	f.newline(level)
	f.WriteByte(')')
}

func (f *formatter) subquery(e *Subquery, level int) {
	f.parenthesised(e.Expr, level, func(e Expr) bool { _, ok := e.(*BinaryExpr); return ok })
	f.subqueryRange(e)
}

// binary writes the operands one level deeper than the operator.
func (f *formatter) binary(e *BinaryExpr, level int) {
	prec := precedence[e.Op]
	looser := func(least int) func(Expr) bool {
		return func(operand Expr) bool {
			b, ok := operand.(*BinaryExpr)
			return ok && precedence[b.Op] < least
		}
	}
	left, right := prec, prec+1
	if e.Op == "^" {
		left, right = prec+1, prec
	}
	f.parenthesised(e.Left, level+1, looser(left))
	f.newline(level)
	f.operator(e, beginsWithParen(e.Right))
	f.WriteByte('\n')
	f.parenthesised(e.Right, level+1, looser(right))
}

// parenthesised writes an operand. One line of canonical text has the parentheses that it needs; over several lines they are
// written where needed says so, because the layout alone does not keep operators apart.
func (f *formatter) parenthesised(e Expr, level int, needed func(Expr) bool) {
	if !needed(e) || len(e.String()) <= maxLineBytes {
		f.expr(e, level)
		return
	}
	f.indent(level)
	f.WriteString("(\n")
	f.expr(e, level+1)
	f.newline(level)
	f.WriteByte(')')
}
