package chunk

import "github.com/prometheus/prometheus/model/labels"

// Layout is what is known of all rows of a chunk at once: what Shape and Metadata give row by row. Its slices must not be changed.
type Layout struct {
	Shapes   []Shape          // the skeletons of lines
	Metadata [][]labels.Label // the sets of structured metadata that rows may have, as far as it was asked for

	shapes []uint16 // per row: its skeleton; nil when all have the first
	at     []int32  // per row, where shapes is not nil: which of the skeleton's lines it is
	sets   []uint16 // per row: its set of structured metadata; nil when all have the first
}

// Layouter is what a Reader implements that may know a Layout. It has none when lines have no skeletons, or when there are many sets of metadata.
type Layouter interface {
	// Layout leaves out structured metadata that is not wanted; all of it is when wanted is nil.
	Layout(wanted func(name string) bool) (*Layout, bool)
	// Timestamps gives those of all rows; they must not be changed.
	Timestamps() []int64
}

// Shape gives a row's skeleton by its place in Shapes, and which of the skeleton's lines the row is.
func (l *Layout) Shape(row int) (shape, at int) {
	if l.shapes == nil {
		return 0, row
	}
	return int(l.shapes[row]), int(l.at[row])
}

// Set gives a row's structured metadata by its place in Metadata.
func (l *Layout) Set(row int) int {
	if l.sets == nil {
		return 0
	}
	return int(l.sets[row])
}

// Layout implements Layouter.
func (r *columnReader) Layout(wanted func(name string) bool) (*Layout, bool) {
	l := &Layout{Metadata: [][]labels.Label{nil}}
	if r.metadata.stored != nil {
		if m := r.metadata.columns(); m.each != nil {
			lists := m.listsOf(wanted)
			if !lists.few {
				return nil, false
			}
			l.Metadata, l.sets = lists.lists, lists.rows
		}
	}
	if l.Shapes, l.shapes, l.at = r.lines.Shapes(); l.Shapes == nil {
		return nil, false
	}
	return l, true
}

// Timestamps implements Layouter.
func (r *columnReader) Timestamps() []int64 { return r.times.All() }
