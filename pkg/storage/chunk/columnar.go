package chunk

import (
	"encoding/binary"
	"errors"
	"fmt"
	"sync"

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

var columnEncoders = sync.Pool{New: func() any { return columnar.NewEncoder() }}

func (columns) encode(dst []byte, entries []Entry, _ Meta) ([]byte, error) {
	e := columnEncoders.Get().(*columnar.Encoder)
	defer columnEncoders.Put(e)
	times := make([]int64, len(entries))
	lines := make([][]byte, len(entries))
	deltas := make([]uint64, len(entries))
	hasMetadata := false
	for i := range entries {
		times[i], lines[i] = entries[i].Timestamp, entries[i].Line
		deltas[i] = uint64(times[i] - times[max(i-1, 0)])
		hasMetadata = hasMetadata || len(entries[i].Metadata) > 0
	}
	parts := []part{
		rawPart(partColumnTimes, e.Ints(nil, deltas)),
		rawPart(partColumnLines, e.Column(nil, lines, times)),
	}
	if hasMetadata {
		parts = append(parts, rawPart(partColumnMetadata, encodeMetadataColumns(e, entries)))
	}
	return appendParts(dst, parts), nil
}

func rawPart(kind partKind, b []byte) part {
	return part{kind: kind, codec: codecRaw, rawLen: len(b), crc: checksum(b), stored: b}
}

// encodeMetadataColumns writes the names, which of them each row has (as an index into a table of sets), and per name a column of the
// values of the rows that have it.
func encodeMetadataColumns(e *columnar.Encoder, entries []Entry) []byte {
	names := dictionary{refs: map[string]uint64{}}
	sets := dictionary{refs: map[string]uint64{}}
	ids := make([]uint64, len(entries))
	var values [][][]byte
	var key []byte
	for i := range entries {
		key = key[:0]
		for _, l := range entries[i].Metadata {
			ref := names.ref(l.Name)
			if int(ref) == len(values) {
				values = append(values, nil)
			}
			values[ref] = append(values[ref], []byte(l.Value))
			key = binary.AppendUvarint(key, ref)
		}
		ids[i] = sets.ref(string(key))
	}
	dst := names.appendTo(nil)
	dst = sets.appendTo(dst)
	dst = e.Ints(dst, ids)
	for _, v := range values {
		dst = e.Column(dst, v, nil)
	}
	return dst
}

// columnReader rebuilds rows from their columns.
type columnReader struct {
	times    []int64
	lines    *columnar.Values
	metadata metadataColumns
}

func (columns) open(data []byte, meta Meta) (Reader, error) {
	parts, err := splitParts(data)
	if err != nil {
		return nil, err
	}
	r := &columnReader{}
	var seen [partColumnMetadata + 1]bool
	for i := range parts {
		p := &parts[i]
		if p.kind < partColumnTimes || p.kind > partColumnMetadata || seen[p.kind] || p.codec != codecRaw || p.kind == partColumnLines && !seen[partColumnTimes] {
			return nil, fmt.Errorf("%w: unexpected part kind %d", ErrCorrupt, p.kind)
		}
		seen[p.kind] = true
		switch p.kind {
		case partColumnTimes:
			r.times, err = openColumnTimes(p.stored, meta)
		case partColumnLines:
			err = r.openLines(p.stored, meta)
		default:
			err = r.metadata.open(p.stored, meta)
		}
		if err != nil {
			if !errors.Is(err, ErrCorrupt) {
				err = fmt.Errorf("%w: %w", ErrCorrupt, err)
			}
			return nil, err
		}
	}
	if !seen[partColumnLines] || !seen[partColumnMetadata] && meta.RawBytes != meta.LineBytes {
		return nil, fmt.Errorf("%w: a part is missing", ErrCorrupt)
	}
	return r, nil
}

// openColumnTimes decodes meta.Rows ascending timestamps from meta.MinT to meta.MaxT.
func openColumnTimes(b []byte, meta Meta) ([]int64, error) {
	deltas, rest, err := columnar.ReadInts(b, meta.Rows)
	if err != nil {
		return nil, err
	}
	times := make([]int64, meta.Rows)
	t := uint64(meta.MinT)
	for i, d := range deltas {
		if d > uint64(meta.MaxT)-t {
			return nil, fmt.Errorf("%w: timestamp %d lies after the chunk's end", ErrCorrupt, i)
		}
		t += d
		times[i] = int64(t)
	}
	if len(rest) != 0 || times[0] != meta.MinT || times[meta.Rows-1] != meta.MaxT {
		return nil, fmt.Errorf("%w: timestamps do not fit the chunk's description", ErrCorrupt)
	}
	return times, nil
}

func (r *columnReader) openLines(b []byte, meta Meta) error {
	var rest []byte
	var err error
	r.lines, rest, err = columnar.Decode(b, meta.Rows, r.times, int(meta.LineBytes))
	if err == nil && len(rest) != 0 {
		err = fmt.Errorf("%w: %d bytes after the lines", ErrCorrupt, len(rest))
	}
	return err
}

func (r *columnReader) Len() int                { return len(r.times) }
func (r *columnReader) Timestamp(row int) int64 { return r.times[row] }

func (r *columnReader) Line(row int, buf []byte) []byte { return r.lines.Append(buf[:0], row) }

func (r *columnReader) Metadata(row int, buf []labels.Label) []labels.Label {
	return r.metadata.row(row, buf)
}

// Err tells what was found wrong while lines were rebuilt.
func (r *columnReader) Err() error {
	if err := r.lines.Err(); err != nil {
		return fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	return nil
}

func (r *columnReader) Close() {}

// metadataColumns is the structured metadata of a columnar chunk. The zero value is that of a chunk without metadata.
type metadataColumns struct {
	names  []string
	sets   [][]uint32 // names of each set of names
	ids    []uint64   // per row: which set
	at     []uint32   // per row: where its first value's position stands in places
	places []uint32   // per row and name: the row in the name's column
	values [][]string // per name
}

func (m *metadataColumns) open(b []byte, meta Meta) error {
	d := decoder{b: b}
	m.names = readDictionary(&d)
	sets := readDictionary(&d)
	if d.err != nil {
		return d.err
	}
	for _, s := range sets {
		sd := decoder{b: []byte(s)}
		var refs []uint32
		for len(sd.b) > 0 {
			ref := sd.uvarint()
			if sd.err != nil || ref >= uint64(len(m.names)) {
				return fmt.Errorf("%w: structured metadata refers to a name that is not there", ErrCorrupt)
			}
			refs = append(refs, uint32(ref))
		}
		m.sets = append(m.sets, refs)
	}
	var err error
	if m.ids, d.b, err = columnar.ReadInts(d.b, meta.Rows); err != nil {
		return err
	}
	budget := meta.RawBytes - meta.LineBytes
	counts := make([]uint32, len(m.names))
	m.at = make([]uint32, meta.Rows)
	for i, id := range m.ids {
		if id >= uint64(len(m.sets)) {
			return fmt.Errorf("%w: row %d has names that are not there", ErrCorrupt, i)
		}
		m.at[i] = uint32(len(m.places))
		for _, name := range m.sets[id] {
			m.places = append(m.places, counts[name])
			counts[name]++
		}
		if int64(len(m.places))*2 > budget {
			return fmt.Errorf("%w: row %d has too many labels", ErrCorrupt, i)
		}
	}
	m.values = make([][]string, len(m.names))
	for name, n := range counts {
		col, rest, err := columnar.Decode(d.b, int(n), nil, int(budget))
		if err != nil {
			return err
		}
		d.b = rest
		if m.values[name], err = columnStrings(col, int(n), &budget); err != nil {
			return err
		}
		budget -= int64(n) * int64(len(m.names[name]))
	}
	if len(d.b) != 0 || budget != 0 {
		return fmt.Errorf("%w: structured metadata does not fit the chunk's description", ErrCorrupt)
	}
	return nil
}

// columnStrings renders a column as slices of one string, which stay valid after the chunk is closed.
func columnStrings(col *columnar.Values, n int, budget *int64) ([]string, error) {
	var buf []byte
	ends := make([]int, n)
	for i := range n {
		buf = col.Append(buf, i)
		if int64(len(buf)) > *budget {
			return nil, fmt.Errorf("%w: structured metadata is longer than the chunk's description says", ErrCorrupt)
		}
		ends[i] = len(buf)
	}
	if err := col.Err(); err != nil {
		return nil, err
	}
	*budget -= int64(len(buf))
	text := string(buf)
	out := make([]string, n)
	from := 0
	for i, end := range ends {
		out[i] = text[from:end]
		from = end
	}
	return out, nil
}

func (m *metadataColumns) row(row int, buf []labels.Label) []labels.Label {
	buf = buf[:0]
	if m.ids == nil {
		return buf
	}
	for k, name := range m.sets[m.ids[row]] {
		buf = append(buf, labels.Label{Name: m.names[name], Value: m.values[name][m.places[int(m.at[row])+k]]})
	}
	return buf
}

// Search marks the rows whose lines contain the needle, and maybe others.
func (r *columnReader) Search(needle []byte, rows Rows) { r.lines.Search(needle, rows, len(r.times)) }

// Shape tells which skeleton a row's line has.
func (r *columnReader) Shape(row int) (*Shape, int) { return r.lines.Shape(row) }
