package logql

import "github.com/prometheus/prometheus/model/labels"

// logExpr parses a selector and its pipeline.
func (p *parser) logExpr() (Expr, error) {
	matchers, err := p.selector()
	if err != nil {
		return nil, err
	}
	stages, _, err := p.pipeline(false)
	return &LogExpr{Matchers: matchers, Stages: stages}, err
}

// selector parses "{…}".
func (p *parser) selector() ([]*labels.Matcher, error) {
	p.advance()
	if p.accept(tokCloseBrace) {
		return nil, nil
	}
	var matchers []*labels.Matcher
	acceptable := []string{"IDENTIFIER", "}"}
	for {
		name, err := p.ident(acceptable...)
		if err != nil {
			return nil, err
		}
		m, err := p.matcher(name)
		if err != nil {
			return nil, err
		}
		matchers = append(matchers, m)
		if p.accept(tokCloseBrace) {
			return matchers, nil
		}
		if _, err := p.expect(tokComma, "}", ","); err != nil {
			return nil, err
		}
		acceptable = acceptable[:1]
	}
}

// pipeline parses stages as long as there are any. In a range, unwrap may end them.
func (p *parser) pipeline(inRange bool) ([]Stage, *Unwrap, error) {
	var stages []Stage
	for {
		if op, ok := lineFilterOps[p.tok.kind]; ok {
			filters, err := p.lineFilters(op)
			if err != nil {
				return nil, nil, err
			}
			stages = append(stages, filters...)
			continue
		}
		if p.tok.kind != tokPipe {
			return stages, nil, nil
		}
		p.advance()
		if inRange && p.tok.kind == tokUnwrap {
			u, err := p.unwrap()
			return stages, u, err
		}
		s, err := p.stage()
		if err != nil {
			return nil, nil, err
		}
		stages = append(stages, s)
	}
}

var lineFilterOps = map[kind]LineFilterOp{
	tokPipeExact: LineContains, tokNotEqual: LineNotContains, tokPipeMatch: LineMatches,
	tokNotRegex: LineNotMatches, tokPipePattern: LinePattern, tokNotPattern: LineNotPattern,
}

// lineFilters parses one operator with its operands. A negated chain becomes a filter for each operand, which means the same.
func (p *parser) lineFilters(op LineFilterOp) ([]Stage, error) {
	p.advance()
	var operands []LineFilterOperand
	for {
		o, err := p.lineFilterOperand()
		if err != nil {
			return nil, err
		}
		operands = append(operands, o)
		if !p.accept(tokOr) {
			break
		}
	}
	if !op.Negated() {
		return []Stage{&LineFilter{Op: op, Operands: operands}}, nil
	}
	filters := make([]Stage, len(operands))
	for i, o := range operands {
		filters[i] = &LineFilter{Op: op, Operands: []LineFilterOperand{o}}
	}
	return filters, nil
}

func (p *parser) lineFilterOperand() (LineFilterOperand, error) {
	if p.tok.kind == tokIP {
		pattern, err := p.ip()
		return LineFilterOperand{Text: pattern, IP: true}, err
	}
	t, err := p.expect(tokString, "STRING", "ip")
	return LineFilterOperand{Text: t.text}, err
}

// ip parses ip("…").
func (p *parser) ip() (string, error) {
	p.advance()
	if _, err := p.expect(tokOpenParen, "("); err != nil {
		return "", err
	}
	t, err := p.expect(tokString, "STRING")
	if err != nil {
		return "", err
	}
	_, err = p.expect(tokCloseParen, ")")
	return t.text, err
}

// stage parses what follows a "|".
func (p *parser) stage() (Stage, error) {
	switch p.tok.kind {
	case tokJSON:
		p.advance()
		x, err := p.extractions()
		return &JSONParser{Extractions: x}, err
	case tokLogfmt:
		return p.logfmt()
	case tokRegexp:
		text, err := p.stageText()
		return &RegexpParser{Pattern: text}, err
	case tokPattern:
		text, err := p.stageText()
		return &PatternParser{Pattern: text}, err
	case tokLineFormat:
		text, err := p.stageText()
		return &LineFormat{Template: text}, err
	case tokUnpack:
		p.advance()
		return &UnpackParser{}, nil
	case tokDecolorize:
		p.advance()
		return &Decolorize{}, nil
	case tokLabelFormat:
		return p.labelFormat()
	case tokDrop:
		s, err := p.labelSelectors()
		return &DropLabels{Selectors: s}, err
	case tokKeep:
		s, err := p.labelSelectors()
		return &KeepLabels{Selectors: s}, err
	case tokIdent, tokOpenParen:
		f, err := p.labelFilter(0)
		return &LabelFilter{Predicate: f}, err
	}
	return nil, unexpected(p.tok)
}

// stageText consumes the name of a stage and its string.
func (p *parser) stageText() (string, error) {
	p.advance()
	t, err := p.expect(tokString, "STRING")
	return t.text, err
}

func (p *parser) logfmt() (Stage, error) {
	p.advance()
	s := &LogfmtParser{}
	for p.tok.kind == tokFlag {
		if p.advance().text == "--strict" {
			s.Strict = true
		} else {
			s.KeepEmpty = true
		}
	}
	var err error
	s.Extractions, err = p.extractions()
	return s, err
}

// extractions parses a="x", b, … or nothing.
func (p *parser) extractions() ([]Extraction, error) {
	if p.tok.kind != tokIdent {
		return nil, nil
	}
	var list []Extraction
	for {
		name, err := p.ident("IDENTIFIER")
		if err != nil {
			return nil, err
		}
		x := Extraction{Name: name, Path: name}
		if p.accept(tokEqual) {
			t, err := p.expect(tokString, "STRING")
			if err != nil {
				return nil, err
			}
			x.Path = t.text
		}
		list = append(list, x)
		if !p.accept(tokComma) {
			return list, nil
		}
	}
}

func (p *parser) labelFormat() (Stage, error) {
	p.advance()
	s := &LabelFormat{}
	for {
		dst, err := p.ident("IDENTIFIER")
		if err != nil {
			return nil, err
		}
		if _, err := p.expect(tokEqual, "="); err != nil {
			return nil, err
		}
		a := LabelAssignment{Dst: dst}
		switch p.tok.kind {
		case tokIdent:
			a.Rename = true
			if a.Src, err = p.ident(); err != nil {
				return nil, err
			}
		case tokString:
			a.Template = p.advance().text
		default:
			return nil, unexpected(p.tok, "IDENTIFIER", "STRING")
		}
		s.Assignments = append(s.Assignments, a)
		if !p.accept(tokComma) {
			return s, nil
		}
	}
}

// labelSelectors parses what drop and keep name.
func (p *parser) labelSelectors() ([]LabelSelector, error) {
	p.advance()
	var list []LabelSelector
	for {
		name, err := p.ident("IDENTIFIER")
		if err != nil {
			return nil, err
		}
		s := LabelSelector{Name: name}
		if _, ok := matchTypes[p.tok.kind]; ok {
			if s.Matcher, err = p.matcher(name); err != nil {
				return nil, err
			}
		}
		list = append(list, s)
		if !p.accept(tokComma) {
			return list, nil
		}
	}
}

// unwrap parses "unwrap x" or "unwrap bytes(x)" and the label filters behind it.
func (p *parser) unwrap() (*Unwrap, error) {
	p.advance()
	u := &Unwrap{}
	var err error
	if p.tok.kind == tokConversion {
		u.Conversion = p.advance().text
		if _, err := p.expect(tokOpenParen, "("); err != nil {
			return nil, err
		}
		if u.Label, err = p.ident("IDENTIFIER"); err != nil {
			return nil, err
		}
		if _, err := p.expect(tokCloseParen, ")"); err != nil {
			return nil, err
		}
	} else if u.Label, err = p.ident("IDENTIFIER", "BYTES_CONV", "DURATION_CONV", "DURATION_SECONDS_CONV"); err != nil {
		return nil, err
	}
	for p.accept(tokPipe) {
		if p.tok.kind != tokIdent && p.tok.kind != tokOpenParen {
			return nil, unexpected(p.tok, "IDENTIFIER", "(")
		}
		f, err := p.labelFilter(0)
		if err != nil {
			return nil, err
		}
		u.PostFilters = append(u.PostFilters, f)
	}
	return u, nil
}
