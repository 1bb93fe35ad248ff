package pipeline

import (
	"fmt"
	"sync"

	"github.com/cambium-logs/cambium/pkg/logql"
)

// lineFormat is | line_format "{{.method}} {{.path}}". An entry whose template fails keeps its line.
type lineFormat struct{ formatter *formatter }

func newLineFormat(s *logql.LineFormat) (stage, error) {
	f, err := newFormatter("line", s.Template)
	if err != nil {
		return nil, stageError(s, fmt.Errorf("invalid line template: %w", err))
	}
	return &lineFormat{f}, nil
}

func (l *lineFormat) apply(e *entry) bool {
	m := labelMaps.Get().(map[string]string)
	defer labelMaps.Put(m)
	e.fillMap(m)
	start := len(e.arena)
	out, err := l.formatter.format(e.arena, e, m)
	if err != nil {
		e.setError(ErrTemplateFormat, err.Error())
		return true
	}
	e.arena = out
	e.line = out[start:]
	return true
}

// labelMaps pools what templates run on.
var labelMaps = sync.Pool{New: func() any { return make(map[string]string) }}
