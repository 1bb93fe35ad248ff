package pipeline

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"sync"
	"text/template"
	"text/template/parse"
	"time"
)

// Bounds of one execution of a template.
const (
	maxTemplateOutput = 1 << 20 // bytes, also of every string a function makes
	maxTemplateSteps  = 100_000 // rounds of range and calls of templates
	maxTemplateWork   = 1 << 26 // bytes that functions read and write altogether
)

var (
	errTemplateOutput = fmt.Errorf("the template makes more than %d bytes", maxTemplateOutput)
	errTemplateSteps  = fmt.Errorf("the template runs for more than %d rounds", maxTemplateSteps)
	errTemplateWork   = fmt.Errorf("the template handles more than %d bytes", maxTemplateWork)
)

// stepFunc counts rounds; a call of it stands in front of every list of template nodes that may run repeatedly.
const stepFunc = "__step__"

// formatter is a compiled template. Executions need state of their own for __line__ and __timestamp__, which is pooled.
type formatter struct {
	template *template.Template
	pool     sync.Pool // *execution
	simple   []templatePart
}

// templatePart is a piece of a template that has nothing but text and plain labels: such templates need no engine.
type templatePart struct {
	text string
	slot int // of a label, or one of the constants below
}

const (
	partText = -1
	partLine = -2
)

// newFormatter parses a template under the name that its errors give.
func newFormatter(c *compiler, name, text string) (*formatter, error) {
	proto := newExecution()
	t, err := template.New(name).Option("missingkey=zero").Funcs(proto.funcs()).Parse(text)
	if err != nil {
		return nil, err
	}
	f := &formatter{template: t, simple: simpleParts(c, t)}
	if f.simple != nil {
		return f, nil
	}
	if err := countSteps(t); err != nil {
		return nil, err
	}
	f.pool.New = func() any {
		x := newExecution()
		clone, err := f.template.Clone()
		if err != nil {
			clone = f.template
		}
		x.template = clone.Funcs(x.funcs())
		return x
	}
	return f, nil
}

// format appends the text for an entry to dst.
func (f *formatter) format(dst []byte, e *entry, data map[string]string) ([]byte, error) {
	x := f.pool.Get().(*execution)
	defer f.pool.Put(x)
	x.line, x.ts = viewString(e.line), e.ts
	x.out.Reset()
	x.steps, x.work = 0, 0
	err := x.template.Execute(x, data)
	x.line = ""
	if err != nil {
		for _, limit := range []error{errTemplateOutput, errTemplateSteps, errTemplateWork} {
			if errors.Is(err, limit) {
				return dst, limit
			}
		}
		return dst, err
	}
	return append(dst, x.out.Bytes()...), nil
}

// simpleParts returns the parts of a template that is made of text, {{.label}} and {{__line__}} alone, or nil.
func simpleParts(c *compiler, t *template.Template) []templatePart {
	if t.Tree == nil || t.Root == nil {
		return nil
	}
	parts := []templatePart{}
	for _, n := range t.Root.Nodes {
		switch n := n.(type) {
		case *parse.TextNode:
			parts = append(parts, templatePart{text: string(n.Text), slot: partText})
			continue
		case *parse.ActionNode:
			if len(n.Pipe.Decl) > 0 || len(n.Pipe.Cmds) != 1 || len(n.Pipe.Cmds[0].Args) != 1 {
				return nil
			}
			switch a := n.Pipe.Cmds[0].Args[0].(type) {
			case *parse.FieldNode:
				if len(a.Ident) == 1 {
					parts = append(parts, templatePart{slot: c.slot(a.Ident[0])})
					continue
				}
			case *parse.IdentifierNode:
				if a.Ident == "__line__" {
					parts = append(parts, templatePart{slot: partLine})
					continue
				}
			}
		}
		return nil
	}
	return parts
}

// formatSimple appends the text for an entry to dst.
func (f *formatter) formatSimple(dst []byte, e *entry) ([]byte, error) {
	start := len(dst)
	for _, p := range f.simple {
		switch p.slot {
		case partText:
			dst = append(dst, p.text...)
		case partLine:
			dst = append(dst, e.line...)
		default:
			dst = append(dst, e.shown(e.slots[p.slot])...)
		}
		if len(dst)-start > maxTemplateOutput {
			return dst[:start], errTemplateOutput
		}
	}
	return dst, nil
}

// execution is the state of a running template, and the writer it writes to.
type execution struct {
	template *template.Template
	out      bytes.Buffer
	line     string
	ts       int64
	steps    int
	work     int
	regexes  map[string]*regexp.Regexp
}

func newExecution() *execution { return &execution{regexes: make(map[string]*regexp.Regexp)} }

// Write collects output up to the limit.
func (x *execution) Write(p []byte) (int, error) {
	if x.out.Len()+len(p) > maxTemplateOutput {
		return 0, errTemplateOutput
	}
	return x.out.Write(p)
}

func (x *execution) step() (string, error) {
	if x.steps++; x.steps > maxTemplateSteps {
		return "", errTemplateSteps
	}
	return "", nil
}

// charge accounts for n bytes that a function is about to read or write.
func (x *execution) charge(n int) error {
	if n > 16*maxTemplateOutput {
		return errTemplateOutput
	}
	if x.work += n; x.work > maxTemplateWork {
		return errTemplateWork
	}
	return nil
}

// result passes a function's string on if it is not too long.
func (x *execution) result(s string) (string, error) {
	if len(s) > maxTemplateOutput {
		return "", errTemplateOutput
	}
	return s, x.charge(len(s))
}

func (x *execution) funcs() template.FuncMap {
	m := template.FuncMap{
		"__line__":      func() string { return x.line },
		"__timestamp__": func() time.Time { return time.Unix(0, x.ts).UTC() },
		stepFunc:        x.step,
	}
	x.addStringFuncs(m)
	x.addFormatFuncs(m)
	addNumberFuncs(m)
	addTimeFuncs(m)
	return m
}

// countSteps puts a call of stepFunc in front of the body of every range and template.
func countSteps(t *template.Template) error {
	probe, err := template.New("step").Funcs(template.FuncMap{stepFunc: func() string { return "" }}).Parse("{{" + stepFunc + "}}")
	if err != nil {
		return fmt.Errorf("prepare template: %w", err)
	}
	step := probe.Root.Nodes[0]
	for _, d := range t.Templates() {
		if d.Tree == nil || d.Root == nil {
			continue
		}
		walkTemplate(d.Root, func(n parse.Node) {
			if r, ok := n.(*parse.RangeNode); ok && r.List != nil {
				prepend(r.List, step)
			}
		})
		if d != t {
			prepend(d.Root, step)
		}
	}
	return nil
}

func prepend(l *parse.ListNode, n parse.Node) {
	l.Nodes = append([]parse.Node{n.Copy()}, l.Nodes...)
}

// walkTemplate calls f for every node below n, and for n, children first.
func walkTemplate(n parse.Node, f func(parse.Node)) {
	branch := func(b *parse.BranchNode) {
		walkTemplate(b.Pipe, f)
		walkTemplate(b.List, f)
		if b.ElseList != nil {
			walkTemplate(b.ElseList, f)
		}
	}
	switch n := n.(type) {
	case *parse.ListNode:
		if n == nil {
			return
		}
		for _, c := range n.Nodes {
			walkTemplate(c, f)
		}
	case *parse.ActionNode:
		walkTemplate(n.Pipe, f)
	case *parse.PipeNode:
		if n == nil {
			return
		}
		for _, c := range n.Cmds {
			walkTemplate(c, f)
		}
	case *parse.CommandNode:
		for _, a := range n.Args {
			walkTemplate(a, f)
		}
	case *parse.ChainNode:
		walkTemplate(n.Node, f)
	case *parse.IfNode:
		branch(&n.BranchNode)
	case *parse.RangeNode:
		branch(&n.BranchNode)
	case *parse.WithNode:
		branch(&n.BranchNode)
	case *parse.TemplateNode:
		walkTemplate(n.Pipe, f)
	}
	if n != nil {
		f(n)
	}
}

// templateReads describes what a template reads: whether it reads the line, and the labels it reads, or that it may read all.
type templateReads struct {
	line   bool
	all    bool
	labels []string
}

// readsOf analyses a template. A template that does not parse reads nothing; compiling it fails elsewhere.
func readsOf(text string) templateReads {
	var r templateReads
	t, err := template.New("").Funcs(newExecution().funcs()).Parse(text)
	if err != nil {
		return r
	}
	for _, d := range t.Templates() {
		if d.Tree == nil || d.Root == nil {
			continue
		}
		walkTemplate(d.Root, func(n parse.Node) {
			switch n := n.(type) {
			case *parse.IdentifierNode:
				r.line = r.line || n.Ident == "__line__"
			case *parse.FieldNode:
				r.labels = append(r.labels, n.Ident[0])
			case *parse.DotNode:
				r.all = true
			case *parse.VariableNode:
				if n.Ident[0] != "$" {
					return
				}
				if len(n.Ident) == 1 {
					r.all = true
				} else {
					r.labels = append(r.labels, n.Ident[1])
				}
			}
		})
	}
	return r
}

// readsLine reports whether a template reads the current line.
func readsLine(text string) bool { return readsOf(text).line }
