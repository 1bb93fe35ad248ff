package pipeline

import "github.com/cambium-logs/cambium/pkg/logql"

// NeededLabels says which labels of a result somebody reads. The zero value says that all of them are.
type NeededLabels struct {
	Known bool     // only Names are read
	Names []string // may be empty
}

func (n NeededLabels) set() map[string]struct{} {
	s := make(map[string]struct{}, len(n.Names))
	for _, name := range n.Names {
		s[name] = struct{}{}
	}
	return s
}

// NeededBy says what a vector aggregation reads of the series of its direct operand. It is known when the range aggregation can be
// folded straight into the groups of a sum: then a Sampler compiled with it gives samples of the groups.
func NeededBy(outer *logql.VectorAggregation, inner *logql.RangeAggregation) NeededLabels {
	if outer == nil || outer.Op != "sum" || inner.Grouping != nil || outer.Grouping != nil && outer.Grouping.Without {
		return NeededLabels{}
	}
	switch inner.Op {
	case "count_over_time", "rate", "bytes_over_time", "bytes_rate", "sum_over_time":
	default:
		return NeededLabels{}
	}
	n := NeededLabels{Known: true}
	if outer.Grouping != nil {
		n.Names = outer.Grouping.Labels
	}
	return n
}

// addReadLabels adds the labels that stages read to names. It returns false when a stage may read any label.
func addReadLabels(names map[string]struct{}, stages []logql.Stage) bool {
	template := func(text string) bool {
		r := readsOf(text)
		for _, l := range r.labels {
			names[l] = struct{}{}
		}
		return !r.all
	}
	for _, s := range stages {
		switch s := s.(type) {
		case *logql.LabelFilter:
			addPredicateLabels(names, s.Predicate)
		case *logql.LineFormat:
			if !template(s.Template) {
				return false
			}
		case *logql.LabelFormat:
			for _, a := range s.Assignments {
				if a.Rename {
					names[a.Src] = struct{}{}
				} else if !template(a.Template) {
					return false
				}
			}
		}
	}
	return true
}

func addPredicateLabels(names map[string]struct{}, p logql.LabelPredicate) {
	switch p := p.(type) {
	case *logql.StringPredicate:
		names[p.Matcher.Name] = struct{}{}
	case *logql.NumberPredicate:
		names[p.Name] = struct{}{}
	case *logql.DurationPredicate:
		names[p.Name] = struct{}{}
	case *logql.BytesPredicate:
		names[p.Name] = struct{}{}
	case *logql.IPPredicate:
		names[p.Name] = struct{}{}
	case *logql.LogicalPredicate:
		addPredicateLabels(names, p.Left)
		addPredicateLabels(names, p.Right)
	}
}
