package pipeline

import (
	"fmt"

	"github.com/cambium-logs/cambium/pkg/logql"
)

// labelFormat is | label_format dst=src, msg="{{.a}} {{.b}}".
type labelFormat struct {
	assignments []assignment
	engine      bool // some template is not simple
}

// assignment is a rename, or a template.
type assignment struct {
	dst, src  int
	formatter *formatter // nil for a rename
}

func newLabelFormat(c *compiler, s *logql.LabelFormat) (stage, error) {
	f := &labelFormat{}
	seen := make(map[string]bool)
	for _, a := range s.Assignments {
		if a.Dst == ErrorLabel {
			return nil, stageError(s, fmt.Errorf("%s cannot be formatted", a.Dst))
		}
		if seen[a.Dst] {
			return nil, stageError(s, fmt.Errorf("multiple label name '%s' not allowed in a single format operation", a.Dst))
		}
		seen[a.Dst] = true
		x := assignment{dst: c.slot(a.Dst)}
		if a.Rename {
			x.src = c.slot(a.Src)
		} else {
			t, err := newFormatter(c, "label", a.Template)
			if err != nil {
				return nil, stageError(s, fmt.Errorf("invalid template for label '%s': %w", a.Dst, err))
			}
			x.formatter = t
			f.engine = f.engine || t.simple == nil
		}
		f.assignments = append(f.assignments, x)
	}
	return f, nil
}

// apply runs the assignments from left to right. Templates see the labels as they were at the first template.
func (f *labelFormat) apply(e *entry) bool {
	var snapshot map[string]string
	first := true
	for i := range f.assignments {
		a := &f.assignments[i]
		if a.formatter == nil {
			if v, ok := e.get(e.slots[a.src]); ok {
				e.set(e.slots[a.dst], v)
				e.delete(e.slots[a.src])
			}
			continue
		}
		if first {
			first = false
			f.formatEarly(e, i)
			if f.engine {
				snapshot = labelMaps.Get().(map[string]string)
				defer labelMaps.Put(snapshot)
				e.fillMap(snapshot)
			}
		}
		if a.formatter.simple != nil {
			if r := e.early[i]; r.err != nil {
				e.setError(ErrTemplateFormat, r.err.Error())
			} else {
				e.set(e.slots[a.dst], r.value)
			}
			continue
		}
		start := len(e.arena)
		out, err := a.formatter.format(e.arena, e, snapshot)
		if err != nil {
			e.setError(ErrTemplateFormat, err.Error())
			continue
		}
		e.arena = out
		e.set(e.slots[a.dst], viewString(out[start:]))
	}
	return true
}

// formatEarly runs the simple templates from the given assignment on, before any label changes.
func (f *labelFormat) formatEarly(e *entry, from int) {
	e.early = e.early[:0]
	for i := range f.assignments {
		a := &f.assignments[i]
		var r formatted
		if i >= from && a.formatter != nil && a.formatter.simple != nil {
			start := len(e.arena)
			e.arena, r.err = a.formatter.formatSimple(e.arena, e)
			r.value = viewString(e.arena[start:])
		}
		e.early = append(e.early, r)
	}
}
