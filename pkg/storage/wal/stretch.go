package wal

// stretch is a part of a file in which each stream is declared before its first entries there.
type stretch struct {
	number   uint64
	entries  int64 // bytes of records of entries
	declared int64 // bytes of declarations
}

const (
	// minStretch is how many bytes of entries a stretch has at least; declarationShare how many times as many as its declarations take.
	minStretch       = 1 << 20
	declarationShare = 16
)

func (s *stretch) next() { *s = stretch{number: s.number + 1} }

// add counts a record of entries and the declarations before it. When they fill the stretch what comes next is in the next one.
func (s *stretch) add(entries, declared int64) {
	s.entries += entries
	s.declared += declared
	if s.entries >= max(minStretch, declarationShare*s.declared) {
		s.next()
	}
}
