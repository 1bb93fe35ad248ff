package loggen

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/golang/snappy"
	"github.com/grafana/loki/pkg/push"
	"github.com/stretchr/testify/require"
)

// TestLines: what is made is about as much as asked for, in order, the same every time, with the planted texts as rare as they are said to be.
func TestLines(t *testing.T) {
	begin := time.Unix(1_700_000_000, 0)
	make := func() (lines []Line, needle string) {
		needle, err := Each(Options{Bytes: 8 << 20, Begin: begin, End: begin.Add(time.Hour)}, func(l Line) error {
			lines = append(lines, l)
			return nil
		})
		require.NoError(t, err)
		return lines, needle
	}
	lines, needle := make()
	again, _ := make()
	require.Equal(t, lines, again)
	size, found, rare, common := 0, 0, 0, 0
	last := begin
	for _, l := range lines {
		require.False(t, l.Time.Before(last))
		last = l.Time
		size += len(l.Text)
		found += strings.Count(l.Text, needle)
		rare += strings.Count(l.Text, RareWord)
		common += strings.Count(l.Text, CommonWord)
		if l.System == "web-json" {
			require.True(t, json.Valid([]byte(l.Text)), l.Text)
		}
	}
	require.Equal(t, 1, found)
	require.InEpsilon(t, 8<<20, size, 0.1)
	require.InDelta(t, len(lines)/10000, rare, 10)
	require.InEpsilon(t, len(lines)/10, common, 0.1)
}

// TestWrite: pushes hold the lines of the file, each once and in order of time within a stream, in pushes of 1 MiB of one host.
func TestWrite(t *testing.T) {
	dir := t.TempDir()
	begin := time.Unix(1_700_000_000, 0)
	require.NoError(t, Write(Options{Bytes: 24 << 20, Begin: begin, End: begin.Add(time.Hour)}, dir))
	pushes := filepath.Join(dir, PushesFile)
	data, err := os.ReadFile(LinesOf(pushes))
	require.NoError(t, err)
	want := map[string]int{}
	for line := range strings.Lines(string(data)) {
		want[strings.TrimSuffix(line, "\n")]++
	}
	last := map[string]time.Time{}
	large, all := 0, 0
	require.NoError(t, Pushes(pushes, func(body []byte, raw, lines int64) error {
		message, err := snappy.Decode(nil, body)
		require.NoError(t, err)
		var r push.PushRequest
		require.NoError(t, r.Unmarshal(message))
		host := regexp.MustCompile(`host="[^"]*"`).FindString(r.Streams[0].Labels)
		for _, s := range r.Streams {
			require.Contains(t, s.Labels, host)
			for _, e := range s.Entries {
				require.False(t, e.Timestamp.Before(last[s.Labels]))
				last[s.Labels] = e.Timestamp
				want[e.Line]--
				raw -= int64(len(e.Line))
				lines--
			}
		}
		require.Zero(t, raw)
		require.Zero(t, lines)
		if all++; len(message) > 1<<20 {
			large++
		}
		return nil
	}))
	require.GreaterOrEqual(t, large, all-8, "only the last push of each host is smaller")
	for line, n := range want {
		require.Zero(t, n, line)
	}
	facts, err := FactsOf(pushes)
	require.NoError(t, err)
	require.Equal(t, 1, strings.Count(string(data), facts.Needle))
}
