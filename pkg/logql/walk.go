package logql

import (
	"time"

	"github.com/prometheus/prometheus/model/labels"
)

// Inspect visits e and the expressions below it in written order, a node before its operands. Where visit gives false, the
// operands of the node are left out. The log expression inside a range aggregation is part of its LogRange and is not visited.
func Inspect(e Expr, visit func(Expr) bool) {
	if e == nil || !visit(e) {
		return
	}
	for _, c := range children(e) {
		Inspect(c, visit)
	}
}

// children gives the operands of e.
func children(e Expr) []Expr {
	switch e := e.(type) {
	case *VectorAggregation:
		return []Expr{e.Expr}
	case *BinaryExpr:
		return []Expr{e.Left, e.Right}
	case *LabelReplace:
		return []Expr{e.Expr}
	case *FunctionCall:
		return e.Args
	case *Subquery:
		return []Expr{e.Expr}
	case *AtExpr:
		return []Expr{e.Expr}
	}
	return nil
}

// LogRanges gives the operands of all range aggregations of e, in written order.
func LogRanges(e Expr) []*LogRange {
	var ranges []*LogRange
	Inspect(e, func(e Expr) bool {
		if r, ok := e.(*RangeAggregation); ok {
			ranges = append(ranges, r.Range)
		}
		return true
	})
	return ranges
}

// Selectors gives the matchers of every stream selector of e, in written order.
func Selectors(e Expr) [][]*labels.Matcher {
	var selectors [][]*labels.Matcher
	Inspect(e, func(e Expr) bool {
		switch e := e.(type) {
		case *LogExpr:
			selectors = append(selectors, e.Matchers)
		case *RangeAggregation:
			selectors = append(selectors, e.Range.Log.Matchers)
		}
		return true
	})
	return selectors
}

// Reach is how far from an evaluation time an expression reads: entries from Back before it to Forward after it.
// Back may be negative and Forward may be, when offsets move the whole window.
type Reach struct{ Back, Forward time.Duration }

// ReachOf gives the reach that covers all range aggregations of e, subqueries included. It is false when there are
// none. The "@" modifier is not accounted for: what stands under it is read relative to another time.
func ReachOf(e Expr) (Reach, bool) {
	var total Reach
	found := false
	widen := func(r Reach) {
		if !found {
			total, found = r, true
			return
		}
		total.Back = max(total.Back, r.Back)
		total.Forward = max(total.Forward, r.Forward)
	}
	switch e := e.(type) {
	case *RangeAggregation:
		widen(Reach{Back: e.Range.Range + e.Range.Offset, Forward: -e.Range.Offset})
	case *Subquery:
		if r, ok := ReachOf(e.Expr); ok {
			widen(Reach{Back: r.Back + e.Range + e.Offset, Forward: r.Forward - e.Offset})
		}
	default:
		for _, c := range children(e) {
			if r, ok := ReachOf(c); ok {
				widen(r)
			}
		}
	}
	return total, found
}

// Extended tells whether e contains something that LogQL lacks and the option Extensions allows.
func Extended(e Expr) bool {
	extended := false
	Inspect(e, func(e Expr) bool {
		switch e := e.(type) {
		case *FunctionCall, *StringLiteral, *Subquery, *AtExpr:
			extended = true
		case *BinaryExpr:
			extended = extended || e.Op == "atan2"
		}
		return !extended
	})
	return extended
}

// Negated tells whether the operator keeps the lines that do not match.
func (op LineFilterOp) Negated() bool {
	return op == LineNotContains || op == LineNotMatches || op == LineNotPattern
}
