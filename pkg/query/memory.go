package query

import (
	"net/http"
	"sync/atomic"

	"github.com/dustin/go-humanize"
)

// memory is what a query may hold at once, in bytes: partials, entries and opened chunks. The amounts are estimates. What it takes, its
// parent gives, too, so that all queries together are bounded.
type memory struct {
	limit  int64
	parent *memory // nil = no further bound
	used   atomic.Int64
}

func newMemory(limit int64, parent *memory) *memory { return &memory{limit: limit, parent: parent} }

// take accounts for n more bytes (or fewer, when negative) and fails when a limit is passed; the bytes count all the same.
func (m *memory) take(n int64) error {
	var err error
	if m.parent != nil && m.parent.used.Add(n) > m.parent.limit && n > 0 {
		err = &Error{http.StatusServiceUnavailable,
			"the queries that are running need more than " + humanize.IBytes(uint64(m.parent.limit)) + " of memory together; try again later or narrow the query"}
	}
	if m.used.Add(n) > m.limit && n > 0 {
		err = tooMuchMemory(m.limit)
	}
	return err
}

// release gives everything back.
func (m *memory) release() { _ = m.take(-m.used.Load()) }
