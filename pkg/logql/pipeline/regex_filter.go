package pipeline

import (
	"bytes"
	"regexp"
	"regexp/syntax"
)

// regexMatcher is |~ "re": an unanchored search that runs the regex engine only on lines that hold a literal the regex needs.
type regexMatcher struct {
	re *regexp.Regexp
	// need must all match before re is tried.
	need []lineMatcher
}

// newRegexMatcher returns the cheapest matcher for an unanchored search. '.' does not match a line feed unless the regex says so.
func newRegexMatcher(text string) (lineMatcher, error) {
	re, err := regexp.Compile(text)
	if err != nil {
		return nil, err
	}
	parsed, err := syntax.Parse(text, syntax.Perl)
	if err != nil {
		return nil, err
	}
	core := unwrapDotStar(parsed.Simplify())
	if set, ok := expand(core); ok {
		if m, ok := literalMatcher(set, true); ok {
			return m, nil
		}
	}
	m := &regexMatcher{re: re}
	for _, set := range required(core) {
		if lm, ok := literalMatcher(set, false); ok {
			m.need = append(m.need, lm)
		}
	}
	return m, nil
}

func (m *regexMatcher) match(line []byte) bool {
	for _, n := range m.need {
		if !n.match(line) {
			return false
		}
	}
	return m.re.Match(line)
}

// always matches every line.
type always struct{}

func (always) match([]byte) bool { return true }

// literalMatcher makes a matcher for lines with at least one literal of the set: exactly those lines, or possibly more. ok is false when the set cannot be searched for, as with U+FFFD, which a regex also
// finds where the line is not valid UTF-8.
func literalMatcher(set []literal, exact bool) (m lineMatcher, ok bool) {
	var plain [][]byte
	var out anyMatcher
	for _, l := range set {
		if bytes.ContainsRune([]byte(l.text), '\uFFFD') {
			return nil, false
		}
		if l.text == "" {
			return always{}, true
		}
		if !l.fold {
			plain = append(plain, []byte(l.text))
			continue
		}
		f, ok := newFoldMatcher(l.text, exact)
		if !ok {
			return nil, false
		}
		out = append(out, f)
	}
	if len(plain) > 3 {
		out = append(out, newMultiMatcher(plain))
	} else {
		for _, p := range plain {
			out = append(out, containsMatcher(p))
		}
	}
	if len(out) == 1 {
		return out[0], true
	}
	return out, true
}

type anyMatcher []lineMatcher

func (a anyMatcher) match(line []byte) bool {
	for _, m := range a {
		if m.match(line) {
			return true
		}
	}
	return false
}

// multiMatcher finds any of several substrings in one pass, by the first two bytes.
type multiMatcher struct {
	first [256]bool
	pair  [1 << 16 / 64]uint64
	by    [256][][]byte // candidates by first byte
	one   bool          // some candidate has a single byte
}

func newMultiMatcher(set [][]byte) *multiMatcher {
	m := &multiMatcher{}
	for _, s := range set {
		m.first[s[0]] = true
		m.by[s[0]] = append(m.by[s[0]], s)
		if len(s) == 1 {
			for c := range 256 {
				m.setPair(s[0], byte(c))
			}
			m.one = true
			continue
		}
		m.setPair(s[0], s[1])
	}
	return m
}

func (m *multiMatcher) setPair(a, b byte) {
	i := uint(a)<<8 | uint(b)
	m.pair[i/64] |= 1 << (i % 64)
}

func (m *multiMatcher) match(line []byte) bool {
	if len(line) == 0 {
		return false
	}
	for i := 0; i+1 < len(line); i++ {
		if !m.first[line[i]] {
			continue
		}
		k := uint(line[i])<<8 | uint(line[i+1])
		if m.pair[k/64]&(1<<(k%64)) == 0 {
			continue
		}
		for _, s := range m.by[line[i]] {
			if bytes.HasPrefix(line[i:], s) {
				return true
			}
		}
	}
	if m.one {
		for _, s := range m.by[line[len(line)-1]] {
			if len(s) == 1 {
				return true
			}
		}
	}
	return false
}
