package plugin

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/cespare/xxhash/v2"
	"github.com/grafana/grafana-plugin-sdk-go/data"
	"github.com/prometheus/prometheus/model/labels"

	"github.com/cambium-logs/cambium/pkg/query"
)

// Label categories of the labelTypes field.
const (
	labelIndexed    = "I"
	labelStructured = "S"
	labelParsed     = "P"
)

// levelNames are the labels that tell a line's level, the best one first.
var levelNames = []string{"detected_level", "level", "severity", "severity_text", "lvl"}

// logFrame makes the log-lines frame of entries, in their order. meta gives what is told beside the rows.
func logFrame(entries []query.Entry, meta *data.FrameMeta) *data.Frame {
	n := len(entries)
	times := make([]time.Time, n)
	bodies := make([]string, n)
	severities := make([]string, n)
	ids := make([]string, n)
	labelSets := make([]json.RawMessage, n)
	types := make([]json.RawMessage, n)
	shown := map[*query.EntryLabels]*shownLabels{}
	rows := newRowIDs()
	for i, e := range entries {
		ls := shown[e.Labels]
		if ls == nil {
			ls = showLabels(e.Labels)
			shown[e.Labels] = ls
		}
		times[i] = time.Unix(0, e.Timestamp).UTC()
		bodies[i] = e.Line
		severities[i] = ls.severity
		ids[i] = rows.id(e.Timestamp, ls.hash, e.Line)
		labelSets[i] = ls.labels
		types[i] = ls.types
	}
	typesField := data.NewField("labelTypes", nil, types)
	typesField.Config = &data.FieldConfig{Custom: map[string]any{"hidden": true}}
	frame := data.NewFrame("",
		data.NewField("labels", nil, labelSets),
		data.NewField("timestamp", nil, times),
		data.NewField("body", nil, bodies),
		data.NewField("severity", nil, severities),
		data.NewField("id", nil, ids),
		typesField,
	)
	meta.Type, meta.TypeVersion = data.FrameTypeLogLines, data.FrameTypeVersion{0, 0}
	meta.PreferredVisualization = data.VisTypeLogs
	frame.Meta = meta
	return frame
}

// shownLabels are the labels of an entry as the frame shows them; entries share them.
type shownLabels struct {
	labels, types json.RawMessage
	severity      string
	hash          uint64
}

func showLabels(e *query.EntryLabels) *shownLabels {
	values, types := map[string]string{}, map[string]string{}
	add := func(ls labels.Labels, kind string) {
		ls.Range(func(l labels.Label) { values[l.Name], types[l.Name] = l.Value, kind })
	}
	add(e.Stream, labelIndexed)
	add(e.Metadata, labelStructured)
	add(e.Parsed, labelParsed)
	out := &shownLabels{
		labels: jsonObject(values), types: jsonObject(types),
		// What a query extracts from a line does not make it another line.
		hash: e.Stream.Hash() ^ (e.Metadata.Hash()*31 + 17),
	}
	for _, name := range levelNames {
		if value := values[name]; value != "" {
			out.severity = value
			break
		}
	}
	return out
}

// jsonObject encodes a map of strings; bytes that are not UTF-8 become U+FFFD.
func jsonObject(m map[string]string) json.RawMessage {
	text, err := json.Marshal(m)
	if err != nil { // no value of a map of strings cannot be encoded
		return json.RawMessage("{}")
	}
	return text
}

// rowIDs makes ids that are the same for the same line in every answer, and unique within one: permalinks, infinite scroll and log
// context tell rows apart by them.
type rowIDs struct {
	seen   map[string]int
	digest *xxhash.Digest
}

func newRowIDs() *rowIDs { return &rowIDs{seen: map[string]int{}, digest: xxhash.New()} }

func (r *rowIDs) id(timestamp int64, labelsHash uint64, line string) string {
	r.digest.Reset()
	var head [8]byte
	for i := range head {
		head[i] = byte(labelsHash >> (8 * i))
	}
	_, _ = r.digest.Write(head[:])
	_, _ = r.digest.WriteString(line)
	id := fmt.Sprintf("%d_%016x", timestamp, r.digest.Sum64())
	r.seen[id]++
	if again := r.seen[id]; again > 1 {
		return fmt.Sprintf("%s_%d", id, again)
	}
	return id
}

// sortedNames gives the names of a label set that a legend or a display name can use.
func sortedNames(m map[string]string) []string {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
