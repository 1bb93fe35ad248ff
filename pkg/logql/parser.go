package logql

import (
	"fmt"
	"regexp"
	"strconv"

	"github.com/prometheus/prometheus/model/labels"
)

// Bounds on what is accepted, so that neither parsing nor a walk over the tree can exhaust the stack.
const (
	MaxTextBytes = 131072 // longest query text
	MaxDepth     = 1000   // greatest depth of a tree, counting operands of operators and label filters

	maxNesting = 3 * MaxDepth // of the text: enough for the canonical text of any accepted tree
)

// ParseOptions chooses the language.
type ParseOptions struct {
	// Extensions adds PromQL's functions, aggregations, "@" and subqueries. A text that is LogQL means the same with and without.
	Extensions bool
}

// Parse reads a query and validates it. The error is a *ParseError.
func Parse(text string, opts ParseOptions) (Expr, error) {
	e, _, err := parse(text, false)
	if err == nil || !opts.Extensions {
		return e, err
	}
	extended, used, extErr := parse(text, true)
	switch {
	case extErr == nil:
		return extended, nil
	case used:
		return nil, extErr
	}
	return nil, err
}

// parse reads a query of one of the two grammars. It tells whether the text uses an extension.
func parse(text string, extensions bool) (e Expr, extended bool, err error) {
	p, err := newParser(text, extensions)
	if err != nil {
		return nil, false, err
	}
	if e, err = p.query(); err == nil {
		err = p.validate(e)
	}
	extended = p.extended || p.lex.subquery && p.lex.failed != nil
	if err != nil {
		return nil, extended, err
	}
	return e, extended, nil
}

// parser is a recursive-descent parser. A production that cannot continue leaves the token to its caller, so that
// a token is refused by the outermost production that could still have taken another one, as an LALR parser does.
type parser struct {
	lex        *lexer
	tok        token
	ahead      []token // tokens read after tok
	depth      int
	extensions bool
	extended   bool           // an extension was met
	stray      *token         // first character that was taken for an identifier but is none
	refused    map[Expr]error // nodes that are syntactically right and are refused by validation
}

func newParser(text string, extensions bool) (*parser, error) {
	if len(text) > MaxTextBytes {
		return nil, errorf("input size too long (%d > %d)", len(text), MaxTextBytes)
	}
	p := &parser{lex: newLexer(text, extensions), extensions: extensions}
	p.tok = p.lex.next()
	return p, nil
}

// query parses the whole text.
func (p *parser) query() (Expr, error) {
	e, err := p.expr(0)
	if err != nil {
		return nil, err
	}
	if p.tok.kind != tokEOF {
		return nil, unexpected(p.tok)
	}
	if p.stray != nil {
		return nil, unexpected(*p.stray)
	}
	return e, nil
}

// advance gives the current token and moves on.
func (p *parser) advance() token {
	t := p.tok
	if len(p.ahead) > 0 {
		p.tok, p.ahead = p.ahead[0], p.ahead[1:]
	} else {
		p.tok = p.lex.next()
	}
	return t
}

// following gives the token behind the current one.
func (p *parser) following() token { return p.lookAhead(0) }

func (p *parser) lookAhead(n int) token {
	for len(p.ahead) <= n {
		p.ahead = append(p.ahead, p.lex.next())
	}
	return p.ahead[n]
}

// accept consumes a token of kind k if it is next.
func (p *parser) accept(k kind) bool {
	if p.tok.kind != k {
		return false
	}
	p.advance()
	return true
}

// expect consumes a token of kind k, or refuses what is there. The names of the acceptable tokens may be left out.
func (p *parser) expect(k kind, expected ...string) (token, error) {
	if p.tok.kind != k {
		return token{}, unexpected(p.tok, expected...)
	}
	return p.advance(), nil
}

// ident consumes an identifier.
func (p *parser) ident(expected ...string) (string, error) {
	t, err := p.expect(tokIdent, expected...)
	if err != nil {
		return "", err
	}
	if t.stray && p.stray == nil {
		p.stray = &t
	}
	return t.text, nil
}

// enter counts a level of nesting; every successful enter needs a leave.
func (p *parser) enter() error {
	if p.depth >= maxNesting {
		return &ParseError{Line: p.tok.line, Col: p.tok.col, Msg: fmt.Sprintf("nested too deeply (more than %d levels)", maxNesting)}
	}
	p.depth++
	return nil
}

func (p *parser) leave() { p.depth-- }

func (p *parser) refuse(e Expr, format string, args ...any) {
	if p.refused == nil {
		p.refused = map[Expr]error{}
	}
	if _, ok := p.refused[e]; !ok {
		p.refused[e] = errorf(format, args...)
	}
}

// number consumes a number.
func (p *parser) number(expected ...string) (float64, error) {
	t, err := p.expect(tokNumber, expected...)
	if err != nil {
		return 0, err
	}
	return floatOf(t)
}

func floatOf(t token) (float64, error) {
	v, err := strconv.ParseFloat(t.text, 64)
	if err != nil {
		return 0, errorf("unable to parse literal as a float: %s", err)
	}
	return v, nil
}

// signedNumber consumes "-" or "+", if there, and a number.
func (p *parser) signedNumber() (float64, error) {
	negative := p.tok.kind == tokSub
	if negative || p.tok.kind == tokAdd {
		p.advance()
	}
	v, err := p.number("NUMBER")
	if negative {
		v = -v
	}
	return v, err
}

// identList parses "(a, b)", which may be empty.
func (p *parser) identList(expected ...string) ([]string, error) {
	if _, err := p.expect(tokOpenParen, expected...); err != nil {
		return nil, err
	}
	if p.accept(tokCloseParen) {
		return nil, nil
	}
	var names []string
	acceptable := []string{"IDENTIFIER", ")"}
	for {
		name, err := p.ident(acceptable...)
		if err != nil {
			return nil, err
		}
		names = append(names, name)
		if p.accept(tokCloseParen) {
			return names, nil
		}
		if _, err := p.expect(tokComma, ",", ")"); err != nil {
			return nil, err
		}
		acceptable = acceptable[:1]
	}
}

// grouping parses "by (…)" or "without (…)" if one is next.
func (p *parser) grouping() (*Grouping, error) {
	if p.tok.kind != tokBy && p.tok.kind != tokWithout {
		return nil, nil
	}
	g := &Grouping{Without: p.advance().kind == tokWithout}
	names, err := p.identList("(")
	g.Labels = names
	return g, err
}

var matchTypes = map[kind]labels.MatchType{
	tokEqual: labels.MatchEqual, tokNotEqual: labels.MatchNotEqual, tokRegex: labels.MatchRegexp, tokNotRegex: labels.MatchNotRegexp,
}

// matcher parses the operator and the string of a matcher for name.
func (p *parser) matcher(name string) (*labels.Matcher, error) {
	typ, ok := matchTypes[p.tok.kind]
	if !ok {
		return nil, unexpected(p.tok, "=", "=~", "!~", "!=")
	}
	p.advance()
	value, err := p.expect(tokString, "STRING")
	if err != nil {
		return nil, err
	}
	return newMatcher(typ, name, value.text)
}

func newMatcher(typ labels.MatchType, name, value string) (*labels.Matcher, error) {
	m, err := labels.NewMatcher(typ, name, value)
	if err != nil {
		return nil, errorf("%s", err)
	}
	return m, nil
}

// compileReplaceRegex checks the regex of label_replace.
func compileReplaceRegex(re string) error {
	if _, err := regexp.Compile("^(?:" + re + ")$"); err != nil {
		return errorf("invalid regex in label_replace: %s", err)
	}
	return nil
}
