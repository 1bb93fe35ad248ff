package engine

import "github.com/prometheus/client_golang/prometheus"

type metrics struct {
	appendedEntries, appendedBytes        prometheus.Counter
	refused                               *prometheus.CounterVec
	segments, flushedBytes, flushFailures prometheus.Counter
	flushSeconds                          prometheus.Histogram
	droppedEvents                         prometheus.Counter
	deletesPending                        prometheus.Gauge
	deletesProcessed                      prometheus.Counter
}

func newMetrics(reg *prometheus.Registry, e *Engine) *metrics {
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Name: name, Help: help})
	}
	m := &metrics{
		appendedEntries: counter("cambium_engine_appended_entries_total", "Entries acknowledged."),
		appendedBytes:   counter("cambium_engine_appended_bytes_total", "Lines and structured metadata acknowledged."),
		refused: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "cambium_engine_refused_pushes_total",
			Help: "Pushes refused, by reason: full (the head has no room), wal (the log cannot be written), too_large."}, []string{"reason"}),
		segments:      counter("cambium_engine_segments_written_total", "Segments written by flushes."),
		flushedBytes:  counter("cambium_engine_flushed_bytes_total", "Bytes of segments written by flushes."),
		flushFailures: counter("cambium_engine_flush_failures_total", "Flushes that failed and are tried again."),
		flushSeconds: prometheus.NewHistogram(prometheus.HistogramOpts{Name: "cambium_engine_flush_seconds",
			Help: "Duration of flushes.", Buckets: prometheus.ExponentialBuckets(0.01, 3, 9)}),
		droppedEvents: counter("cambium_engine_tail_dropped_entries_total", "Entries that slow subscribers did not get."),
		deletesPending: prometheus.NewGauge(prometheus.GaugeOpts{Name: "cambium_engine_delete_requests_pending",
			Help: "Delete requests of which something may still be stored."}),
		deletesProcessed: counter("cambium_engine_delete_requests_processed_total", "Delete requests of which nothing is stored any more."),
	}
	gauge := func(name, help string, value func() float64) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, value)
	}
	collectors := []prometheus.Collector{m.appendedEntries, m.appendedBytes, m.refused, m.segments, m.flushedBytes, m.flushFailures, m.flushSeconds, m.droppedEvents, m.deletesPending, m.deletesProcessed,
		gauge("cambium_engine_flush_failing", "1 while the last flush has failed.", func() float64 {
			if e.FlushError() != nil {
				return 1
			}
			return 0
		}),
		gauge("cambium_engine_replayed_entries", "Entries found in the write-ahead log at the start.", func() float64 { return float64(e.replayed.Entries) }),
	}
	reg.MustRegister(collectors...) // a registry of our own
	return m
}

// publishMetrics shows the engine's registry to the outside until the engine closes.
func (e *Engine) publishMetrics() {
	if e.opts.Registerer == nil {
		return
	}
	if err := e.opts.Registerer.Register(e.registry); err != nil {
		e.opts.Logger.Warn("The metrics of this engine are not shown, because another one's are", "dir", e.opts.DataDir, "error", err)
		return
	}
	e.onClose(func() error { e.opts.Registerer.Unregister(e.registry); return nil })
}
