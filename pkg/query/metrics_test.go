package query

import (
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"
)

func TestMetricsCountOutcomes(t *testing.T) {
	m := newMetrics(prometheus.NewRegistry())
	for _, err := range []error{nil, ErrCanceled, ErrTimeout, ErrNotLogQuery} {
		m.running.Inc()
		m.end(err)
	}
	require.Zero(t, testutil.ToFloat64(m.running))
	for _, outcome := range []string{"answered", "cancelled", "timed_out", "failed"} {
		require.Equal(t, 1.0, testutil.ToFloat64(m.ended.WithLabelValues(outcome)), outcome)
	}
}
