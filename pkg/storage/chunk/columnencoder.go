package chunk

import (
	"encoding/binary"
	"slices"
	"sync"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/cambium-logs/cambium/pkg/storage/chunk/columnar"
)

// columnEncoder makes the parts of columnar chunks, one after the other, in room that it keeps.
type columnEncoder struct {
	columns *columnar.Encoder
	times   []int64
	lines   [][]byte
	numbers []uint64

	timePart, linePart, metadataPart []byte

	text   []byte     // values of structured metadata
	values [][][]byte // of each name
	refs   []uint64   // names of the row before
	key    []byte
}

var columnEncoders = sync.Pool{New: func() any { return &columnEncoder{columns: columnar.NewEncoder()} }}

// keptRows is how many rows a chunk may have for the room it took to be kept.
const keptRows = 1 << 18

func (columns) encode(dst []byte, entries []Entry, _ Meta) ([]byte, error) {
	e := columnEncoders.Get().(*columnEncoder)
	dst = appendParts(dst, e.encode(entries))
	if len(entries) <= keptRows {
		columnEncoders.Put(e)
	}
	return dst, nil
}

// encode gives the parts, which are valid until the next call.
func (e *columnEncoder) encode(entries []Entry) []part {
	n := len(entries)
	e.times = slices.Grow(e.times[:0], n)[:n]
	e.lines = slices.Grow(e.lines[:0], n)[:n]
	e.numbers = slices.Grow(e.numbers[:0], n)[:n]
	defer clear(e.lines) // they belong to others
	hasMetadata := false
	last := entries[0].Timestamp
	for i := range entries {
		at := entries[i].Timestamp
		e.times[i], e.lines[i], e.numbers[i] = at, entries[i].Line, uint64(at-last)
		last = at
		hasMetadata = hasMetadata || len(entries[i].Metadata) > 0
	}
	e.timePart = e.columns.Ints(e.timePart[:0], e.numbers)
	e.linePart = e.columns.Column(e.linePart[:0], e.lines, e.times)
	parts := []part{rawPart(partColumnTimes, e.timePart), rawPart(partColumnLines, e.linePart)}
	if hasMetadata {
		e.metadataPart = e.metadata(e.metadataPart[:0], entries)
		parts = append(parts, rawPart(partColumnMetadata, e.metadataPart))
	}
	return parts
}

// metadata appends the names, which of them each row has (as an index into a table of sets), and per name a column of the
// values of the rows that have it.
func (e *columnEncoder) metadata(dst []byte, entries []Entry) []byte {
	names := dictionary{refs: map[string]uint64{}}
	sets := dictionary{refs: map[string]uint64{}}
	ids := e.numbers[:len(entries)]
	e.text = e.text[:0]
	var before []labels.Label
	for i := range entries {
		row := entries[i].Metadata
		if i > 0 && sameNames(row, before) {
			ids[i] = ids[i-1]
		} else {
			e.refs, e.key = e.refs[:0], e.key[:0]
			for _, l := range row {
				ref := names.ref(l.Name)
				e.refs = append(e.refs, ref)
				e.key = binary.AppendUvarint(e.key, ref)
			}
			ids[i] = sets.ref(string(e.key))
			for len(e.values) < len(names.words) {
				e.values = append(e.values, nil)
			}
		}
		before = row
		for k, l := range row {
			from := len(e.text)
			e.text = append(e.text, l.Value...)
			values := &e.values[e.refs[k]]
			*values = append(*values, e.text[from:len(e.text):len(e.text)])
		}
	}
	dst = names.appendTo(dst)
	dst = sets.appendTo(dst)
	dst = e.columns.Ints(dst, ids)
	for i, values := range e.values[:len(names.words)] {
		dst = e.columns.Column(dst, values, nil)
		e.values[i] = values[:0]
	}
	return dst
}

// sameNames reports whether the labels of two rows have the same names.
func sameNames(a, b []labels.Label) bool {
	return slices.EqualFunc(a, b, func(a, b labels.Label) bool { return a.Name == b.Name })
}
