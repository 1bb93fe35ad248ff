package chunk

import "github.com/prometheus/prometheus/model/labels"

// metadataLists are the sets of labels that rows have, where there are few.
type metadataLists struct {
	few   bool // false: there are too many, and the rest is empty
	lists [][]labels.Label
	rows  []uint16 // per row: which; nil when all have the first
}

// maxMetadataLists bounds the sets of labels of one chunk that are made beforehand; metadataListRows is how many rows there are for each at least,
// unless there are hardly any.
const (
	maxMetadataLists = 1 << 10
	metadataListRows = 8
	hardlyAnyLists   = 16
)

func (l *metadataLists) of(row int) []labels.Label {
	if l.rows == nil {
		return l.lists[0]
	}
	return l.lists[l.rows[row]]
}

// numberedValues are the values of a name by number.
type numberedValues struct {
	distinct []string
	numbers  []uint64 // of each row of the column; nil when all are 0
}

// list makes the sets of labels when values have few combinations.
func (m *metadataColumns) list() *metadataLists {
	most := min(maxMetadataLists, max(hardlyAnyLists, m.rows/metadataListRows))
	values := make([]numberedValues, len(m.names))
	for name := range values {
		var ok bool
		if values[name], ok = m.values[name].numbered(most); !ok {
			return &metadataLists{}
		}
	}
	bases, total, labelCount := make([]int, len(m.sets)), 0, 0
	for i, set := range m.sets {
		bases[i] = total
		n := 1
		for _, name := range set {
			if n *= len(values[name].distinct); n > most {
				return &metadataLists{}
			}
		}
		total, labelCount = total+n, labelCount+n*len(set)
		if total > most || labelCount > maxMetadataLists+m.rows {
			return &metadataLists{}
		}
	}
	l := &metadataLists{few: true, lists: make([][]labels.Label, 0, total)}
	for _, set := range m.sets {
		l.lists = m.appendCombinations(l.lists, set, values)
	}
	switch {
	case total <= 1:
	case m.ids == nil:
		l.rows = m.combinations(values)
	default:
		l.rows = m.combinationsOfSets(values, bases)
	}
	return l
}

// appendCombinations appends all sets of labels with a set of names, those that differ in the first label only beside each other.
func (m *metadataColumns) appendCombinations(lists [][]labels.Label, set []uint32, values []numberedValues) [][]labels.Label {
	numbers := make([]int, len(set))
	for {
		list := make([]labels.Label, len(set))
		for k, name := range set {
			list[k] = labels.Label{Name: m.names[name], Value: values[name].distinct[numbers[k]]}
		}
		lists = append(lists, list)
		k := 0
		for ; k < len(set); k++ {
			if numbers[k]++; numbers[k] < len(values[set[k]].distinct) {
				break
			}
			numbers[k] = 0
		}
		if k == len(set) {
			return lists
		}
	}
}

// combinations says which of the combinations every row has, where all have the first set of names.
func (m *metadataColumns) combinations(values []numberedValues) []uint16 {
	out := make([]uint16, m.rows)
	stride := 1
	for _, name := range m.sets[0] {
		for row, n := range values[name].numbers {
			out[row] += uint16(int(n) * stride)
		}
		stride *= len(values[name].distinct)
	}
	return out
}

// combinationsOfSets is combinations for rows of several sets of names; the combinations of each begin at its base.
func (m *metadataColumns) combinationsOfSets(values []numberedValues, bases []int) []uint16 {
	out := make([]uint16, m.rows)
	for row, id := range m.ids {
		combination, stride := bases[id], 1
		for k, name := range m.sets[id] {
			v := &values[name]
			if v.numbers != nil {
				combination += int(v.numbers[m.places[int(m.at[row])+k]]) * stride
			}
			stride *= len(v.distinct)
		}
		out[row] = uint16(combination)
	}
	return out
}
