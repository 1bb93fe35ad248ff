package chunk

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/cambium-logs/cambium/pkg/internal/cursor"
	"github.com/cambium-logs/cambium/pkg/storage/chunk/columnar"
)

// lazyMetadata is the structured metadata of a columnar chunk, opened when it is first used.
type lazyMetadata struct {
	stored []byte // nil when the chunk has none
	meta   Meta
	once   sync.Once
	opened atomic.Pointer[metadataColumns]
	fault  atomic.Pointer[error]
}

// columns gives the columns; after a failure, those of a chunk without metadata.
func (l *lazyMetadata) columns() *metadataColumns {
	if m := l.opened.Load(); m != nil {
		return m
	}
	l.once.Do(func() {
		m := &metadataColumns{}
		if err := m.open(l.stored, l.meta); err != nil {
			m = &metadataColumns{}
			l.fault.Store(&err)
		}
		l.opened.Store(m)
	})
	return l.opened.Load()
}

func (l *lazyMetadata) err() error {
	if p := l.fault.Load(); p != nil {
		return *p
	}
	if m := l.opened.Load(); m != nil {
		return m.err()
	}
	return nil
}

// metadataColumns is the structured metadata of a columnar chunk: what few rows have is read from the columns, for many of them whole sets of
// labels are made once. The zero value is that of a chunk without metadata.
type metadataColumns struct {
	names  []string
	sets   [][]uint32 // names of each set of names
	rows   int
	bytes  int64           // of all labels, as the chunk's description has it
	each   *columnar.Ints  // per row: which set
	values []metadataValue // per name

	placing sync.Once
	ids     []uint64 // per row: which set; nil when all rows have the first
	at      []uint32 // per row, where ids is not nil: where its first value's position stands in places
	places  []uint32 // per row and name: the row in the name's column

	asked   atomic.Int32 // rows that were asked for one by one
	listing sync.Once
	lists   atomic.Pointer[metadataLists]
	misfit  atomic.Bool // labels do not add up to bytes
}

// singleMetadata is the share of rows that may be asked for one by one before sets of labels are made.
const singleMetadata = 32

func (m *metadataColumns) open(b []byte, meta Meta) error {
	m.rows, m.bytes = meta.Rows, meta.RawBytes-meta.LineBytes
	d := cursor.Cursor{Rest: b}
	m.names = readDictionary(&d)
	sets := readDictionary(&d)
	if d.Bad() {
		return fmt.Errorf("%w: structured metadata is cut short", ErrCorrupt)
	}
	for _, s := range sets {
		sd := cursor.Cursor{Rest: []byte(s)}
		var refs []uint32
		for len(sd.Rest) > 0 {
			ref := sd.Uvarint()
			if sd.Bad() || ref >= uint64(len(m.names)) {
				return fmt.Errorf("%w: structured metadata refers to a name that is not there", ErrCorrupt)
			}
			refs = append(refs, uint32(ref))
		}
		m.sets = append(m.sets, refs)
	}
	var err error
	if m.each, d.Rest, err = columnar.OpenInts(d.Rest, meta.Rows, uint64(len(m.sets))); err != nil {
		return err
	}
	budget := m.bytes
	counts, err := m.count(budget)
	if err != nil {
		return err
	}
	m.values = make([]metadataValue, len(m.names))
	for name, n := range counts {
		// A value is not empty.
		if budget -= int64(n) * int64(len(m.names[name])+1); budget < 0 {
			return errMetadataMisfit
		}
	}
	for name, n := range counts {
		v := &m.values[name]
		v.rows, v.most = int(n), m.bytes
		if v.column, d.Rest, err = columnar.Decode(d.Rest, int(n), nil, int(m.bytes)); err != nil {
			return err
		}
	}
	if len(d.Rest) != 0 {
		return errMetadataMisfit
	}
	return nil
}

var errMetadataMisfit = fmt.Errorf("%w: structured metadata does not fit the chunk's description", ErrCorrupt)

// count gives the number of rows that have each name. All of them take at most budget bytes.
func (m *metadataColumns) count(budget int64) ([]uint32, error) {
	counts := make([]uint32, len(m.names))
	if m.each.Zeros() {
		if int64(m.rows)*int64(len(m.sets[0]))*2 > budget {
			return nil, fmt.Errorf("%w: rows have too many labels", ErrCorrupt)
		}
		for _, name := range m.sets[0] {
			counts[name] += uint32(m.rows)
		}
		return counts, nil
	}
	labels := int64(0)
	for row, id := range m.each.All() {
		if labels += int64(len(m.sets[id])); labels*2 > budget {
			return nil, fmt.Errorf("%w: row %d has too many labels", ErrCorrupt, row)
		}
		for _, name := range m.sets[id] {
			counts[name]++
		}
	}
	return counts, m.each.Err()
}

// place finds the values of all rows, where they do not stand in row order in every column.
func (m *metadataColumns) place() {
	m.placing.Do(func() {
		if m.each.Zeros() && distinctNames(m.sets[0]) {
			return
		}
		m.ids = m.each.All()
		m.at = make([]uint32, m.rows)
		next := make([]uint32, len(m.names))
		for row, id := range m.ids {
			m.at[row] = uint32(len(m.places))
			for _, name := range m.sets[id] {
				m.places = append(m.places, next[name])
				next[name]++
			}
		}
	})
}

func distinctNames(set []uint32) bool {
	for i, name := range set {
		for _, other := range set[:i] {
			if name == other {
				return false
			}
		}
	}
	return true
}

// label gives the k-th label of a row's set.
func (m *metadataColumns) label(row int, set []uint32, k int) labels.Label {
	place := row
	if m.ids != nil {
		place = int(m.places[int(m.at[row])+k])
	}
	name := set[k]
	return labels.Label{Name: m.names[name], Value: m.values[name].text(place)}
}

func (m *metadataColumns) setOf(row int) []uint32 {
	if m.ids == nil {
		return m.sets[0]
	}
	return m.sets[m.ids[row]]
}

// row gives the labels of a row, in buf[:0].
func (m *metadataColumns) row(row int, buf []labels.Label) []labels.Label {
	if m.each == nil {
		return buf[:0]
	}
	lists := m.lists.Load()
	if lists == nil && int(m.asked.Add(1)) > m.rows/singleMetadata+1 {
		lists = m.allLists()
	}
	if lists != nil && lists.few {
		return append(buf[:0], lists.of(row)...)
	}
	m.place()
	buf = buf[:0]
	set := m.setOf(row)
	for k := range set {
		buf = append(buf, m.label(row, set, k))
	}
	return buf
}

// allLists gives the sets of labels, made when they are first asked for.
func (m *metadataColumns) allLists() *metadataLists {
	m.listing.Do(func() {
		m.place()
		m.check()
		m.lists.Store(m.list(nil))
	})
	return m.lists.Load()
}

// listsOf gives the sets of labels with the wanted names.
func (m *metadataColumns) listsOf(wanted func(name string) bool) *metadataLists {
	if wanted == nil || !slices.ContainsFunc(m.names, func(name string) bool { return !wanted(name) }) {
		return m.allLists()
	}
	m.place()
	return m.list(wanted)
}

// check adds up all labels.
func (m *metadataColumns) check() {
	bytes := int64(0)
	for name := range m.values {
		v := &m.values[name]
		bytes += v.bytes() + int64(v.rows)*int64(len(m.names[name]))
	}
	if bytes != m.bytes {
		m.misfit.Store(true)
	}
}

func (m *metadataColumns) err() error {
	if m.each == nil {
		return nil
	}
	errs := []error{m.each.Err()}
	if m.misfit.Load() {
		errs = append(errs, errMetadataMisfit)
	}
	for i := range m.values {
		errs = append(errs, m.values[i].column.Err())
	}
	return errors.Join(errs...)
}
