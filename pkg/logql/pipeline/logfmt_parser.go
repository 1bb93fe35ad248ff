package pipeline

// logfmtParser is | logfmt: every pair becomes a label. Malformed pairs are skipped, or end the parsing with an error if strict.
type logfmtParser struct {
	strict    bool
	keepEmpty bool
}

func (p *logfmtParser) apply(e *entry) bool {
	s := logfmtScanner{line: e.line}
	for pos := 0; !e.satisfied() && s.next(); pos++ {
		if s.err.what == "" {
			p.pair(e, &s, pos)
		}
		if s.err.what != "" && p.strict {
			e.setError(ErrLogfmtParser, s.err.Error())
			return true
		}
	}
	return true
}

func (p *logfmtParser) pair(e *entry, s *logfmtScanner, pos int) {
	k := e.keys.find(e, s.key, pos)
	if !k.wanted || k.label == nil {
		if p.strict && s.escaped {
			s.text(e)
		}
		return
	}
	if len(s.value) == 0 && !p.keepEmpty {
		return
	}
	if t := e.target(k.label); t != nil {
		if v := s.text(e); s.err.what == "" {
			e.add(t, v)
		}
	} else if s.escaped {
		s.text(e)
	}
}
