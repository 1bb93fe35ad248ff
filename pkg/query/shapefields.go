package query

import (
	"github.com/prometheus/prometheus/model/labels"

	"github.com/cambium-logs/cambium/pkg/logql/pipeline"
	"github.com/cambium-logs/cambium/pkg/storage/chunk"
)

// shapeFields are the fields of the lines of one skeleton.
type shapeFields struct {
	shape  *chunk.Shape
	fields []shapeField
	keys   map[string]struct{}
	once   bool // the constant ones were added
}

// shapeField is a field that is a variable of the skeleton, or the same in all of its lines.
type shapeField struct {
	pipeline.Extraction
	summary *fieldSummary
	codes   []uint64 // of the lines' values, where they are numbered
	seen    []bool   // which numbers were met
}

// use makes the fields of what a parser extracts.
func (s *shapeFields) use(w *fieldWalk, parser string, list []pipeline.Extraction) {
	s.keys = make(map[string]struct{}, len(list))
	var paths map[string][]string
	if parser == "json" {
		paths = jsonPaths(firstLine(s.shape))
	}
	for _, x := range list {
		s.keys[x.Key], s.keys[x.Name] = struct{}{}, struct{}{}
		f := w.found.of(x.Name)
		if f == nil {
			continue
		}
		f.addParser(parser, paths[x.Key])
		field := shapeField{Extraction: x, summary: f}
		if x.Slot >= 0 {
			if codes, distinct := s.shape.Codes(x.Slot); distinct > 0 {
				field.codes, field.seen = codes, make([]bool, distinct)
			}
		}
		s.fields = append(s.fields, field)
	}
}

// firstLine rebuilds a line of a skeleton.
func firstLine(shape *chunk.Shape) []byte {
	pieces := shape.Pieces()
	line := append([]byte(nil), pieces[0]...)
	for slot, piece := range pieces[1:] {
		line = append(shape.Append(line, slot, 0), piece...)
	}
	return line
}

// collides reports whether structured metadata has a name that the stream has or a parser extracts, so that one of the two is shown under another
// name or not at all, or that of an error.
func (s *shapeFields) collides(stream labels.Labels, metadata []labels.Label) bool {
	for _, l := range metadata {
		if _, ok := s.keys[l.Name]; ok || stream.Has(l.Name) || l.Name == pipeline.ErrorLabel || l.Name == pipeline.ErrorDetailsLabel {
			return true
		}
	}
	return false
}

// add adds the fields of the at-th line.
func (s *shapeFields) add(w *fieldWalk, at int) {
	for i := range s.fields {
		f := &s.fields[i]
		switch {
		case f.Slot < 0:
			if !s.once {
				f.summary.add([]byte(f.Value))
			}
			continue
		case f.seen != nil:
			code := uint64(0)
			if f.codes != nil {
				code = f.codes[at]
			}
			if f.seen[code] {
				continue
			}
			f.seen[code] = true
		}
		w.buf = s.shape.Append(w.buf[:0], f.Slot, at)
		if f.Token && string(w.buf) == "null" || f.Filled && len(w.buf) == 0 {
			continue
		}
		f.summary.add(w.buf)
	}
	s.once = true
}
