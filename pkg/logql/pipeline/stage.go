package pipeline

// stage is one compiled step. Stages are immutable: what changes lives in the entry.
type stage interface {
	// apply handles the entry and reports whether it is kept.
	apply(e *entry) bool
}

// slots gives numbers to the label names that stages refer to; each stream resolves them once.
type slots struct {
	names []string
	index map[string]int
}

func (s *slots) slot(name string) int {
	if i, ok := s.index[name]; ok {
		return i
	}
	if s.index == nil {
		s.index = make(map[string]int)
	}
	i := len(s.names)
	s.names = append(s.names, name)
	s.index[name] = i
	return i
}

// compiler carries what the stages of one pipeline share while they are built.
type compiler struct {
	slots
	needs *needs
}
