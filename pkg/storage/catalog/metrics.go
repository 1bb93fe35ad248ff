package catalog

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

type metrics struct {
	listings       prometheus.Counter
	unknownObjects prometheus.Counter
	readerHits     prometheus.Counter
	readerMisses   prometheus.Counter
	readerMemory   prometheus.Gauge
}

func newMetrics(reg prometheus.Registerer) *metrics {
	f := promauto.With(reg)
	return &metrics{
		listings: f.NewCounter(prometheus.CounterOpts{
			Name: "cambium_catalog_listings_total", Help: "Listings of the bucket: of tenants, of a tenant's days, of a day's segments.",
		}),
		unknownObjects: f.NewCounter(prometheus.CounterOpts{
			Name: "cambium_catalog_unknown_objects_total", Help: "Listed objects that look like segments but have no valid name. They are ignored.",
		}),
		readerHits: f.NewCounter(prometheus.CounterOpts{
			Name: "cambium_catalog_reader_hits_total", Help: "Segments that were open already when they were needed.",
		}),
		readerMisses: f.NewCounter(prometheus.CounterOpts{
			Name: "cambium_catalog_reader_misses_total", Help: "Segments that were opened: footer, index and directory were read.",
		}),
		readerMemory: f.NewGauge(prometheus.GaugeOpts{
			Name: "cambium_catalog_reader_memory_bytes", Help: "Memory that the segment readers kept open hold.",
		}),
	}
}
