package compact

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

type metrics struct {
	passes, failures                prometheus.Counter
	lastPass                        prometheus.Gauge
	merges, sources                 prometheus.Counter
	readBytes, writtenBytes         prometheus.Counter
	chunksCopied, chunksMerged      prometheus.Counter
	rowsDuplicate, rowsErased       prometheus.Counter
	marked, deleted                 prometheus.Counter
	damaged, waiting, leaseNotTaken prometheus.Gauge
}

func newMetrics(reg prometheus.Registerer) *metrics {
	f := promauto.With(reg)
	counter := func(name, help string) prometheus.Counter {
		return f.NewCounter(prometheus.CounterOpts{Name: "cambium_compact_" + name, Help: help})
	}
	gauge := func(name, help string) prometheus.Gauge {
		return f.NewGauge(prometheus.GaugeOpts{Name: "cambium_compact_" + name, Help: help})
	}
	return &metrics{
		passes:        counter("passes_total", "Passes over all tenants that ended without an error."),
		failures:      counter("failures_total", "Days of tenants that could not be compacted."),
		lastPass:      gauge("last_pass_timestamp_seconds", "When the last pass without an error ended."),
		merges:        counter("merges_total", "Segments that were written."),
		sources:       counter("sources_total", "Segments that were replaced."),
		readBytes:     counter("read_bytes_total", "Bytes of chunks that were read."),
		writtenBytes:  counter("written_bytes_total", "Bytes of segments that were written."),
		chunksCopied:  counter("chunks_copied_total", "Chunks that were copied as they are."),
		chunksMerged:  counter("chunks_merged_total", "Chunks that were decoded and merged."),
		rowsDuplicate: counter("duplicate_rows_total", "Entries that were dropped because they were there twice."),
		rowsErased:    counter("erased_rows_total", "Entries that were dropped because they are deleted or past their retention."),
		marked:        counter("marked_segments_total", "Segments that were marked for deletion."),
		deleted:       counter("deleted_segments_total", "Segments that were deleted after the grace period."),
		damaged:       gauge("damaged_segments", "Segments that cannot be read and are left alone."),
		waiting:       gauge("waiting_segments", "Segments that are marked and wait for the grace period to end."),
		leaseNotTaken: gauge("lease_elsewhere", "1 while another process compacts."),
	}
}
