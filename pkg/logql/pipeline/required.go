package pipeline

import (
	"regexp/syntax"
	"slices"
	"strings"

	"github.com/cambium-logs/cambium/pkg/logql"
)

// RequiredLiterals returns texts that every line must contain, as it is stored, to be kept by the stages: for skip filters and for
// looking before opening. They come from |=, from the literals that every match of a |~ contains, and from |>. Texts contained in
// another one are left out. The result is empty when nothing is required.
func RequiredLiterals(stages []logql.Stage) []string {
	var out []string
	for _, set := range RequiredAnyOf(stages) {
		if len(set) == 1 {
			out = append(out, set[0])
		}
	}
	return withoutContained(out)
}

// RequiredAnyOf is like RequiredLiterals for alternatives: a line that is kept contains at least one text of every set.
func RequiredAnyOf(stages []logql.Stage) [][]string {
	var out [][]string
	for _, s := range reorder(stages) {
		switch s := s.(type) {
		case *logql.LineFilter:
			out = append(out, requiredByFilter(s)...)
		case *logql.LineFormat, *logql.UnpackParser, *logql.Decolorize:
			return out // behind it the line is no longer the stored one
		}
	}
	return out
}

func requiredByFilter(f *logql.LineFilter) [][]string {
	if f.Op != logql.LineContains && f.Op != logql.LineMatches && f.Op != logql.LinePattern {
		return nil
	}
	var alternatives [][][]string // per operand
	for _, o := range f.Operands {
		if o.IP {
			return nil
		}
		sets, all := requiredByOperand(f.Op, o.Text)
		if all && len(f.Operands) > 1 {
			continue
		}
		alternatives = append(alternatives, sets)
	}
	if len(alternatives) == 1 {
		return alternatives[0]
	}
	var union []string
	for _, sets := range alternatives {
		best := bestSet(sets)
		if best == nil || len(union)+len(best) > maxExpansion {
			return nil
		}
		union = append(union, best...)
	}
	if union == nil {
		return nil
	}
	return [][]string{union}
}

// requiredByOperand returns the sets of one operand, and whether it matches every line.
func requiredByOperand(op logql.LineFilterOp, text string) (sets [][]string, all bool) {
	switch op {
	case logql.LineContains:
		if text == "" {
			return nil, true
		}
		return [][]string{{text}}, false
	case logql.LinePattern:
		for _, n := range parsePattern(text) {
			if !n.isCapture() {
				sets = append(sets, []string{n.literal})
			}
		}
		return sets, false
	}
	re, err := syntax.Parse(text, syntax.Perl)
	if err != nil {
		return nil, false
	}
	core := unwrapDotStar(re.Simplify())
	if core.Op == syntax.OpEmptyMatch {
		return nil, true
	}
	for _, set := range required(core) {
		texts := make([]string, 0, len(set))
		for _, l := range set {
			if l.fold {
				texts = nil
				break
			}
			texts = append(texts, l.text)
		}
		if texts != nil {
			sets = append(sets, texts)
		}
	}
	return sets, false
}

func bestSet(sets [][]string) []string {
	var best []string
	shortest := func(set []string) int {
		n := maxExpandedLen
		for _, s := range set {
			n = min(n, len(s))
		}
		return n
	}
	for _, set := range sets {
		if best == nil || shortest(set) > shortest(best) {
			best = set
		}
	}
	return best
}

func withoutContained(texts []string) []string {
	var out []string
	for i, t := range texts {
		contained := false
		for j, o := range texts {
			contained = contained || i != j && containsText(o, t) && (o != t || j < i)
		}
		if !contained {
			out = append(out, t)
		}
	}
	return out
}

func containsText(s, sub string) bool { return containsMatcher(sub).match([]byte(s)) }

// SearchWords returns the texts that the line filters look for, for highlighting them in a result: the operands of |= and |>, and the
// literals that regexes need. Negated filters have none.
func SearchWords(stages []logql.Stage) []string {
	var out []string
	for _, s := range stages {
		f, ok := s.(*logql.LineFilter)
		if !ok {
			continue
		}
		for _, o := range f.Operands {
			if o.IP || f.Op != logql.LineContains && f.Op != logql.LineMatches && f.Op != logql.LinePattern {
				continue
			}
			out = append(out, searchWords(f.Op, o.Text)...)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func searchWords(op logql.LineFilterOp, text string) []string {
	var out []string
	if op != logql.LineMatches {
		sets, _ := requiredByOperand(op, text)
		for _, set := range sets {
			out = append(out, set...)
		}
		return out
	}
	re, err := syntax.Parse(text, syntax.Perl)
	if err != nil {
		return nil
	}
	for _, set := range required(unwrapDotStar(re.Simplify())) {
		for _, l := range set {
			text := l.text
			if l.fold {
				text = strings.ToLower(text)
			}
			out = append(out, text)
		}
	}
	return out
}
