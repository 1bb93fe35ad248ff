package logqltest

import (
	"math"
	"time"

	"github.com/cambium-logs/cambium/pkg/logql"
)

// Stages makes a pipeline, which may be empty.
func (g *Generator) Stages() []logql.Stage {
	var stages []logql.Stage
	for range g.rand.IntN(g.opts.MaxStages + 1) {
		s := g.Stage()
		if len(stages) > 0 && takesAsMatcher(stages[len(stages)-1], s) {
			continue
		}
		stages = append(stages, s)
	}
	return stages
}

// takesAsMatcher tells whether the text of stage would be read as a matcher of the last label that a drop or keep in front of it names.
func takesAsMatcher(before, stage logql.Stage) bool {
	f, ok := stage.(*logql.LineFilter)
	if !ok || f.Op != logql.LineNotContains && f.Op != logql.LineNotMatches {
		return false
	}
	var list []logql.LabelSelector
	switch s := before.(type) {
	case *logql.DropLabels:
		list = s.Selectors
	case *logql.KeepLabels:
		list = s.Selectors
	}
	return len(list) > 0 && list[len(list)-1].Matcher == nil
}

// Stage makes one stage.
func (g *Generator) Stage() logql.Stage {
	switch n := g.rand.IntN(100); {
	case n < 30:
		return g.lineFilter()
	case n < 55:
		return &logql.LabelFilter{Predicate: g.Predicate(3)}
	case n < 80:
		return g.parser()
	case n < 85:
		return &logql.LineFormat{Template: g.template()}
	case n < 90:
		return g.labelFormat()
	case n < 92:
		return &logql.Decolorize{}
	case n < 96:
		return &logql.DropLabels{Selectors: g.labelSelectors()}
	}
	return &logql.KeepLabels{Selectors: g.labelSelectors()}
}

func (g *Generator) lineFilter() *logql.LineFilter {
	f := &logql.LineFilter{Op: pick(g, logql.LineContains, logql.LineNotContains, logql.LineMatches, logql.LineNotMatches,
		logql.LinePattern, logql.LineNotPattern)}
	operands := 1
	if !f.Op.Negated() && g.chance(25) {
		operands += 1 + g.rand.IntN(2)
	}
	for range operands {
		f.Operands = append(f.Operands, g.lineFilterOperand(f.Op))
	}
	return f
}

func (g *Generator) lineFilterOperand(op logql.LineFilterOp) logql.LineFilterOperand {
	switch op {
	case logql.LineMatches, logql.LineNotMatches:
		return logql.LineFilterOperand{Text: g.regex()}
	case logql.LinePattern, logql.LineNotPattern:
		return logql.LineFilterOperand{Text: pick(g, "", "<_>", "error", "<_>error<_>", "a <_> b", "<_>\n")}
	}
	if g.chance(10) {
		return logql.LineFilterOperand{Text: g.ipPattern(), IP: true}
	}
	return logql.LineFilterOperand{Text: g.text()}
}

func (g *Generator) ipPattern() string {
	return pick(g, "10.0.0.1", "10.0.0.0/8", "10.0.0.1-10.0.0.9", "::1", "2001:db8::/32")
}

func (g *Generator) parser() logql.Stage {
	switch g.rand.IntN(6) {
	case 0:
		return &logql.JSONParser{}
	case 1:
		return &logql.JSONParser{Extractions: g.extractions("a", "a.b", "a[0].b", `["k k"]`, "[0]")}
	case 2:
		return &logql.LogfmtParser{Strict: g.chance(30), KeepEmpty: g.chance(30)}
	case 3:
		return &logql.LogfmtParser{Strict: g.chance(30), KeepEmpty: g.chance(30), Extractions: g.extractions("a", "level", "status")}
	case 4:
		return &logql.RegexpParser{Pattern: pick(g, "(?P<a>.*)", `(?P<status>\d+) (?P<x>.)`, "(?<n>a)|b")}
	}
	return pick[logql.Stage](g, &logql.UnpackParser{}, &logql.PatternParser{Pattern: pick(g, "<a>", "<a> - <_> [<b>]", "x\n<a>\"")})
}

func (g *Generator) extractions(paths ...string) []logql.Extraction {
	var list []logql.Extraction
	for range 1 + g.rand.IntN(2) {
		list = append(list, logql.Extraction{Name: g.name(), Path: pick(g, paths...)})
	}
	return list
}

func (g *Generator) template() string {
	return pick(g, "{{.app}}", "", "{{ .x | ToUpper }} - {{.level}}", "{{__line__}}!", "plain", `{{ if eq .level "error" }}E{{ else }}{{.x}}{{ end }}`)
}

// labelFormat sets each label once, as building the stage demands.
func (g *Generator) labelFormat() *logql.LabelFormat {
	f := &logql.LabelFormat{}
	seen := map[string]bool{}
	for range 1 + g.rand.IntN(3) {
		a := logql.LabelAssignment{Dst: g.name()}
		if seen[a.Dst] {
			continue
		}
		seen[a.Dst] = true
		if g.chance(50) {
			a.Rename, a.Src = true, g.name()
		} else {
			a.Template = g.template()
		}
		f.Assignments = append(f.Assignments, a)
	}
	return f
}

func (g *Generator) labelSelectors() []logql.LabelSelector {
	var list []logql.LabelSelector
	for range 1 + g.rand.IntN(3) {
		if g.chance(60) {
			list = append(list, logql.LabelSelector{Name: pick(g, g.name(), "__error__")})
			continue
		}
		m := g.matcher()
		list = append(list, logql.LabelSelector{Name: m.Name, Matcher: m})
	}
	return list
}

// Predicate makes a label filter's tree of at most the given number of levels.
func (g *Generator) Predicate(depth int) logql.LabelPredicate {
	if depth > 1 && g.chance(35) {
		return &logql.LogicalPredicate{Or: g.chance(50), Left: g.Predicate(depth - 1), Right: g.Predicate(depth - 1)}
	}
	op := pick(g, logql.CmpEqual, logql.CmpNotEqual, logql.CmpGreater, logql.CmpGreaterEqual, logql.CmpLess, logql.CmpLessEqual)
	switch g.rand.IntN(8) {
	case 0:
		return &logql.NumberPredicate{Name: g.name(), Op: op, Value: g.number()}
	case 1:
		return &logql.DurationPredicate{Name: g.name(), Op: op, Value: pick(g, g.duration(), -g.duration(), time.Duration(math.MaxInt64), 250*time.Microsecond)}
	case 2:
		return &logql.BytesPredicate{Name: g.name(), Op: op, Value: pick[uint64](g, 0, 1, 1000, 1024, 1500, 5<<20, 1e15, 1<<53, 123456789)}
	case 3:
		return &logql.IPPredicate{Name: g.name(), Negated: g.chance(50), Pattern: g.ipPattern()}
	}
	return &logql.StringPredicate{Matcher: g.matcher()}
}
