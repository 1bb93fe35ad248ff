package query

import (
	"github.com/cambium-logs/cambium/pkg/logql"
	"github.com/cambium-logs/cambium/pkg/logql/pipeline"
	"github.com/cambium-logs/cambium/pkg/storage/filter"
)

// Pushdown says how much of a stage is done by the store, before lines are rebuilt.
type Pushdown struct {
	Stage string `json:"stage"`
	// By names what decides: "skip filter" rules out chunks without reading them, "column search" rows of a columnar chunk, "columns" serves
	// parsed labels without the lines, "directory and timestamps" counts without them.
	By []string `json:"by,omitempty"`
	// Why says why nothing, or not more, is pushed down.
	Why string `json:"why,omitempty"`
}

// Names in Pushdown.By.
const (
	bySkipFilter   = "skip filter"
	byColumnSearch = "column search"
	byColumns      = "columns"
	byDirectory    = "directory and timestamps"
)

// pushdown explains the stages of a log expression. columns says that the parser at the front and what follows it is served from columns as
// far as chunks have them; filters that its label filters are.
func pushdown(stages []logql.Stage, columns, filters bool) []Pushdown {
	var out []Pushdown
	changed, leading := false, true
	for i, s := range stages {
		p := Pushdown{Stage: s.String()}
		switch s := s.(type) {
		case *logql.LineFilter:
			if changed {
				p.Why = "a stage before it changes the line"
			} else {
				p.By, p.Why = lineFilterPushdown(s)
			}
		case *logql.JSONParser, *logql.LogfmtParser:
			switch {
			case columns:
				p.By = []string{byColumns}
			case filters && i == 0:
				p.By, p.Why = []string{byColumns}, "only for the label filters behind it: what follows reads lines or all labels"
			default:
				p.Why = "the line itself is needed: by a filter or parser beside it, by expressions, or for counting bytes"
			}
		case *logql.LabelFilter:
			t := &texts{}
			if t.addValues(s.Predicate); !changed {
				for _, v := range t.values {
					if len(v.value) >= filter.MinNeedle {
						p.By = []string{bySkipFilter}
					}
				}
			}
			if columns || filters && leading {
				p.By = append(p.By, byColumns)
			} else if p.By == nil {
				p.Why = "its labels are not served from columns"
			}
		default:
			if p.Why = "it works on what the stages before it give"; columns {
				p.By, p.Why = []string{byColumns}, ""
			}
		}
		switch s.(type) {
		case *logql.LineFormat, *logql.UnpackParser, *logql.Decolorize:
			changed, leading = true, false
		case *logql.JSONParser, *logql.LogfmtParser, *logql.LabelFilter:
		default:
			leading = false
		}
		out = append(out, p)
	}
	return out
}

func lineFilterPushdown(f *logql.LineFilter) (by []string, why string) {
	if f.Op == logql.LineNotContains || f.Op == logql.LineNotMatches || f.Op == logql.LineNotPattern {
		return nil, "what lines must not contain is decided line by line"
	}
	sets := textsOf([]logql.Stage{f}).lines
	if len(sets) == 0 {
		return nil, "no text is certain to be in every match"
	}
	skips, searches := false, false
	for _, set := range sets {
		long := true
		for _, text := range set {
			long = long && len(text) >= filter.MinNeedle
		}
		skips, searches = skips || long, searches || worthSearching(set)
	}
	if skips {
		by = append(by, bySkipFilter)
	} else {
		why = "texts that are sure to be in a match are shorter than the 16 bytes that skip filters need"
	}
	if searches {
		by = append(by, byColumnSearch)
	} else {
		why = "texts that are sure to be in a match are too short or too many to be looked for"
	}
	return by, why
}

// pushdownOf explains a range aggregation.
func (l *leaf) pushdownOf() []Pushdown {
	names, known := l.needed()
	s, err := pipeline.CompileSamples(l.agg, pipeline.NeededLabels{Known: known, Names: names})
	columns := err == nil && s.FromColumns()
	stages := pushdown(l.agg.Range.Log.Stages, columns, false)
	if l.countable() {
		return append(stages, Pushdown{Stage: l.agg.Op, By: []string{byDirectory}})
	}
	if u := l.agg.Range.Unwrap; u != nil {
		p := Pushdown{Stage: "| unwrap " + u.Label, Why: "its labels are not served from columns"}
		switch {
		case columns && u.Conversion == "":
			p.By, p.Why = []string{byColumns}, ""
		case columns:
			p.By, p.Why = []string{byColumns}, "values are converted from their text"
		}
		stages = append(stages, p)
	}
	return stages
}

// pushdownOfLog explains a log query.
func pushdownOfLog(e *logql.LogExpr) []Pushdown {
	p, err := pipeline.Compile(e.Stages, pipeline.Options{})
	return pushdown(e.Stages, false, err == nil && p.FiltersColumns())
}
