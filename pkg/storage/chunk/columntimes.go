package chunk

import (
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/cambium-logs/cambium/pkg/storage/chunk/columnar"
)

// lazyTimes are the timestamps of a columnar chunk, decoded when they are first used: one by one as long as few are asked for, then all.
type lazyTimes struct {
	stored []byte
	meta   Meta
	times  atomic.Pointer[[]int64]
	asked  atomic.Int32 // timestamps that were asked for one by one
	steps  *columnar.Steps
	opened sync.Once  // steps
	mu     sync.Mutex // held while all are decoded
	fault  atomic.Pointer[error]
}

// singleTimes is how many timestamps are added up one by one before all are decoded.
const singleTimes = 6

// At gives the timestamp of a row.
func (l *lazyTimes) At(row int) int64 {
	if t := l.times.Load(); t != nil {
		return (*t)[row]
	}
	if row == 0 {
		return l.meta.MinT
	}
	if l.asked.Add(1) > singleTimes {
		return l.All()[row]
	}
	l.opened.Do(func() {
		var err error
		if l.steps, err = columnar.OpenSteps(l.stored, l.meta.Rows); err != nil {
			l.fail(err)
		}
	})
	if l.steps == nil {
		return l.All()[row]
	}
	after := l.steps.Sum(row)
	if after > uint64(l.meta.MaxT)-uint64(l.meta.MinT) {
		l.fail(errLate(row))
		return l.meta.MaxT
	}
	return int64(uint64(l.meta.MinT) + after)
}

// All gives the timestamps; after a failure, the chunk's first for every row.
func (l *lazyTimes) All() []int64 {
	if t := l.times.Load(); t != nil {
		return *t
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if t := l.times.Load(); t != nil {
		return *t
	}
	times, err := openColumnTimes(l.stored, l.meta)
	if err != nil {
		l.fail(err)
		times = make([]int64, l.meta.Rows)
		for i := range times {
			times[i] = l.meta.MinT
		}
	}
	l.times.Store(&times)
	return times
}

func (l *lazyTimes) fail(err error) { l.fault.CompareAndSwap(nil, &err) }

func (l *lazyTimes) err() error {
	if p := l.fault.Load(); p != nil {
		return *p
	}
	return nil
}

func errLate(row int) error {
	return fmt.Errorf("%w: timestamp %d lies after the chunk's end", ErrCorrupt, row)
}

// openColumnTimes decodes meta.Rows ascending timestamps from meta.MinT to meta.MaxT.
func openColumnTimes(b []byte, meta Meta) ([]int64, error) {
	times, rest, err := columnar.ReadInts[int64](b, meta.Rows) // as differences
	if err != nil {
		return nil, err
	}
	t := uint64(meta.MinT)
	for i, d := range times {
		if uint64(d) > uint64(meta.MaxT)-t {
			return nil, errLate(i)
		}
		t += uint64(d)
		times[i] = int64(t)
	}
	if len(rest) != 0 || times[0] != meta.MinT || times[meta.Rows-1] != meta.MaxT {
		return nil, fmt.Errorf("%w: timestamps do not fit the chunk's description", ErrCorrupt)
	}
	return times, nil
}
