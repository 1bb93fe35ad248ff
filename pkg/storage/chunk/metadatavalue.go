package chunk

import (
	"sync"
	"sync/atomic"

	"github.com/cambium-logs/cambium/pkg/storage/chunk/columnar"
)

// metadataValue is the column of a name of structured metadata, rendered when it is first used: its distinct values where they are numbered; else
// single values as long as few are asked for, then all. Its strings stay valid after the chunk is closed.
type metadataValue struct {
	column *columnar.Values
	rows   int
	most   int64        // bytes that all of them take at most
	asked  atomic.Int32 // values that were asked for one by one
	once   sync.Once
	texts  atomic.Pointer[[]string] // of each number, or of each row
}

// fewDistinct is how many distinct values are rendered at once however few are asked for.
const fewDistinct = 16

// text gives the value of a row of the column.
func (v *metadataValue) text(row int) string {
	distinct := v.column.Distinct()
	if v.texts.Load() == nil && (distinct == 0 || distinct > fewDistinct) && int(v.asked.Add(1)) <= v.rows/singleMetadata+1 {
		return string(v.column.Append(nil, row))
	}
	if distinct > 0 {
		return v.all()[v.column.Number(row)]
	}
	return v.all()[row]
}

// all gives the distinct values where they are numbered, else those of all rows.
func (v *metadataValue) all() []string {
	v.once.Do(func() {
		n, read := v.rows, v.column.Append
		if distinct := v.column.Distinct(); distinct > 0 {
			n, read = distinct, v.column.AppendDistinct
		}
		texts := rendered(n, v.most, read)
		v.texts.Store(&texts)
	})
	return *v.texts.Load()
}

// bytes is what all values take.
func (v *metadataValue) bytes() (sum int64) {
	texts := v.all()
	if v.column.Distinct() == 0 {
		for _, text := range texts {
			sum += int64(len(text))
		}
		return sum
	}
	numbers := v.column.Numbers()
	if numbers == nil {
		return int64(v.rows) * int64(len(texts[0]))
	}
	for _, n := range numbers {
		sum += int64(len(texts[n]))
	}
	return sum
}

// numbered gives the values by number when at most so many are distinct.
func (v *metadataValue) numbered(most int) (numberedValues, bool) {
	if distinct := v.column.Distinct(); distinct > 0 {
		return numberedValues{v.all(), v.column.Numbers()}, distinct <= most
	}
	texts := v.all()
	known := map[string]uint64{}
	n := numberedValues{numbers: make([]uint64, len(texts))}
	for row, text := range texts {
		number, ok := known[text]
		if !ok {
			if len(n.distinct) == most {
				return n, false
			}
			number = uint64(len(n.distinct))
			known[text] = number
			n.distinct = append(n.distinct, text)
		}
		n.numbers[row] = number
	}
	return n, true
}

// rendered gives n texts as slices of one string. Behind the first one that does not fit into most bytes all are empty.
func rendered(n int, most int64, read func(dst []byte, i int) []byte) []string {
	var buf []byte
	ends := make([]int, n)
	for i := range n {
		if int64(len(buf)) <= most {
			buf = read(buf, i)
		}
		ends[i] = len(buf)
	}
	text := string(buf)
	out := make([]string, n)
	from := 0
	for i, end := range ends {
		out[i] = text[from:end]
		from = end
	}
	return out
}
