package bucket

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

type cacheMetrics struct {
	hits, misses, shared, ahead, evicted, damaged, failures prometheus.Counter
	bytes                                                   prometheus.Gauge
}

func newCacheMetrics(reg prometheus.Registerer) *cacheMetrics {
	f := promauto.With(reg)
	counter := func(name, help string) prometheus.Counter {
		return f.NewCounter(prometheus.CounterOpts{Name: "cambium_bucket_cache_" + name, Help: help})
	}
	return &cacheMetrics{
		hits:     counter("hits_total", "Reads of a bucket that the disk answered."),
		misses:   counter("misses_total", "Reads of a bucket that became requests."),
		shared:   counter("shared_total", "Reads of a bucket that waited for the request of another read."),
		ahead:    counter("ahead_total", "Reads of a bucket that an earlier request had read ahead for."),
		evicted:  counter("evicted_bytes_total", "Bytes on the disk that made room."),
		damaged:  counter("damaged_total", "Ranges on the disk that were damaged and were read again."),
		failures: counter("write_failures_total", "Ranges that could not be written to the disk."),
		bytes:    f.NewGauge(prometheus.GaugeOpts{Name: "cambium_bucket_cache_bytes", Help: "Bytes on the disk that the cache takes."}),
	}
}
