package e2e

import (
	"context"
	"encoding/json"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/cambium-logs/cambium/pkg/workbench"
)

// streamKey is a label that tells the sources apart, whichever they are.
func streamKey(s workbench.Source) (label, value string) {
	if v := s.Labels.Get("system"); v != "" {
		return "system", v
	}
	return "service_name", s.Labels.Get("service_name")
}

// load pushes all sources and returns how many lines there are.
func load(t *testing.T, l *lab, sources []workbench.Source) int {
	t.Helper()
	loader := &workbench.Loader{URL: l.server.URL + workbench.PushPath, Role: "Editor"}
	total := 0
	for _, batch := range workbench.Batches(sources) {
		require.NoError(t, loader.Push(context.Background(), &batch))
		for _, stream := range batch.Streams {
			total += len(stream.Entries)
		}
	}
	return total
}

func TestRealLogs(t *testing.T) {
	l := start(t, t.TempDir())
	now := time.Now()
	from, to := now.Add(-3*time.Hour), now
	sources := realLogs(t, from, to)
	total := load(t, l, sources)
	label, _ := streamKey(sources[0])

	check := func(t *testing.T) {
		t.Run("by label", func(t *testing.T) {
			counts := l.numbers(`sum by (`+label+`) (count_over_time({job="demo"}[4h]))`, label, 4*time.Hour, to.Add(time.Minute))
			for _, s := range sources {
				_, value := streamKey(s)
				require.Equal(t, float64(distinct(s.Lines)), counts[value], value)
			}
			first := sources[0]
			_, value := streamKey(first)
			want := make([]string, 0, 50)
			for _, line := range first.Lines[:50] {
				want = append(want, line.Text)
			}
			got := l.lines(`{`+label+`="`+value+`"}`, from, to)
			require.Equal(t, want, got[:50])
		})
		t.Run("by substring and regex", func(t *testing.T) {
			for stage, keep := range map[string]func(string) bool{
				`|= "error"`:                     func(s string) bool { return strings.Contains(s, "error") },
				`|~ "[Ff]ail(ed|ure)?\\b.*\\d+"`: func(re *regexp.Regexp) func(string) bool { return re.MatchString }(regexp.MustCompile(`[Ff]ail(ed|ure)?\b.*\d+`)),
				`!= "a" |= "e"`:                  func(s string) bool { return !strings.Contains(s, "a") && strings.Contains(s, "e") },
			} {
				want := map[string]float64{}
				for _, s := range sources {
					_, value := streamKey(s)
					if n := distinctIf(s.Lines, keep); n > 0 {
						want[value] = float64(n)
					}
				}
				got := l.numbers(`sum by (`+label+`) (count_over_time({job="demo"} `+stage+` [4h]))`, label, 4*time.Hour, to.Add(time.Minute))
				require.Equal(t, want, got, stage)
			}
		})
		t.Run("counted per minute", func(t *testing.T) {
			want := map[int64]float64{}
			for _, s := range sources {
				seen := map[workbenchKey]bool{}
				for _, line := range s.Lines {
					if k := keyOf(line); !seen[k] {
						seen[k] = true
						// A point at a full minute counts what came after the one before it.
						want[line.Time.Add(time.Minute-1).Truncate(time.Minute).UnixMilli()]++
					}
				}
			}
			frames := l.query(map[string]any{"expr": `sum(count_over_time({job="demo"}[1m]))`, "step": "1m"},
				from.Truncate(time.Minute), to.Truncate(time.Minute).Add(time.Minute))
			require.Len(t, frames, 1)
			var times []int64
			var values []float64
			require.NoError(t, json.Unmarshal(frames[0].Data.Values[0], &times))
			require.NoError(t, json.Unmarshal(frames[0].Data.Values[1], &values))
			got := map[int64]float64{}
			for i := range times {
				got[times[i]] = values[i]
			}
			require.Equal(t, want, got)
		})
		t.Run("volume", func(t *testing.T) {
			frames := l.query(map[string]any{"expr": `{job="demo"}`, "queryType": "volume", "intervalMs": 600000}, from, to.Add(time.Second))
			sum := 0.0
			for _, f := range frames {
				var values []float64
				require.NoError(t, json.Unmarshal(f.Data.Values[1], &values))
				require.NotEmpty(t, f.Schema.Fields[1].Labels["level"])
				for _, v := range values {
					sum += v
				}
			}
			lines := 0
			for _, s := range sources {
				lines += distinct(s.Lines)
			}
			require.Equal(t, float64(lines), sum)
		})
	}
	t.Run("in the head", check)
	status, text := l.do("POST", resources+"/flush", nil)
	require.Equal(t, 204, status, text)
	t.Run("in segments", check)
	_, message := l.health()
	require.Contains(t, message, l.data)
	t.Logf("%d lines; %s", total, message)
	l.stop()
	l = start(t, l.data)
	t.Run("after a restart", check)
}

// workbenchKey is what makes two entries of one stream one.
type workbenchKey struct {
	at       int64
	text     string
	metadata string
}

func keyOf(l workbench.Line) workbenchKey {
	k := workbenchKey{at: l.Time.UnixNano(), text: l.Text}
	for _, m := range l.Metadata {
		k.metadata += m.Name + "=" + m.Value + ";"
	}
	return k
}

func distinct(lines []workbench.Line) int {
	return distinctIf(lines, func(string) bool { return true })
}

func distinctIf(lines []workbench.Line, keep func(string) bool) int {
	seen := map[workbenchKey]bool{}
	for _, line := range lines {
		if keep(line.Text) {
			seen[keyOf(line)] = true
		}
	}
	return len(seen)
}
