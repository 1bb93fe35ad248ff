package pipeline

import (
	"bytes"
	"unicode"
	"unicode/utf8"
)

// foldMatcher finds an ASCII text in any letter case, as (?i) does.
//
// Unicode folds two characters outside ASCII to ASCII letters, U+017F to s and U+212A to k. A regex that is nothing but the text
// does not match them, in Loki and here; where the text only filters for a regex, lines that hold one of them pass.
type foldMatcher struct {
	lower  []byte
	probe  int // index of the byte searched for, the rarest one
	lo, up byte
	pass   [][]byte // characters that let a line pass
}

// newFoldMatcher returns false when the text is not ASCII.
func newFoldMatcher(text string, exact bool) (lineMatcher, bool) {
	m := &foldMatcher{}
	for i := range len(text) {
		c := text[i]
		if c >= utf8.RuneSelf {
			return nil, false
		}
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		m.lower = append(m.lower, c)
		if rarity(c) > rarity(m.lower[m.probe]) {
			m.probe = i
		}
	}
	if !exact && bytes.IndexByte(m.lower, 's') >= 0 {
		m.pass = append(m.pass, []byte("\u017f"))
	}
	if !exact && bytes.IndexByte(m.lower, 'k') >= 0 {
		m.pass = append(m.pass, []byte("\u212a"))
	}
	m.lo = m.lower[m.probe]
	m.up = byte(unicode.ToUpper(rune(m.lo)))
	return m, true
}

// rarity ranks bytes by how seldom logs hold them.
func rarity(c byte) int {
	const common = "zqjx_&?@#!\"'vkwybgfpmuhldcnsr oiat e0123456789.-:/="
	if i := bytes.IndexByte([]byte(common), c); i >= 0 {
		return len(common) - i
	}
	return len(common) + 1
}

func (m *foldMatcher) match(line []byte) bool {
	if m.find(line) {
		return true
	}
	for _, p := range m.pass {
		if bytes.Contains(line, p) {
			return true
		}
	}
	return false
}

func (m *foldMatcher) find(line []byte) bool {
	if len(line) < len(m.lower) {
		return false
	}
	end := len(line) - (len(m.lower) - 1 - m.probe) // the probe cannot stand at or behind end
	lo, up := m.probe, m.probe                      // where to search on for either case
	lo = next(line, lo, end, m.lo)
	if m.up == m.lo {
		up = end
	} else {
		up = next(line, up, end, m.up)
	}
	for lo < end || up < end {
		at := min(lo, up)
		if equalFoldASCII(line[at-m.probe:at-m.probe+len(m.lower)], m.lower) {
			return true
		}
		if at == lo {
			lo = next(line, lo+1, end, m.lo)
		} else {
			up = next(line, up+1, end, m.up)
		}
	}
	return false
}

// next returns the index of c in line[from:end], or end.
func next(line []byte, from, end int, c byte) int {
	if from >= end {
		return end
	}
	if i := bytes.IndexByte(line[from:end], c); i >= 0 {
		return from + i
	}
	return end
}

// equalFoldASCII compares with a lower-case text of the same length.
func equalFoldASCII(b, lower []byte) bool {
	for i, c := range b {
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		if c != lower[i] {
			return false
		}
	}
	return true
}
