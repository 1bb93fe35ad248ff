package ingest

import (
	"math"
	"sync"
	"time"
)

// bucket is a token bucket. The zero bucket is full at its first use.
type bucket struct {
	tokens float64
	at     time.Time
}

// take removes n tokens if they are there, at rate tokens per second and with at most burst of them. Otherwise it removes none and tells
// how long they would take to come; never, if n is more than burst.
func (b *bucket) take(now time.Time, n, rate, burst float64) (ok bool, wait time.Duration) {
	if b.at.IsZero() {
		b.tokens = burst
	} else if elapsed := now.Sub(b.at).Seconds(); elapsed > 0 {
		b.tokens = min(burst, b.tokens+elapsed*rate)
	}
	if b.at.IsZero() || now.After(b.at) {
		b.at = now
	}
	b.tokens = min(b.tokens, burst)
	if n <= b.tokens {
		b.tokens -= n
		return true, 0
	}
	if n > burst || rate <= 0 {
		return false, 0
	}
	return false, time.Duration(math.Ceil((n - b.tokens) / rate * float64(time.Second)))
}

// rates are the token buckets of one tenant and of its streams. It is safe for concurrent use.
type rates struct {
	mu      sync.Mutex // guards what follows
	total   bucket
	streams map[uint64]*bucket
	swept   time.Time
}

// takeTotal asks for n bytes of the tenant's rate.
func (r *rates) takeTotal(now time.Time, n, rate, burst float64) (ok bool, wait time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.total.take(now, n, rate, burst)
}

// takeStream asks for n bytes of the rate of the stream with that hash.
func (r *rates) takeStream(now time.Time, hash uint64, n, rate, burst float64) (ok bool, wait time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sweep(now, rate, burst)
	b := r.streams[hash]
	if b == nil {
		if r.streams == nil {
			r.streams = map[uint64]*bucket{}
		}
		b = new(bucket)
		r.streams[hash] = b
	}
	return b.take(now, n, rate, burst)
}

// sweepEvery is how often buckets that are full again are forgotten.
const sweepEvery = time.Minute

func (r *rates) sweep(now time.Time, rate, burst float64) {
	if now.Sub(r.swept) < sweepEvery {
		return
	}
	r.swept = now
	for hash, b := range r.streams {
		if b.tokens+now.Sub(b.at).Seconds()*rate >= burst {
			delete(r.streams, hash)
		}
	}
}
