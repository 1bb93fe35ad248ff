package query

import "github.com/prometheus/prometheus/model/labels"

// seriesTable numbers the series of a partial and accounts for its memory.
type seriesTable struct {
	mem    *memory
	max    int // series; 0 = no limit
	cut    bool
	cutOff bool // a series was left out
	byHash map[uint64][]int
	labels []labels.Labels
	taken  int64
	owed   int64 // not accounted for yet: less than oweBytes
	err    error
}

const (
	seriesOverhead = 200
	// oweBytes is what samples take before it is accounted for.
	oweBytes = 4 << 10
)

func newSeriesTable(mem *memory, maxSeries int, cut bool) seriesTable {
	return seriesTable{mem: mem, max: maxSeries, cut: cut, byHash: map[uint64][]int{}}
}

func (t *seriesTable) take(n int64) {
	t.taken += n
	if err := t.mem.take(n); err != nil && t.err == nil {
		t.err = err
	}
}

// owe is take for little that comes often.
func (t *seriesTable) owe(n int64) {
	if t.owed += n; t.owed >= oweBytes {
		t.take(t.owed)
		t.owed = 0
	}
}

func (t *seriesTable) release()        { _ = t.mem.take(-t.taken); t.taken = 0 }
func (t *seriesTable) failure() error  { return t.err }
func (t *seriesTable) truncated() bool { return t.cutOff }

// find gives the number of a series and whether it is new, or -1 when there are too many series.
func (t *seriesTable) find(ls labels.Labels) (i int, isNew bool) {
	h := ls.Hash()
	for _, i := range t.byHash[h] {
		if labels.Equal(t.labels[i], ls) {
			return i, false
		}
	}
	if t.max > 0 && len(t.labels) >= t.max {
		if t.cut {
			t.cutOff = true
		} else if t.err == nil {
			t.err = tooManySeries(t.max)
		}
		return -1, false
	}
	i = len(t.labels)
	t.byHash[h] = append(t.byHash[h], i)
	t.labels = append(t.labels, ls)
	t.take(seriesBytes(ls))
	return i, true
}

// takeOver makes what other has taken t's own.
func (t *seriesTable) takeOver(other *seriesTable) {
	if t.err == nil {
		t.err = other.err
	}
	t.cutOff = t.cutOff || other.cutOff
	t.taken += other.taken
	t.owed += other.owed
	other.taken, other.owed = 0, 0
}

// keptTable is the table of a part that is kept: series that do not change any more, and no memory of a query.
func (t *seriesTable) keptTable() seriesTable {
	return seriesTable{labels: t.labels[:len(t.labels):len(t.labels)]}
}

// seriesBytes is what a series takes in a partial besides its samples.
func seriesBytes(ls labels.Labels) int64 { return seriesOverhead + int64(ls.ByteSize()) }
