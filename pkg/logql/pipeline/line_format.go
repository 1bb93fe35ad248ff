package pipeline

import (
	"fmt"
	"sync"

	"github.com/cambium-logs/cambium/pkg/logql"
)

// lineFormat is | line_format "{{.method}} {{.path}}". An entry whose template fails keeps its line.
type lineFormat struct{ formatter *formatter }

func newLineFormat(c *compiler, s *logql.LineFormat) (stage, error) {
	f, err := newFormatter(c, "line", s.Template)
	if err != nil {
		return nil, stageError(s, fmt.Errorf("invalid line template: %w", err))
	}
	return &lineFormat{f}, nil
}

func (l *lineFormat) apply(e *entry) bool {
	start := len(e.arena)
	if l.formatter.simple != nil {
		out, err := l.formatter.formatSimple(e.arena, e)
		return l.replace(e, start, out, err)
	}
	m := labelMaps.Get().(map[string]string)
	defer labelMaps.Put(m)
	e.fillMap(m)
	out, err := l.formatter.format(e.arena, e, m)
	return l.replace(e, start, out, err)
}

// replace makes arena[start:] the line.
func (l *lineFormat) replace(e *entry, start int, arena []byte, err error) bool {
	if err != nil {
		e.setError(ErrTemplateFormat, err.Error())
		return true
	}
	e.arena = arena
	e.line = arena[start:]
	return true
}

// labelMaps pools what templates run on.
var labelMaps = sync.Pool{New: func() any { return make(map[string]string) }}
