package ingest

import (
	"net/http"
	"sync/atomic"
	"time"
)

// Memory bounds what all requests together hold while they are decoded: bodies, what comes out of decompression, and the entries found
// there. A request by itself is bounded by Bounds; many at once, each within its bounds, would still take all there is.
type Memory struct {
	limit int64
	used  atomic.Int64
}

// NewMemory returns a Memory of limit bytes.
func NewMemory(limit int64) *Memory { return &Memory{limit: limit} }

// Reserve returns the reservation of one request, of nothing yet.
func (m *Memory) Reserve() *Reservation { return &Reservation{memory: m} }

// Used is how many bytes are reserved.
func (m *Memory) Used() int64 { return m.used.Load() }

// Reservation is what one request holds of a Memory. It belongs to one goroutine. A nil Reservation gives whatever is asked for.
type Reservation struct {
	memory *Memory
	held   int64
}

// Take reserves n more bytes, or gives an *Error of 503 when others hold too much.
func (r *Reservation) Take(n int64) error {
	if refused := r.take(n); refused != nil {
		return refused
	}
	return nil
}

func (r *Reservation) take(n int64) *Error {
	if r == nil || n <= 0 {
		return nil
	}
	if r.memory.used.Add(n) > r.memory.limit {
		r.memory.used.Add(-n)
		return &Error{
			Status: http.StatusServiceUnavailable, RetryAfter: memoryRetry,
			Message: "the requests that are being read hold all the memory there is for them; send smaller requests, or fewer at once",
		}
	}
	r.held += n
	return nil
}

// memoryRetry is when a request may be tried again for which there was no memory.
const memoryRetry = time.Second

// Release gives everything back. The Reservation can be used again.
func (r *Reservation) Release() {
	if r != nil {
		r.memory.used.Add(-r.held)
		r.held = 0
	}
}

// give gives n bytes back.
func (r *Reservation) give(n int64) {
	if r != nil {
		r.memory.used.Add(-n)
		r.held -= n
	}
}
