package httpapi

import (
	"net/http"
	"strconv"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend/log"
	"github.com/prometheus/client_golang/prometheus"
)

// metrics counts requests by route.
type metrics struct {
	duration *prometheus.HistogramVec
	inflight *prometheus.GaugeVec
	answered *prometheus.CounterVec
	panics   prometheus.Counter
}

func newMetrics(reg prometheus.Registerer) *metrics {
	m := &metrics{
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "cambium_http_request_duration_seconds", Help: "Time to answer requests, by route.",
			Buckets: []float64{.005, .025, .1, .25, .5, 1, 2.5, 5, 10, 30, 60},
		}, []string{"method", "route", "status_code"}),
		inflight: prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "cambium_http_inflight_requests", Help: "Requests that are being answered, by route."}, []string{"method", "route"}),
		answered: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "cambium_http_response_bytes_total", Help: "Bytes of answers before compression, by route."}, []string{"route"}),
		panics:   prometheus.NewCounter(prometheus.CounterOpts{Name: "cambium_http_panics_total", Help: "Requests that failed because of a defect."}),
	}
	if reg != nil {
		reg.MustRegister(m.duration, m.inflight, m.answered, m.panics)
	}
	return m
}

// begin counts a request; the result is called at its end.
func (m *metrics) begin(route string, r *http.Request) func(status int, bytes int64) {
	start := time.Now()
	inflight := m.inflight.WithLabelValues(r.Method, route)
	inflight.Inc()
	return func(status int, bytes int64) {
		inflight.Dec()
		if status == 0 {
			status = http.StatusOK
		}
		m.duration.WithLabelValues(r.Method, route, strconv.Itoa(status)).Observe(time.Since(start).Seconds())
		m.answered.WithLabelValues(route).Add(float64(bytes))
	}
}

func logPanic(route string, recovered any, stack []byte) {
	log.DefaultLogger.Error("a request failed because of a defect", "route", route, "panic", recovered, "stack", string(stack))
}
