package chunk

import (
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/cambium-logs/cambium/pkg/storage/chunk/columnar"
)

// lazyMetadata is the structured metadata of a columnar chunk, decoded when it is first used.
type lazyMetadata struct {
	stored []byte // nil when the chunk has none
	meta   Meta
	once   sync.Once
	opened metadataColumns
	fault  atomic.Pointer[error]
}

// columns gives the columns; after a failure, those of a chunk without metadata.
func (l *lazyMetadata) columns() *metadataColumns {
	l.once.Do(func() {
		if err := l.opened.open(l.stored, l.meta); err != nil {
			l.opened = metadataColumns{}
			l.fault.Store(&err)
		}
	})
	return &l.opened
}

func (l *lazyMetadata) err() error {
	if p := l.fault.Load(); p != nil {
		return *p
	}
	return nil
}

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
	if m.ids, d.b, err = columnar.ReadInts[uint64](d.b, meta.Rows); err != nil {
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
