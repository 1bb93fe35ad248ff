package pipeline

import (
	"regexp/syntax"
	"strings"
	"unicode"
)

// literal is a string that a regex needs, exactly or up to the case folding of (?i).
type literal struct {
	text string
	fold bool
}

// Bounds of the expansion of a regex into literals.
const (
	maxExpansion    = 64
	maxExpandedLen  = 256
	maxClassMembers = 16
)

// expand returns the strings that re matches, when they are few and it has no assertions. ok is false when it is not such a regex.
func expand(re *syntax.Regexp) (set []literal, ok bool) {
	switch re.Op {
	case syntax.OpEmptyMatch:
		return []literal{{}}, true
	case syntax.OpLiteral:
		return []literal{{string(re.Rune), re.Flags&syntax.FoldCase != 0 && hasFold(re.Rune)}}, true
	case syntax.OpCharClass:
		for i := 0; i+1 < len(re.Rune); i += 2 {
			for r := re.Rune[i]; r <= re.Rune[i+1]; r++ {
				if len(set) == maxClassMembers || r == unicode.ReplacementChar {
					return nil, false
				}
				set = append(set, literal{text: string(r)})
			}
		}
		return set, len(set) > 0
	case syntax.OpCapture:
		return expand(re.Sub[0])
	case syntax.OpQuest:
		set, ok = expand(re.Sub[0])
		return append(set, literal{}), ok
	case syntax.OpAlternate:
		for _, sub := range re.Sub {
			s, ok := expand(sub)
			if !ok || len(set)+len(s) > maxExpansion {
				return nil, false
			}
			set = append(set, s...)
		}
		return set, true
	case syntax.OpConcat:
		set = []literal{{}}
		for _, sub := range re.Sub {
			s, ok := expand(sub)
			if !ok {
				return nil, false
			}
			if set, ok = cross(set, s); !ok {
				return nil, false
			}
		}
		return set, true
	}
	return nil, false
}

func cross(a, b []literal) ([]literal, bool) {
	if len(a)*len(b) > maxExpansion {
		return nil, false
	}
	out := make([]literal, 0, len(a)*len(b))
	for _, x := range a {
		for _, y := range b {
			if len(x.text)+len(y.text) > maxExpandedLen || x.fold != y.fold && (x.fold && hasFold([]rune(y.text)) || y.fold && hasFold([]rune(x.text))) {
				return nil, false
			}
			out = append(out, literal{x.text + y.text, x.fold || y.fold})
		}
	}
	return out, true
}

func hasFold(rs []rune) bool {
	for _, r := range rs {
		if unicode.SimpleFold(r) != r {
			return true
		}
	}
	return false
}

// required returns sets of literals: whatever re matches contains at least one literal of every set. A regex that promises
// nothing gives no sets.
func required(re *syntax.Regexp) [][]literal {
	if set, ok := expand(re); ok {
		for _, l := range set {
			if l.text == "" || strings.ContainsRune(l.text, unicode.ReplacementChar) {
				return nil
			}
		}
		return [][]literal{set}
	}
	switch re.Op {
	case syntax.OpCapture, syntax.OpPlus:
		return required(re.Sub[0])
	case syntax.OpRepeat:
		if re.Min > 0 {
			return required(re.Sub[0])
		}
	case syntax.OpConcat:
		return requiredOfConcat(re.Sub)
	case syntax.OpAlternate:
		var union []literal
		for _, sub := range re.Sub {
			best := mostSelective(required(sub))
			if best == nil || len(union)+len(best) > maxExpansion {
				return nil
			}
			union = append(union, best...)
		}
		return [][]literal{union}
	}
	return nil
}

// requiredOfConcat joins neighbours that expand, so that longer literals come out.
func requiredOfConcat(subs []*syntax.Regexp) [][]literal {
	var out [][]literal
	run := []literal{{}}
	flush := func() {
		for _, l := range run {
			if l.text == "" || strings.ContainsRune(l.text, unicode.ReplacementChar) {
				run = []literal{{}}
				return
			}
		}
		out = append(out, run)
		run = []literal{{}}
	}
	for _, sub := range subs {
		set, ok := expand(sub)
		if !ok {
			flush()
			out = append(out, required(sub)...)
			continue
		}
		if joined, ok := cross(run, set); ok {
			run = joined
			continue
		}
		flush()
		run = set
	}
	flush()
	return out
}

// mostSelective returns the set whose shortest literal is the longest, preferring few literals.
func mostSelective(sets [][]literal) []literal {
	var best []literal
	score := func(set []literal) int {
		short := maxExpandedLen
		for _, l := range set {
			short = min(short, len(l.text))
		}
		return short*maxExpansion - len(set)
	}
	for _, set := range sets {
		if best == nil || score(set) > score(best) {
			best = set
		}
	}
	return best
}

// unwrapDotStar strips what an unanchored search may leave out: .* at both ends, and captures around the whole.
func unwrapDotStar(re *syntax.Regexp) *syntax.Regexp {
	for {
		switch {
		case re.Op == syntax.OpCapture:
			re = re.Sub[0]
			continue
		case re.Op == syntax.OpConcat:
			subs := re.Sub
			for len(subs) > 0 && optional(subs[0]) {
				subs = subs[1:]
			}
			for len(subs) > 0 && optional(subs[len(subs)-1]) {
				subs = subs[:len(subs)-1]
			}
			if len(subs) == len(re.Sub) {
				return re
			}
			switch len(subs) {
			case 0:
				return &syntax.Regexp{Op: syntax.OpEmptyMatch}
			case 1:
				re = subs[0]
				continue
			}
			c := *re
			c.Sub = subs
			return &c
		case optional(re):
			return &syntax.Regexp{Op: syntax.OpEmptyMatch}
		}
		return re
	}
}

// optional reports whether re matches the empty string wherever it stands, whatever surrounds it.
func optional(re *syntax.Regexp) bool {
	return re.Op == syntax.OpStar || re.Op == syntax.OpQuest || re.Op == syntax.OpRepeat && re.Min == 0
}
