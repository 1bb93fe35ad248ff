package query

import (
	"github.com/cambium-logs/cambium/pkg/logql/pipeline"
	"github.com/cambium-logs/cambium/pkg/storage/chunk"
)

// lanes tell what becomes of the rows of a chunk that is laid out, by their skeletons and their sets of structured metadata.
type lanes struct {
	reads  func(name string) bool // structured metadata that decides; nil = all
	of     *source
	layout *chunk.Layout // nil when the chunk cannot be laid out
	list   []lane        // of each skeleton and set
}

// lane is what is known of the lines of a skeleton with a set of metadata.
type lane struct {
	known    bool
	outcomes *pipeline.Outcomes // nil: lines are processed one by one
}

// maxLanes bounds the lanes of a chunk.
const maxLanes = 1 << 14

// layOut lays out a chunk, and reports whether that can be done.
func (l *lanes) layOut(src *source) bool {
	if l.of == src {
		return l.layout != nil
	}
	*l = lanes{reads: l.reads, of: src}
	if r, ok := src.reader.(chunk.Layouter); ok {
		if layout, ok := r.Layout(l.reads); ok && len(layout.Shapes)*len(layout.Metadata) <= maxLanes {
			l.layout, l.list = layout, make([]lane, len(layout.Shapes)*len(layout.Metadata))
		}
	}
	return l.layout != nil
}

// times gives the timestamps of the chunk's rows.
func (l *lanes) times() []int64 { return l.of.reader.(chunk.Layouter).Timestamps() }

// outcomes gives those of a skeleton and a set of metadata.
func (l *lanes) outcomes(columns *shapes, shape, set int) *pipeline.Outcomes {
	at := &l.list[shape*len(l.layout.Metadata)+set]
	if !at.known {
		at.known = true
		if shaped := columns.shaped(l.of, &l.layout.Shapes[shape]); shaped != nil {
			at.outcomes = shaped.Outcomes(l.layout.Metadata[set])
		}
	}
	return at.outcomes
}

// keptRows gives the rows of a chunk, from one on and before another, that a filter may keep; nil when all have to be looked at.
func (l *lanes) keptRows(src *source, f *pipeline.StreamFilter, columns *shapes, from, end int) chunk.Rows {
	if end-from < minStretch || !l.layOut(src) {
		return nil
	}
	rows := chunk.NewRows(src.reader.Len())
	for row := from; row < end; row++ {
		id, at := l.layout.Shape(row)
		if outcomes := l.outcomes(columns, id, l.layout.Set(row)); outcomes == nil || f.KeepsOutcome(outcomes, at) {
			rows.Add(row)
		}
	}
	return rows
}
