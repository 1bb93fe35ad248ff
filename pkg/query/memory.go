package query

import "sync/atomic"

// memory is what a query may hold at once, in bytes. The amounts are estimates of what partials and entries take.
type memory struct {
	limit int64
	used  atomic.Int64
}

func newMemory(limit int64) *memory { return &memory{limit: limit} }

// take accounts for n more bytes (or fewer, when negative) and fails when the limit is passed.
func (m *memory) take(n int64) error {
	if m.used.Add(n) > m.limit {
		return tooMuchMemory(m.limit)
	}
	return nil
}
