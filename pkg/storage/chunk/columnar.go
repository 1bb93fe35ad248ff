package chunk

import (
	"errors"
	"fmt"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/cambium-logs/cambium/pkg/storage/chunk/columnar"
)

func init() { register(EncodingColumnar, columns{}) }

// columns keeps timestamps as an int column, lines as templates and variables, and structured metadata as one column per name.
type columns struct{}

// Parts of the columnar encoding.
const (
	partColumnTimes    partKind = 5 // an int stream: the differences between timestamps
	partColumnLines    partKind = 6 // a column
	partColumnMetadata partKind = 7 // docs/format/chunk-columnar.md
)

func rawPart(kind partKind, b []byte) part {
	return part{kind: kind, codec: codecRaw, rawLen: len(b), crc: checksum(b), stored: b}
}

// columnReader rebuilds rows from their columns. Timestamps and structured metadata are decoded when they are first needed.
type columnReader struct {
	meta     Meta
	times    lazyTimes
	lines    *columnar.Values
	metadata lazyMetadata
	name     func(error) error // of faults; may be nil
	loan
}

func (columns) open(data []byte, meta Meta) (lentReader, error) {
	parts, err := splitParts(data)
	if err != nil {
		return nil, err
	}
	r := &columnReader{meta: meta}
	r.times.meta, r.metadata.meta = meta, meta
	var seen [partColumnMetadata + 1]bool
	for i := range parts {
		p := &parts[i]
		if p.kind < partColumnTimes || p.kind > partColumnMetadata || seen[p.kind] || p.codec != codecRaw {
			return nil, fmt.Errorf("%w: unexpected part kind %d", ErrCorrupt, p.kind)
		}
		seen[p.kind] = true
		switch p.kind {
		case partColumnTimes:
			r.times.stored = p.stored
		case partColumnMetadata:
			r.metadata.stored = p.stored
		default:
			if err := r.openLines(p.stored); err != nil {
				return nil, corrupt(err)
			}
		}
	}
	if !seen[partColumnTimes] || !seen[partColumnLines] || !seen[partColumnMetadata] && meta.RawBytes != meta.LineBytes {
		return nil, fmt.Errorf("%w: a part is missing", ErrCorrupt)
	}
	return r, nil
}

// corrupt makes err wrap ErrCorrupt.
func corrupt(err error) error {
	if err == nil || errors.Is(err, ErrCorrupt) {
		return err
	}
	return fmt.Errorf("%w: %w", ErrCorrupt, err)
}

func (r *columnReader) openLines(b []byte) error {
	var rest []byte
	var err error
	r.lines, rest, err = columnar.Decode(b, r.meta.Rows, &r.times, int(r.meta.LineBytes))
	if err == nil && len(rest) != 0 {
		err = fmt.Errorf("%w: %d bytes after the lines", ErrCorrupt, len(rest))
	}
	return err
}

func (r *columnReader) Len() int                { return r.meta.Rows }
func (r *columnReader) Timestamp(row int) int64 { return r.times.At(row) }

func (r *columnReader) Line(row int, buf []byte) []byte { return r.lines.Append(buf[:0], row) }

func (r *columnReader) Metadata(row int, buf []labels.Label) []labels.Label {
	if r.metadata.stored == nil {
		return buf[:0]
	}
	return r.metadata.columns().row(row, buf)
}

// Err tells what was found wrong while rows were read.
func (r *columnReader) Err() error {
	err := corrupt(errors.Join(r.times.err(), r.lines.Err(), r.metadata.err()))
	if err != nil && r.name != nil {
		err = r.name(err)
	}
	return err
}

func (r *columnReader) nameFaults(name func(error) error) { r.name = name }

func (r *columnReader) Close() { r.giveBack() }

// Search marks the rows whose lines contain the needle, and maybe others.
func (r *columnReader) Search(needle []byte, rows Rows) { r.lines.Search(needle, rows, r.meta.Rows) }

// Shape tells which skeleton a row's line has.
func (r *columnReader) Shape(row int) (*Shape, int) { return r.lines.Shape(row) }
