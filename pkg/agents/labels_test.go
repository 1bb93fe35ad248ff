package agents

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A million labels on one stream are refused by their number, a million streams by the limit of streams; both are counted, the answer is
// short, and what is not refused is kept.
func TestMillionLabels(t *testing.T) {
	const million = 1_000_000
	url, process := serve(t, "auth: {mode: none}\nlimits: {ingestion_rate_mb: 1000, ingestion_burst_size_mb: 1000}\n")
	v := &victim{t, url}
	now := time.Now().UnixNano()
	memory := watchMemory(t, process)

	var one strings.Builder
	one.WriteString(`{"streams":[{"stream":{`)
	for i := range million {
		fmt.Fprintf(&one, `"l%d":"v",`, i)
	}
	fmt.Fprintf(&one, `"z":"v"},"values":[["%d","x"]]},{"stream":{"app":"neighbour"},"values":[["%d","x"]]}]}`, now, now)
	status, text, err := v.push("application/json", "", strings.NewReader(one.String()))
	require.NoError(t, err)
	require.Equal(t, http.StatusBadRequest, status)
	require.Contains(t, text, "has 1000001 label names; limit 15")
	require.Less(t, len(text), 64<<10)
	require.EqualValues(t, 1, v.metric("cambium_discarded_samples_total", `reason="max_label_names_per_series"`))

	var many strings.Builder
	many.WriteString(`{"streams":[`)
	for i := range million {
		fmt.Fprintf(&many, `{"stream":{"app":"a%d"},"values":[["%d","x"]]},`, i, now)
	}
	fmt.Fprintf(&many, `{"stream":{"app":"neighbour"},"values":[["%d","y"]]}]}`, now)
	status, text, err = v.push("application/json", "", strings.NewReader(many.String()))
	require.NoError(t, err)
	require.Equal(t, http.StatusTooManyRequests, status)
	require.Contains(t, text, "maximum active stream limit exceeded")
	require.Less(t, len(text), 64<<10)
	const limit = 5000 // max_global_streams_per_user; the neighbour is one of them
	require.EqualValues(t, million-limit+1, v.metric("cambium_discarded_samples_total", `reason="stream_limit"`))

	require.Less(t, memory(), int64(3<<30))
	d := &door{name: "listener", base: url, tenant: func(string) string { return "" }}
	require.Equal(t, 2, d.count(t, "", `{app="neighbour"}`))
	require.Equal(t, limit-1, d.count(t, "", `{app=~"a.*"}`))
}
