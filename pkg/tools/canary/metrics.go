package canary

import (
	"errors"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// metrics are shown while the canary runs.
type metrics struct {
	registry  *prometheus.Registry
	sent      prometheus.Counter
	acked     prometheus.Counter
	refused   prometheus.Counter
	dropped   prometheus.Counter
	found     *prometheus.CounterVec // by kind and channel
	push      prometheus.Histogram
	tail      prometheus.Histogram
	queryFail prometheus.Counter
}

func newMetrics() *metrics {
	buckets := prometheus.ExponentialBuckets(0.001, 2, 16)
	m := &metrics{
		registry: prometheus.NewRegistry(),
		sent:     prometheus.NewCounter(prometheus.CounterOpts{Name: "cambium_canary_lines_sent_total", Help: "Lines that were pushed."}),
		acked:    prometheus.NewCounter(prometheus.CounterOpts{Name: "cambium_canary_lines_acknowledged_total", Help: "Lines whose push succeeded."}),
		refused:  prometheus.NewCounter(prometheus.CounterOpts{Name: "cambium_canary_lines_refused_total", Help: "Lines whose push failed."}),
		dropped:  prometheus.NewCounter(prometheus.CounterOpts{Name: "cambium_canary_tail_dropped_total", Help: "Lines of which the server said that the tail lost them."}),
		found: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "cambium_canary_lines_wrong_total",
			Help: "Acknowledged lines that were missing, late or duplicate, by the way in which they were read."}, []string{"kind", "by"}),
		push:      prometheus.NewHistogram(prometheus.HistogramOpts{Name: "cambium_canary_push_seconds", Help: "Time until a push is acknowledged.", Buckets: buckets}),
		tail:      prometheus.NewHistogram(prometheus.HistogramOpts{Name: "cambium_canary_tail_delay_seconds", Help: "Time from the acknowledgement to the tail.", Buckets: buckets}),
		queryFail: prometheus.NewCounter(prometheus.CounterOpts{Name: "cambium_canary_query_failures_total", Help: "Queries that failed; the lines are asked for again."}),
	}
	m.registry.MustRegister(m.sent, m.acked, m.refused, m.dropped, m.found, m.push, m.tail, m.queryFail)
	for _, kind := range []string{"missing", "late", "duplicate"} {
		for c := range channels {
			m.found.WithLabelValues(kind, c.String())
		}
	}
	return m
}

// serve shows the metrics at /metrics of a loopback address until stop is called.
func (m *metrics) serve(address string) (bound string, stop func(), err error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return "", nil, errors.New("-metrics is an address like 127.0.0.1:9100")
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return "", nil, errors.New("-metrics has no authentication and must be on loopback, such as 127.0.0.1:9100")
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return "", nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("/metrics", promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{}))
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(listener)
	}()
	return listener.Addr().String(), func() { _ = server.Close(); <-done }, nil
}
