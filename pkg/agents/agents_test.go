package agents

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// agent is a client that nobody here wrote.
type agent struct {
	name     string
	selector string            // of the one stream that it writes
	labels   map[string]string // of that stream, service_name apart
	// prepare installs and builds what the agent needs, or skips the test with the reason.
	prepare func(t *testing.T) string
	// send has the agent send the lines and returns when it has; tool is what prepare returned.
	send func(t *testing.T, tool string, a *agent, d *door, lines []string)
}

var all = []agent{
	{name: "curl", prepare: onPath("curl"), send: sendCurl},
	{name: "loki-client-go", prepare: prepareClients, send: sendGoClient},
	{name: "otlploghttp", selector: `{service_name="otlploghttp"}`, labels: map[string]string{}, prepare: prepareClients, send: sendGoClient},
	{name: "pino-loki", labels: map[string]string{"agent": "pino-loki", "level": "info", "hostname": hostname()}, prepare: prepareNpm, send: sendNpm},
	{name: "winston-loki", labels: map[string]string{"agent": "winston-loki", "level": "info"}, prepare: prepareNpm, send: sendNpm},
	{name: "winston-loki-protobuf", labels: map[string]string{"agent": "winston-loki-protobuf", "level": "info"}, prepare: prepareNpm, send: sendNpm},
	{name: "syslog-ng", prepare: prepareSyslogNG, send: sendSyslogNG},
	{name: "rsyslog", prepare: prepareRsyslog, send: sendRsyslog},
	{name: "collector", selector: `{service_name="collector"}`, labels: map[string]string{}, prepare: prepareCollector, send: sendCollector},
}

func init() {
	for i := range all {
		a := &all[i]
		if a.selector == "" {
			a.selector = `{agent="` + a.name + `"}`
		}
		if a.labels == nil {
			a.labels = map[string]string{"agent": a.name}
		}
	}
}

// TestAgents has every agent send the corpus through every door and compares what is stored with it.
func TestAgents(t *testing.T) {
	lines := corpus(t)
	names := make([]string, len(all))
	for i := range all {
		names[i] = all[i].name
	}
	doors := openDoors(t, names)
	for i := range all {
		a := &all[i]
		t.Run(a.name, func(t *testing.T) {
			tool := a.prepare(t)
			for _, d := range doors {
				t.Run(d.name, func(t *testing.T) {
					a.send(t, tool, a, d, lines)
					a.verify(t, d, lines)
				})
			}
		})
	}
}

// verify compares what is stored with what was sent: lines, order, labels.
func (a *agent) verify(t *testing.T, d *door, sent []string) {
	t.Helper()
	labels, entries := d.stored(t, a.name, a.selector)
	got := make([]string, len(entries))
	for i, e := range entries {
		got[i] = e.line
		if i > 0 {
			require.GreaterOrEqual(t, e.timestamp, entries[i-1].timestamp)
		}
	}
	if text := difference(sent, got); text != "" {
		require.Fail(t, "what is stored is not what was sent", "%d sent, %d stored: %s", len(sent), len(got), text)
	}
	require.NotEmpty(t, labels["service_name"])
	delete(labels, "service_name")
	require.Equal(t, a.labels, labels)
}
