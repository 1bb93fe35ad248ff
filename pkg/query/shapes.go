package query

import (
	"github.com/cambium-logs/cambium/pkg/logql/pipeline"
	"github.com/cambium-logs/cambium/pkg/storage/chunk"
)

// shapes remembers what a stream's parser makes of the skeletons of the chunks that are being read.
type shapes struct {
	of   func(pipeline.Skeleton) *pipeline.Shaped // nil when nothing can be had from skeletons
	seen shapeMap[*pipeline.Shaped]

	last       *chunk.Shape // the one found last
	lastShaped *pipeline.Shaped
}

// maxShapes bounds what is remembered of one chunk.
const maxShapes = 1 << 12

// shapeMap remembers something for the skeletons of the chunks that are open. Skeletons hold on to what was decoded of their chunk, so that those
// of closed chunks are forgotten: a walk may meet many.
type shapeMap[T any] struct {
	by     map[*source]map[*chunk.Shape]T
	last   *source
	ofLast map[*chunk.Shape]T
}

// at gives what is remembered for the skeletons of a chunk.
func (m *shapeMap[T]) at(s *source) map[*chunk.Shape]T {
	if s == m.last {
		return m.ofLast
	}
	known := m.by[s]
	if known == nil {
		if m.by == nil {
			m.by = map[*source]map[*chunk.Shape]T{}
		}
		for old := range m.by {
			if old.closed {
				delete(m.by, old)
			}
		}
		known = map[*chunk.Shape]T{}
		m.by[s] = known
	}
	m.last, m.ofLast = s, known
	return known
}

// get gives what is remembered for a skeleton of a chunk, made where it was not met yet.
func (m *shapeMap[T]) get(s *source, shape *chunk.Shape, create func() T) T {
	known := m.at(s)
	found, ok := known[shape]
	if !ok {
		if len(known) >= maxShapes {
			clear(known)
		}
		found = create()
		known[shape] = found
	}
	return found
}

// find gives what the parser makes of the line at the cursor, and which of its skeleton's lines it is; nil when the line must be parsed itself.
func (s *shapes) find(c *cursor) (*pipeline.Shaped, int) {
	if s.of == nil {
		return nil, 0
	}
	if c.src.shaper == nil {
		return nil, 0
	}
	shape, at := c.src.shaper.Shape(c.row)
	if shape == nil {
		return nil, 0
	}
	if shape == s.last {
		return s.lastShaped, at
	}
	return s.shaped(c.src, shape), at
}

// shaped gives what the parser makes of the lines of a chunk's skeleton; nil when they must be parsed themselves.
func (s *shapes) shaped(src *source, shape *chunk.Shape) *pipeline.Shaped {
	shaped := s.seen.get(src, shape, func() *pipeline.Shaped { return s.of(shape) })
	s.last, s.lastShaped = shape, shaped
	return shaped
}

// sampleRow makes a sample of the entry at the cursor, from columns where they suffice.
func sampleRow(c *cursor, stream *pipeline.StreamSampler, s *shapes) (value float64, result *pipeline.LabelsResult, keep bool) {
	if shaped, at := s.find(c); shaped != nil {
		return stream.ProcessShaped(c.ts, shaped, at, c.metadata())
	}
	return stream.Process(c.ts, c.line(), c.metadata())
}

// filterRow reports whether the pipeline may keep the entry at the cursor.
func filterRow(c *cursor, f *pipeline.StreamFilter, s *shapes) bool {
	shaped, at := s.find(c)
	return shaped == nil || f.Keeps(c.ts, shaped, at, c.metadata())
}
