package deletes

import (
	"github.com/prometheus/prometheus/model/labels"

	"github.com/cambium-logs/cambium/pkg/storage/chunk"
)

// keptRows is an opened chunk without some of its rows. It implements chunk.Reader, chunk.Searcher and chunk.Shaper.
type keptRows struct {
	chunk.Reader
	rows []int32 // of Reader, ascending
}

func newKeptRows(r chunk.Reader, hidden chunk.Rows) *keptRows {
	k := &keptRows{Reader: r}
	for row := range r.Len() {
		if !hidden.Has(row) {
			k.rows = append(k.rows, int32(row))
		}
	}
	return k
}

// Len implements chunk.Reader.
func (k *keptRows) Len() int { return len(k.rows) }

// Timestamp implements chunk.Reader.
func (k *keptRows) Timestamp(row int) int64 { return k.Reader.Timestamp(int(k.rows[row])) }

// Line implements chunk.Reader.
func (k *keptRows) Line(row int, buf []byte) []byte { return k.Reader.Line(int(k.rows[row]), buf) }

// Metadata implements chunk.Reader.
func (k *keptRows) Metadata(row int, buf []labels.Label) []labels.Label {
	return k.Reader.Metadata(int(k.rows[row]), buf)
}

// Err tells what was found wrong while lines were rebuilt.
func (k *keptRows) Err() error {
	return chunk.Fault(k.Reader)
}

// Search implements chunk.Searcher.
func (k *keptRows) Search(needle []byte, rows chunk.Rows) {
	s, ok := k.Reader.(chunk.Searcher)
	if !ok {
		rows.AddAll(len(k.rows))
		return
	}
	inner := chunk.NewRows(k.Reader.Len())
	s.Search(needle, inner)
	for i, row := range k.rows {
		if inner.Has(int(row)) {
			rows.Add(i)
		}
	}
}

// Shape implements chunk.Shaper.
func (k *keptRows) Shape(row int) (*chunk.Shape, int) {
	if s, ok := k.Reader.(chunk.Shaper); ok {
		return s.Shape(int(k.rows[row]))
	}
	return nil, 0
}
