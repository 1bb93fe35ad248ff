package query

import (
	"container/list"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
)

// cache keeps what runs of stored chunks contribute to aggregations. A stored chunk never changes, so nothing in it ever goes stale; what was
// not used for longest gives way to what is new. A nil cache keeps nothing.
type cache struct {
	max int64 // bytes

	mu     sync.Mutex // guards what follows
	bytes  int64
	byKey  map[cacheKey]*list.Element // of *cached
	recent list.List                  // the one used last in front

	hits, misses, evictions prometheus.Counter
}

// cacheKey is a hash of everything that a part depends on.
type cacheKey [32]byte

type cached struct {
	key   cacheKey
	part  part // never changes
	bytes int64
}

const (
	// cachedOverhead is what an entry takes besides its part.
	cachedOverhead = 256
	// cacheShare is the part of the cache that one entry may take at most: 1/cacheShare.
	cacheShare = 16
)

func newCache(most int64, reg prometheus.Registerer) *cache {
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Name: name, Help: help})
	}
	c := &cache{
		max: most, byKey: map[cacheKey]*list.Element{},
		hits:      counter("cambium_query_cache_hits_total", "Runs of stored chunks whose contribution to an aggregation was known."),
		misses:    counter("cambium_query_cache_misses_total", "Runs of stored chunks that were read although their contribution could have been known."),
		evictions: counter("cambium_query_cache_evictions_total", "Contributions that gave way to newer ones."),
	}
	if reg != nil {
		reg.MustRegister(c.hits, c.misses, c.evictions, prometheus.NewGaugeFunc(
			prometheus.GaugeOpts{Name: "cambium_query_cache_bytes", Help: "Memory of the contributions that are kept."},
			func() float64 { return float64(c.held()) }))
	}
	return c
}

func (c *cache) held() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.bytes
}

// get gives the part of a key, which must not be changed, or nil.
func (c *cache) get(key cacheKey) (part, int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.byKey[key]
	if !ok {
		c.misses.Inc()
		return nil, 0
	}
	c.hits.Inc()
	c.recent.MoveToFront(e)
	entry := e.Value.(*cached)
	return entry.part, entry.bytes
}

// put keeps a part, which must not change any more.
func (c *cache) put(key cacheKey, p part, bytes int64) {
	bytes += cachedOverhead
	if bytes > c.max/cacheShare {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, known := c.byKey[key]; known {
		return
	}
	c.byKey[key] = c.recent.PushFront(&cached{key, p, bytes})
	for c.bytes += bytes; c.bytes > c.max; {
		oldest := c.recent.Remove(c.recent.Back()).(*cached)
		delete(c.byKey, oldest.key)
		c.bytes -= oldest.bytes
		c.evictions.Inc()
	}
}
