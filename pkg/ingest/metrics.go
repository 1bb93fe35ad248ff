package ingest

import (
	"github.com/prometheus/client_golang/prometheus"
)

// Metrics counts what arrives and what is refused.
type Metrics struct {
	receivedBytes    *prometheus.CounterVec
	receivedLines    *prometheus.CounterVec
	metadataBytes    *prometheus.CounterVec
	discardedSamples *prometheus.CounterVec
	discardedBytes   *prometheus.CounterVec
	mutatedSamples   *prometheus.CounterVec
	mutatedBytes     *prometheus.CounterVec
}

// NewMetrics registers the metrics of ingestion with reg, which may be nil.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		c := prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
		if reg != nil {
			reg.MustRegister(c)
		}
		return c
	}
	return &Metrics{
		receivedBytes:    counter("cambium_ingest_received_bytes_total", "Bytes of lines and structured metadata that were received.", "tenant", "format"),
		receivedLines:    counter("cambium_ingest_received_lines_total", "Entries that were received.", "tenant", "format"),
		metadataBytes:    counter("cambium_ingest_received_structured_metadata_bytes_total", "Bytes of structured metadata that were received.", "tenant", "format"),
		discardedSamples: counter("cambium_discarded_samples_total", "Entries that were refused.", "reason", "tenant", "format"),
		discardedBytes:   counter("cambium_discarded_bytes_total", "Bytes of entries that were refused.", "reason", "tenant", "format"),
		mutatedSamples:   counter("cambium_mutated_samples_total", "Entries that were changed to fit a limit.", "reason", "tenant"),
		mutatedBytes:     counter("cambium_mutated_bytes_total", "Bytes cut off from entries to fit a limit.", "reason", "tenant"),
	}
}

func (m *Metrics) discard(reason, user, format string, entries, bytes int) {
	if entries == 0 {
		return
	}
	m.discardedSamples.WithLabelValues(reason, user, format).Add(float64(entries))
	m.discardedBytes.WithLabelValues(reason, user, format).Add(float64(bytes))
}

func (m *Metrics) mutate(reason, user string, bytes int) {
	m.mutatedSamples.WithLabelValues(reason, user).Inc()
	m.mutatedBytes.WithLabelValues(reason, user).Add(float64(bytes))
}
