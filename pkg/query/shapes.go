package query

import (
	"github.com/cambium-logs/cambium/pkg/logql/pipeline"
	"github.com/cambium-logs/cambium/pkg/storage/chunk"
)

// shapes remembers what a stream's parser makes of the skeletons of the chunks that are being read.
type shapes struct {
	of   func(pipeline.Skeleton) *pipeline.Shaped // nil when nothing can be had from skeletons
	seen map[*chunk.Shape]*pipeline.Shaped

	last       *chunk.Shape // the one found last
	lastShaped *pipeline.Shaped
}

// maxShapes bounds what is remembered; skeletons belong to chunks, of which a long walk meets many.
const maxShapes = 1 << 12

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
	shaped, known := s.seen[shape]
	if !known {
		if s.seen == nil || len(s.seen) >= maxShapes {
			s.seen = map[*chunk.Shape]*pipeline.Shaped{}
		}
		shaped = s.of(shape)
		s.seen[shape] = shaped
	}
	s.last, s.lastShaped = shape, shaped
	return shaped, at
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
