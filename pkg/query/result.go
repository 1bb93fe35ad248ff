package query

import (
	"slices"
	"strings"

	"github.com/prometheus/prometheus/model/labels"
)

// ResultType names what a Result holds, as the API does.
type ResultType string

// Result types.
const (
	ResultStreams ResultType = "streams"
	ResultMatrix  ResultType = "matrix"
	ResultVector  ResultType = "vector"
	ResultScalar  ResultType = "scalar"
)

// Result is a query's answer. Type says which of Entries, Matrix, Vector and Scalar is meant.
type Result struct {
	Type     ResultType
	Entries  []Entry  // in query direction over all streams
	Matrix   []Series // sorted by labels
	Vector   []Sample // sorted by labels, or as the outermost sort or sort_desc ordered them
	Scalar   Point
	Stats    Stats
	Warnings []string
	Plan     *Plan // when asked for
}

// Entry is one log line of a result.
type Entry struct {
	Timestamp int64
	Line      string
	Labels    *EntryLabels // shared between entries with equal labels
}

// EntryLabels are an entry's labels behind the pipeline, by category. No name is in two of them.
type EntryLabels struct {
	Stream, Metadata, Parsed labels.Labels
}

// All gives the three categories as one label set.
func (l *EntryLabels) All() labels.Labels {
	if l.Metadata.IsEmpty() && l.Parsed.IsEmpty() {
		return l.Stream
	}
	var all []labels.Label
	for _, part := range []labels.Labels{l.Stream, l.Metadata, l.Parsed} {
		part.Range(func(lb labels.Label) { all = append(all, lb) })
	}
	return labels.New(all...)
}

func (l *EntryLabels) equal(o *EntryLabels) bool {
	return labels.Equal(l.Stream, o.Stream) && labels.Equal(l.Metadata, o.Metadata) && labels.Equal(l.Parsed, o.Parsed)
}

// Point is a value at a time.
type Point struct {
	Timestamp int64
	Value     float64
}

// Series is a label set with its points in ascending time.
type Series struct {
	Labels labels.Labels
	Points []Point
}

// Sample is a label set with one point.
type Sample struct {
	Labels labels.Labels
	Point
}

// Stream is a result stream: entries under the labels that they share.
type Stream struct {
	Labels  labels.Labels
	Entries []Entry
}

// Streams groups the entries by all their labels or, when byStream, by those of the stream category alone; then metadata and parsed labels
// are to be shown with each entry. Streams are sorted by the canonical text of their labels; entries keep the query's direction.
func (r *Result) Streams(byStream bool) []Stream {
	byText := map[string]int{}
	byLabels := map[*EntryLabels]int{}
	var streams []Stream
	var texts []string
	for _, e := range r.Entries {
		i, ok := byLabels[e.Labels]
		if !ok {
			ls := e.Labels.Stream
			if !byStream {
				ls = e.Labels.All()
			}
			text := ls.String()
			if i, ok = byText[text]; !ok {
				i = len(streams)
				byText[text] = i
				streams = append(streams, Stream{Labels: ls})
				texts = append(texts, text)
			}
			byLabels[e.Labels] = i
		}
		streams[i].Entries = append(streams[i].Entries, e)
	}
	order := make([]int, len(streams))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return strings.Compare(texts[a], texts[b]) })
	sorted := make([]Stream, len(streams))
	for i, at := range order {
		sorted[i] = streams[at]
	}
	return sorted
}
