package logql

import "strings"

var lineFilterText = map[LineFilterOp]string{
	LineContains: "|=", LineNotContains: "!=", LineMatches: "|~", LineNotMatches: "!~", LinePattern: "|>", LineNotPattern: "!>",
}

var compareText = map[CompareOp]string{
	CmpEqual: "==", CmpNotEqual: "!=", CmpGreater: ">", CmpGreaterEqual: ">=", CmpLess: "<", CmpLessEqual: "<=",
}

// String gives the operator as it is written.
func (op LineFilterOp) String() string { return lineFilterText[op] }

// String gives the operator as it is written.
func (op CompareOp) String() string { return compareText[op] }

func (p *printer) stage(s Stage) {
	switch s := s.(type) {
	case *LineFilter:
		p.lineFilter(s)
	case *JSONParser:
		p.WriteString("| json")
		p.extractions(s.Extractions)
	case *LogfmtParser:
		p.WriteString("| logfmt")
		if s.Strict {
			p.WriteString(" --strict")
		}
		if s.KeepEmpty {
			p.WriteString(" --keep-empty")
		}
		p.extractions(s.Extractions)
	case *RegexpParser:
		p.WriteString("| regexp ")
		p.quote(s.Pattern)
	case *PatternParser:
		p.WriteString("| pattern ")
		p.quote(s.Pattern)
	case *UnpackParser:
		p.WriteString("| unpack")
	case *LineFormat:
		p.WriteString("| line_format ")
		p.quote(s.Template)
	case *LabelFormat:
		p.WriteString("| label_format ")
		p.list(len(s.Assignments), func(i int) { p.assignment(s.Assignments[i]) })
	case *Decolorize:
		p.WriteString("| decolorize")
	case *DropLabels:
		p.WriteString("| drop ")
		p.labelSelectors(s.Selectors)
	case *KeepLabels:
		p.WriteString("| keep ")
		p.labelSelectors(s.Selectors)
	case *LabelFilter:
		p.WriteString("| ")
		p.predicate(s.Predicate)
	}
}

func (p *printer) lineFilter(f *LineFilter) {
	for i, o := range f.Operands {
		switch {
		case i == 0:
			p.WriteString(f.Op.String() + " ")
		case f.Op.Negated():
			p.WriteString(" " + f.Op.String() + " ")
		default:
			p.WriteString(" or ")
		}
		if !o.IP {
			p.quote(o.Text)
			continue
		}
		p.ip(o.Text)
	}
}

func (p *printer) ip(pattern string) {
	p.WriteString("ip(")
	p.quote(pattern)
	p.WriteByte(')')
}

func (p *printer) extractions(list []Extraction) {
	if len(list) == 0 {
		return
	}
	p.WriteByte(' ')
	p.list(len(list), func(i int) {
		p.WriteString(list[i].Name + "=")
		p.quote(list[i].Path)
	})
}

func (p *printer) assignment(a LabelAssignment) {
	p.WriteString(a.Dst + "=")
	if a.Rename {
		p.WriteString(a.Src)
		return
	}
	p.quote(a.Template)
}

func (p *printer) labelSelectors(list []LabelSelector) {
	p.list(len(list), func(i int) {
		if m := list[i].Matcher; m != nil {
			p.matcher(m)
			return
		}
		p.WriteString(list[i].Name)
	})
}

func (p *printer) predicate(f LabelPredicate) {
	switch f := f.(type) {
	case *StringPredicate:
		p.matcher(f.Matcher)
	case *NumberPredicate:
		p.WriteString(f.Name + f.Op.String() + floatText(f.Value))
	case *DurationPredicate:
		p.WriteString(f.Name + f.Op.String() + f.Value.String())
	case *BytesPredicate:
		p.WriteString(f.Name + f.Op.String() + bytesText(f.Value))
	case *IPPredicate:
		p.WriteString(f.Name)
		if f.Negated {
			p.WriteByte('!')
		}
		p.WriteByte('=')
		p.ip(f.Pattern)
	case *LogicalPredicate:
		word := " , "
		if f.Or {
			word = " or "
		}
		p.WriteString("( ")
		p.predicate(f.Left)
		p.WriteString(word)
		p.predicate(f.Right)
		p.WriteString(" )")
	}
}

// String gives the stage's text; a LineFilter's without a bar of its own, as it is written.
func (s *LineFilter) String() string { return textOf(func(p *printer) { p.stage(s) }) }

func (s *JSONParser) String() string   { return textOf(func(p *printer) { p.stage(s) }) }
func (s *LogfmtParser) String() string { return textOf(func(p *printer) { p.stage(s) }) }
func (s *RegexpParser) String() string { return textOf(func(p *printer) { p.stage(s) }) }
func (s *PatternParser) String() string {
	return textOf(func(p *printer) { p.stage(s) })
}
func (s *UnpackParser) String() string { return textOf(func(p *printer) { p.stage(s) }) }
func (s *LineFormat) String() string   { return textOf(func(p *printer) { p.stage(s) }) }
func (s *LabelFormat) String() string  { return textOf(func(p *printer) { p.stage(s) }) }
func (s *Decolorize) String() string   { return textOf(func(p *printer) { p.stage(s) }) }
func (s *DropLabels) String() string   { return textOf(func(p *printer) { p.stage(s) }) }
func (s *KeepLabels) String() string   { return textOf(func(p *printer) { p.stage(s) }) }
func (s *LabelFilter) String() string  { return textOf(func(p *printer) { p.stage(s) }) }

// String gives the predicate's text, without the bar of its stage.
func (f *StringPredicate) String() string { return textOf(func(p *printer) { p.predicate(f) }) }

func (f *NumberPredicate) String() string   { return textOf(func(p *printer) { p.predicate(f) }) }
func (f *DurationPredicate) String() string { return textOf(func(p *printer) { p.predicate(f) }) }
func (f *BytesPredicate) String() string    { return textOf(func(p *printer) { p.predicate(f) }) }
func (f *IPPredicate) String() string       { return textOf(func(p *printer) { p.predicate(f) }) }
func (f *LogicalPredicate) String() string  { return textOf(func(p *printer) { p.predicate(f) }) }

// String gives the stage with the filters behind it.
func (u *Unwrap) String() string {
	var b strings.Builder
	b.WriteString(textOf(func(p *printer) { p.unwrap(u) }))
	for _, f := range u.PostFilters {
		b.WriteString(" | " + f.String())
	}
	return b.String()
}

// String gives the operand with its range last.
func (r *LogRange) String() string { return textOf(func(p *printer) { p.logRange(r, nil) }) }

func (e *LogExpr) String() string           { return textOf(func(p *printer) { p.expr(e) }) }
func (e *RangeAggregation) String() string  { return textOf(func(p *printer) { p.expr(e) }) }
func (e *VectorAggregation) String() string { return textOf(func(p *printer) { p.expr(e) }) }
func (e *BinaryExpr) String() string        { return textOf(func(p *printer) { p.expr(e) }) }
func (e *Literal) String() string           { return textOf(func(p *printer) { p.expr(e) }) }
func (e *VectorExpr) String() string        { return textOf(func(p *printer) { p.expr(e) }) }
func (e *LabelReplace) String() string      { return textOf(func(p *printer) { p.expr(e) }) }
func (e *FunctionCall) String() string      { return textOf(func(p *printer) { p.expr(e) }) }
func (e *StringLiteral) String() string     { return textOf(func(p *printer) { p.expr(e) }) }
func (e *Subquery) String() string          { return textOf(func(p *printer) { p.expr(e) }) }
func (e *AtExpr) String() string            { return textOf(func(p *printer) { p.expr(e) }) }
