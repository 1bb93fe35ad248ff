package ingest

import (
	"strings"
	"unicode/utf8"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
)

// parseLabels reads label text such as {app="web", env="prod"}. The pairs are as written: unsorted, possibly empty or repeated.
// Errors are those of the Prometheus parser.
func parseLabels(text string, pairs []labels.Label) ([]labels.Label, error) {
	if text == "" {
		return pairs, nil
	}
	if parsed, ok := parsePlainLabels(text, pairs); ok {
		return parsed, nil
	}
	parsed, err := labelParser.ParseMetric(text)
	if err != nil {
		return nil, err
	}
	parsed.Range(func(l labels.Label) { pairs = append(pairs, l) })
	return pairs, nil
}

var labelParser = parser.NewParser(parser.Options{})

// parsePlainLabels reads the form that senders write: plain names, double quotes, no escapes. Otherwise ok is false.
func parsePlainLabels(text string, pairs []labels.Label) (_ []labels.Label, ok bool) {
	if len(text) < 2 || text[0] != '{' || text[len(text)-1] != '}' || !utf8.ValidString(text) {
		return nil, false
	}
	rest := strings.Trim(text[1:len(text)-1], " ")
	for rest != "" {
		n := 0
		for n < len(rest) && nameByte[rest[n]] {
			n++
		}
		if n == 0 || (rest[0] >= '0' && rest[0] <= '9') || !strings.HasPrefix(rest[n:], `="`) {
			return nil, false
		}
		name := rest[:n]
		rest = rest[n+2:]
		end := strings.IndexByte(rest, '"')
		if end < 0 || strings.ContainsAny(rest[:end], "\\\n") {
			return nil, false
		}
		pairs = append(pairs, labels.Label{Name: name, Value: rest[:end]})
		rest = strings.TrimLeft(rest[end+1:], " ")
		if rest == "" {
			break
		}
		if rest[0] != ',' {
			return nil, false
		}
		rest = strings.TrimLeft(rest[1:], " ")
	}
	return pairs, true
}
