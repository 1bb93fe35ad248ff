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

// list makes the sets of labels when their values have few combinations; of labels with the wanted names only, unless wanted is nil.
func (m *metadataColumns) list(wanted func(name string) bool) *metadataLists {
	most := min(maxMetadataLists, max(hardlyAnyLists, m.rows/metadataListRows))
	values := make([]numberedValues, len(m.names))
	for name := range values {
		if wanted != nil && !wanted(m.names[name]) {
			continue
		}
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
			if n *= values[name].factor(); n > most {
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

// numberedValues are the values of a name by number; none when the name is left out.
type numberedValues struct {
	distinct []string
	numbers  []uint64 // of each row of the column; nil when all are 0
}

// factor is how many times more combinations there are for the name's sake.
func (v *numberedValues) factor() int { return max(1, len(v.distinct)) }

// appendCombinations appends all sets of labels with a set of names, those that differ in the first label only beside each other.
func (m *metadataColumns) appendCombinations(lists [][]labels.Label, set []uint32, values []numberedValues) [][]labels.Label {
	numbers := make([]int, len(set))
	for {
		list := make([]labels.Label, 0, len(set))
		for k, name := range set {
			if v := &values[name]; len(v.distinct) > 0 {
				list = append(list, labels.Label{Name: m.names[name], Value: v.distinct[numbers[k]]})
			}
		}
		lists = append(lists, list)
		k := 0
		for ; k < len(set); k++ {
			if numbers[k]++; numbers[k] < values[set[k]].factor() {
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
		stride *= values[name].factor()
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
			stride *= v.factor()
		}
		out[row] = uint16(combination)
	}
	return out
}
