package wal

import "github.com/prometheus/client_golang/prometheus"

type metrics struct {
	fsyncSeconds prometheus.Histogram
	groupAppends prometheus.Histogram
	writtenBytes prometheus.Counter
	failures     prometheus.Counter
	tornTails    prometheus.Counter
	damages      prometheus.Counter
	lostBytes    prometheus.Counter
	lostEntries  prometheus.Counter
	replayed     prometheus.Counter
}

func newMetrics(reg prometheus.Registerer, l *Log) *metrics {
	m := &metrics{
		fsyncSeconds: prometheus.NewHistogram(prometheus.HistogramOpts{Name: "cambium_wal_fsync_seconds",
			Help: "Duration of the fsyncs that acknowledge pushes.", Buckets: prometheus.ExponentialBuckets(0.0001, 2, 14)}),
		groupAppends: prometheus.NewHistogram(prometheus.HistogramOpts{Name: "cambium_wal_group_appends",
			Help: "Appends that shared one write and one fsync.", Buckets: prometheus.ExponentialBuckets(1, 2, 10)}),
		writtenBytes: prometheus.NewCounter(prometheus.CounterOpts{Name: "cambium_wal_written_bytes_total", Help: "Bytes of records written."}),
		failures:     prometheus.NewCounter(prometheus.CounterOpts{Name: "cambium_wal_failures_total", Help: "Writes or fsyncs that failed."}),
		tornTails:    prometheus.NewCounter(prometheus.CounterOpts{Name: "cambium_wal_torn_tails_total", Help: "Files whose unfinished end was cut off at a start."}),
		damages:      prometheus.NewCounter(prometheus.CounterOpts{Name: "cambium_wal_damages_total", Help: "Places that could not be read at a start, other than unfinished ends. Acknowledged entries may be lost."}),
		lostBytes:    prometheus.NewCounter(prometheus.CounterOpts{Name: "cambium_wal_damaged_bytes_total", Help: "Bytes of files, in the places that could not be read."}),
		lostEntries:  prometheus.NewCounter(prometheus.CounterOpts{Name: "cambium_wal_undeclared_entries_total", Help: "Entries not replayed because the record that declares their stream is damaged."}),
		replayed:     prometheus.NewCounter(prometheus.CounterOpts{Name: "cambium_wal_replayed_entries_total", Help: "Entries read back at a start."}),
	}
	collectors := []prometheus.Collector{m.fsyncSeconds, m.groupAppends, m.writtenBytes, m.failures, m.tornTails, m.damages, m.lostBytes, m.lostEntries, m.replayed,
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "cambium_wal_size_bytes", Help: "Bytes of the log's files."}, func() float64 {
			n, err := l.Size()
			if err != nil {
				return 0
			}
			return float64(n)
		}),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "cambium_wal_failed", Help: "1 while the log cannot be written."}, func() float64 {
			if l.Failed() != nil {
				return 1
			}
			return 0
		})}
	if reg != nil {
		reg.MustRegister(collectors...)
	}
	return m
}
