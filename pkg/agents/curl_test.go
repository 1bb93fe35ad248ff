package agents

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/golang/snappy"
	"github.com/grafana/loki/pkg/push"
	"github.com/stretchr/testify/require"
)

// sendCurl sends a third of the lines as JSON, one as JSON in gzip and one as protobuf.
func sendCurl(t *testing.T, curl string, a *agent, d *door, lines []string) {
	start := time.Now().Add(-time.Minute)
	third := (len(lines) + 2) / 3
	for i, headers := range [][]string{
		{"Content-Type: application/json"},
		{"Content-Type: application/json", "Content-Encoding: gzip"},
		{"Content-Type: application/x-protobuf"},
	} {
		from := i * third
		part := lines[from:min(from+third, len(lines))]
		var body []byte
		if i == 2 {
			body = protobufBody(t, a.name, start.Add(time.Duration(from)), part)
		} else {
			body = jsonBody(t, a.name, start.Add(time.Duration(from)), part)
		}
		if i == 1 {
			body = gzipped(t, body)
		}
		file := filepath.Join(t.TempDir(), "body")
		require.NoError(t, os.WriteFile(file, body, 0o600))
		args := []string{"-sS", "-X", "POST", d.url("/loki/api/v1/push"), "--data-binary", "@" + file, "-w", "%{http_code}", "-H", "Authorization: Bearer " + d.token(a.name)}
		for _, header := range headers {
			args = append(args, "-H", header)
		}
		require.Equal(t, "204", runClient(t, exec.Command(curl, args...)))
	}
}

func jsonBody(t testing.TB, agent string, from time.Time, lines []string) []byte {
	t.Helper()
	values := make([][2]string, len(lines))
	for i, line := range lines {
		values[i] = [2]string{fmt.Sprint(from.UnixNano() + int64(i)), line}
	}
	body, err := json.Marshal(map[string]any{"streams": []any{map[string]any{"stream": map[string]string{"agent": agent}, "values": values}}})
	require.NoError(t, err)
	return body
}

func protobufBody(t testing.TB, agent string, from time.Time, lines []string) []byte {
	t.Helper()
	stream := push.Stream{Labels: fmt.Sprintf("{agent=%q}", agent)}
	for i, line := range lines {
		stream.Entries = append(stream.Entries, push.Entry{Timestamp: from.Add(time.Duration(i)), Line: line})
	}
	request := push.PushRequest{Streams: []push.Stream{stream}}
	body, err := request.Marshal()
	require.NoError(t, err)
	return snappy.Encode(nil, body)
}
