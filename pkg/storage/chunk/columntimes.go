package chunk

import (
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/cambium-logs/cambium/pkg/storage/chunk/columnar"
)

// lazyTimes are the timestamps of a columnar chunk, decoded when they are first used.
type lazyTimes struct {
	stored []byte
	meta   Meta
	mu     sync.Mutex // held while they are decoded
	times  atomic.Pointer[[]int64]
	fault  error // written before times
}

// all gives the timestamps; after a failure, the chunk's first for every row.
func (l *lazyTimes) all() []int64 {
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
		l.fault = err
		times = make([]int64, l.meta.Rows)
		for i := range times {
			times[i] = l.meta.MinT
		}
	}
	l.times.Store(&times)
	return times
}

func (l *lazyTimes) err() error {
	if l.times.Load() == nil {
		return nil
	}
	return l.fault
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
			return nil, fmt.Errorf("%w: timestamp %d lies after the chunk's end", ErrCorrupt, i)
		}
		t += uint64(d)
		times[i] = int64(t)
	}
	if len(rest) != 0 || times[0] != meta.MinT || times[meta.Rows-1] != meta.MaxT {
		return nil, fmt.Errorf("%w: timestamps do not fit the chunk's description", ErrCorrupt)
	}
	return times, nil
}
