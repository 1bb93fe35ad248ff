package plugin

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/stretchr/testify/require"
)

func TestInterpolate(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{`rate({a="b"}[$__interval])`, `rate({a="b"}[30s])`},
		{`rate({a="b"}[${__interval}])`, `rate({a="b"}[30s])`},
		{`rate({a="b"}[$__auto])`, `rate({a="b"}[1m])`},
		{`rate({a="b"}[$__rate_interval])`, `rate({a="b"}[1m])`},
		{`rate({a="b"}[$__range])`, `rate({a="b"}[3600s])`},
		{`{a="b"} | x > $__interval_ms and y > $__range_s and z > $__range_ms`, `{a="b"} | x > 30000 and y > 3600 and z > 3600000`},
		{`{a="b"} |= "$__intervals" |= "$5"`, `{a="b"} |= "$__intervals" |= "$5"`},
		{`{a="b"}`, `{a="b"}`},
	} {
		require.Equal(t, c.want, interpolate(c.in, time.Hour, 30*time.Second, time.Minute), c.in)
	}
}

func TestFormatDuration(t *testing.T) {
	for d, want := range map[time.Duration]string{
		time.Hour: "1h", 90 * time.Minute: "90m", 15 * time.Second: "15s", 1500 * time.Millisecond: "1500ms", time.Microsecond: "1ms",
	} {
		require.Equal(t, want, formatDuration(d))
	}
}

func TestPlanQuery(t *testing.T) {
	end := time.Unix(1_800_000_000, 0)
	query := func(text string, span, interval time.Duration) backend.DataQuery {
		return backend.DataQuery{RefID: "A", JSON: json.RawMessage(text), Interval: interval, TimeRange: backend.TimeRange{From: end.Add(-span), To: end}}
	}
	for _, c := range []struct {
		name     string
		json     string
		span     time.Duration
		interval time.Duration
		kind     string
		step     time.Duration
		lines    int
		err      string
	}{
		{name: "defaults", json: `{"expr":"{a=\"b\"}"}`, span: time.Hour, interval: 15 * time.Second, kind: queryRange, step: 15 * time.Second, lines: 1000},
		{name: "own step", json: `{"expr":"x","step":"2m"}`, span: time.Hour, interval: time.Second, kind: queryRange, step: 2 * time.Minute, lines: 1000},
		{name: "step in seconds", json: `{"expr":"x","step":"0.5"}`, span: time.Hour, interval: time.Second, kind: queryRange, step: 500 * time.Millisecond, lines: 1000},
		{name: "step from a variable", json: `{"expr":"x","step":"$__interval"}`, span: time.Hour, interval: 7 * time.Second, kind: queryRange, step: 7 * time.Second, lines: 1000},
		{name: "too many points", json: `{"expr":"x","step":"1s"}`, span: 24 * time.Hour, interval: time.Second, kind: queryRange, step: 7855 * time.Millisecond, lines: 1000},
		{name: "old instant flag", json: `{"expr":"x","instant":true}`, span: time.Hour, interval: time.Second, kind: queryInstant, step: time.Second, lines: 1000},
		{name: "limit as text", json: `{"expr":"x","maxLines":"5"}`, span: time.Hour, interval: time.Second, kind: queryRange, step: time.Second, lines: 5},
		{name: "empty", json: `{"expr":"  "}`, span: time.Hour, interval: time.Second, err: "the query is empty"},
		{name: "unknown type", json: `{"expr":"x","queryType":"scan"}`, span: time.Hour, interval: time.Second, err: `query type "scan"`},
		{name: "bad step", json: `{"expr":"x","step":"often"}`, span: time.Hour, interval: time.Second, err: `step "often"`},
		{name: "bad direction", json: `{"expr":"x","direction":"up"}`, span: time.Hour, interval: time.Second, err: "invalid direction 'up'"},
		{name: "empty range", json: `{"expr":"x"}`, err: "the time range is empty"},
		{name: "not JSON", json: `[`, span: time.Hour, err: "the query is not valid"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, err := planQuery(query(c.json, c.span, c.interval), 1000)
			if c.err != "" {
				require.ErrorContains(t, err, c.err)
				return
			}
			require.NoError(t, err)
			require.Equal(t, c.kind, p.kind)
			require.Equal(t, c.step, p.step)
			require.Equal(t, c.lines, p.maxLines)
		})
	}
}
