package logql

import "github.com/prometheus/prometheus/model/labels"

// validate applies the rules that a text can break without breaking the grammar, from the outside in.
func (p *parser) validate(e Expr) error {
	if treeDepth(e) > MaxDepth {
		return errorf("nested too deeply (more than %d levels)", MaxDepth)
	}
	if p.extensions {
		if err := checkTypes(e); err != nil {
			return err
		}
	}
	var failure error
	Inspect(e, func(e Expr) bool {
		if failure == nil {
			failure = p.refused[e]
		}
		if failure != nil {
			return false
		}
		switch e := e.(type) {
		case *LogExpr:
			failure = requireNonEmpty(e.Matchers)
		case *RangeAggregation:
			failure = requireNonEmpty(e.Range.Log.Matchers)
		}
		return failure == nil
	})
	return failure
}

// requireNonEmpty demands a matcher that the empty string does not satisfy: a query must not select every stream.
func requireNonEmpty(matchers []*labels.Matcher) error {
	for _, m := range matchers {
		if !m.Matches("") {
			return nil
		}
	}
	return errorf("%s", errEmptyMatchers)
}

// treeDepth is the number of nodes on the longest way down the tree.
func treeDepth(e Expr) int {
	deepest := 0
	log := e
	switch e := e.(type) {
	case *RangeAggregation:
		log = e.Range.Log
		if e.Range.Unwrap != nil {
			for _, f := range e.Range.Unwrap.PostFilters {
				deepest = max(deepest, predicateDepth(f))
			}
		}
	}
	if l, ok := log.(*LogExpr); ok {
		for _, s := range l.Stages {
			if f, ok := s.(*LabelFilter); ok {
				deepest = max(deepest, predicateDepth(f.Predicate))
			}
		}
	}
	for _, c := range children(e) {
		deepest = max(deepest, treeDepth(c))
	}
	return deepest + 1
}

func predicateDepth(f LabelPredicate) int {
	if l, ok := f.(*LogicalPredicate); ok {
		return 1 + max(predicateDepth(l.Left), predicateDepth(l.Right))
	}
	return 1
}
