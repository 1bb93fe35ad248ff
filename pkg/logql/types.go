package logql

import (
	"fmt"

	promql "github.com/prometheus/prometheus/promql/parser"
)

// valueType is what an expression evaluates to. LogQL alone needs no types: its grammar keeps them apart.
type valueType string

const (
	typeScalar valueType = "scalar"
	typeVector valueType = "vector"
	typeRange  valueType = "subquery"
	typeText   valueType = "string"
)

// signature says what a function takes. The last type holds for further arguments, up to most (no bound when negative).
type signature struct {
	args        []valueType
	least, most int
	result      valueType
}

var promTypes = map[promql.ValueType]valueType{
	promql.ValueTypeScalar: typeScalar, promql.ValueTypeVector: typeVector,
	promql.ValueTypeMatrix: typeRange, promql.ValueTypeString: typeText,
}

// functionSignature finds a PromQL function or one of the extra aggregations.
func functionSignature(name string) (signature, bool) {
	if args, ok := extraAggregations[name]; ok {
		return signature{args: args, least: len(args), most: len(args), result: typeVector}, true
	}
	f, ok := promql.Functions[name]
	if !ok || f.Experimental {
		return signature{}, false
	}
	s := signature{least: len(f.ArgTypes), most: len(f.ArgTypes), result: promTypes[f.ReturnType]}
	for _, t := range f.ArgTypes {
		s.args = append(s.args, promTypes[t])
	}
	if f.Variadic != 0 {
		s.least--
		s.most = s.least + f.Variadic
		if f.Variadic < 0 {
			s.most = -1
		}
	}
	return s, true
}

func typeOf(e Expr) valueType {
	switch e := e.(type) {
	case *Literal:
		return typeScalar
	case *StringLiteral:
		return typeText
	case *Subquery:
		return typeRange
	case *FunctionCall:
		if s, ok := functionSignature(e.Name); ok {
			return s.result
		}
	case *BinaryExpr:
		if typeOf(e.Left) == typeScalar && typeOf(e.Right) == typeScalar {
			return typeScalar
		}
	}
	return typeVector
}

// checkTypes refuses operands that a node cannot work on. Only extended expressions can have such.
func checkTypes(root Expr) error {
	if t := typeOf(root); t != typeScalar && t != typeVector {
		return errorf("a %s is not a query of its own", t)
	}
	var failure error
	Inspect(root, func(e Expr) bool {
		if failure == nil {
			failure = checkNode(e)
		}
		return failure == nil
	})
	return failure
}

func checkNode(e Expr) error {
	switch e := e.(type) {
	case *FunctionCall:
		return checkCall(e)
	case *BinaryExpr:
		set := e.Op == "or" || e.Op == "and" || e.Op == "unless"
		for _, operand := range []Expr{e.Left, e.Right} {
			t := typeOf(operand)
			if t == typeRange || t == typeText || set && t == typeScalar {
				return errorf("operator %s cannot work on a %s", e.Op, t)
			}
		}
	case *VectorAggregation:
		return checkOperand(e.Op, e.Expr)
	case *LabelReplace:
		return checkOperand("label_replace", e.Expr)
	case *Subquery:
		return checkOperand("subquery", e.Expr)
	}
	return nil
}

// checkOperand demands a vector. Literals pass because LogQL takes them for vectors.
func checkOperand(what string, e Expr) error {
	if _, ok := e.(*Literal); ok && what != "subquery" {
		return nil
	}
	if t := typeOf(e); t != typeVector {
		return errorf("%s expects a vector, got a %s", what, t)
	}
	return nil
}

func checkCall(e *FunctionCall) error {
	s, ok := functionSignature(e.Name)
	if !ok {
		return errorf("%s does not work on subqueries", e.Name)
	}
	if n := len(e.Args); n < s.least || s.most >= 0 && n > s.most {
		return errorf("%s expects %s, got %d", e.Name, s.arity(), n)
	}
	for i, arg := range e.Args {
		want := s.args[min(i, len(s.args)-1)]
		if got := typeOf(arg); got != want {
			return errorf("argument %d of %s must be a %s, got a %s", i+1, e.Name, want, got)
		}
	}
	return nil
}

func (s signature) arity() string {
	switch {
	case s.most < 0:
		return fmt.Sprintf("at least %d arguments", s.least)
	case s.most > s.least:
		return fmt.Sprintf("%d to %d arguments", s.least, s.most)
	}
	return fmt.Sprintf("%d arguments", s.least)
}
