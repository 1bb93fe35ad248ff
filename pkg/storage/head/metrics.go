package head

import "github.com/prometheus/client_golang/prometheus"

type metrics struct {
	seriesCreated, seriesForgotten, duplicates, encoded prometheus.Counter
}

func newMetrics(reg prometheus.Registerer, h *Head) *metrics {
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Name: name, Help: help})
	}
	m := &metrics{
		seriesCreated:   counter("cambium_head_streams_created_total", "Streams that became active."),
		seriesForgotten: counter("cambium_head_streams_forgotten_total", "Streams that are no longer active."),
		duplicates:      counter("cambium_head_duplicate_entries_total", "Entries dropped on arrival because they were there already."),
		encoded:         counter("cambium_head_chunks_encoded_total", "Chunks encoded."),
	}
	gauge := func(name, help string, value func() float64) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, value)
	}
	collectors := []prometheus.Collector{m.seriesCreated, m.seriesForgotten, m.duplicates, m.encoded,
		gauge("cambium_head_memory_bytes", "Memory of entries that are not in a segment yet.", func() float64 { return float64(h.Memory()) }),
		gauge("cambium_head_raw_bytes", "Lines and structured metadata that are not in a segment yet, uncompressed.", func() float64 { return float64(h.RawBytes()) }),
		gauge("cambium_head_max_bytes", "What cambium_head_memory_bytes and cambium_head_raw_bytes may reach before pushes are refused.", func() float64 { return float64(h.opts.MaxBytes) }),
		gauge("cambium_head_active_streams", "Active streams of all tenants.", func() float64 {
			n := 0
			for _, id := range h.Tenants() {
				n += h.ActiveStreams(id)
			}
			return float64(n)
		}),
	}
	if reg != nil {
		reg.MustRegister(collectors...)
	}
	return m
}
