package query

import (
	"errors"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics count queries from their turn on; those that wait for it are not running.
type metrics struct {
	running prometheus.Gauge
	ended   *prometheus.CounterVec
}

func newMetrics(reg prometheus.Registerer) *metrics {
	m := &metrics{
		running: prometheus.NewGauge(prometheus.GaugeOpts{Name: "cambium_query_running", Help: "Queries that are being executed."}),
		ended: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "cambium_query_ended_total",
			Help: "Queries that ended: answered, cancelled by the client, timed_out, or failed."}, []string{"outcome"}),
	}
	for _, outcome := range []string{"answered", "cancelled", "timed_out", "failed"} {
		m.ended.WithLabelValues(outcome)
	}
	if reg != nil {
		reg.MustRegister(m.running, m.ended)
	}
	return m
}

// end counts a query that ran, by its error.
func (m *metrics) end(err error) {
	m.running.Dec()
	outcome := "failed"
	switch {
	case err == nil:
		outcome = "answered"
	case errors.Is(err, ErrCanceled):
		outcome = "cancelled"
	case errors.Is(err, ErrTimeout):
		outcome = "timed_out"
	}
	m.ended.WithLabelValues(outcome).Inc()
}
