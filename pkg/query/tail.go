package query

import (
	"github.com/prometheus/prometheus/model/labels"

	"github.com/cambium-logs/cambium/pkg/logql"
	"github.com/cambium-logs/cambium/pkg/logql/pipeline"
	"github.com/cambium-logs/cambium/pkg/storage/chunk"
)

// Tailer runs a log query over entries as they arrive. It belongs to one goroutine.
type Tailer struct {
	log      *logql.LogExpr
	compiled *pipeline.Pipeline
	streams  map[uint64][]*tailedStream
	n        int
}

type tailedStream struct {
	labels   labels.Labels
	selected bool
	pipeline *pipeline.StreamPipeline
	shown    map[*pipeline.LabelsResult]*EntryLabels
}

// maxTailedStreams bounds the streams that a Tailer remembers; beyond it, it starts afresh.
const maxTailedStreams = 10_000

// NewTailer prepares a log query for tailing. Errors are *Error; a metric query gives ErrNotLogQuery.
func NewTailer(expr string, limits Limits) (*Tailer, error) {
	parsed, err := logql.Parse(expr, logql.ParseOptions{})
	if err != nil {
		return nil, badRequest("%s", err)
	}
	log, ok := parsed.(*logql.LogExpr)
	if !ok {
		return nil, ErrNotLogQuery
	}
	if err := limits.checkMatchers([][]*labels.Matcher{log.Matchers}); err != nil {
		return nil, err
	}
	compiled, err := pipeline.Compile(log.Stages, pipeline.Options{})
	if err != nil {
		return nil, badRequest("%s", err)
	}
	return &Tailer{log: log, compiled: compiled, streams: map[uint64][]*tailedStream{}}, nil
}

// Selects reports whether the query's matchers select a stream.
func (t *Tailer) Selects(stream labels.Labels) bool { return t.stream(stream).selected }

// Process passes one entry of a stream through the query. keep is false when the query does not show it.
func (t *Tailer) Process(stream labels.Labels, e *chunk.Entry) (out Entry, keep bool) {
	s := t.stream(stream)
	if !s.selected {
		return Entry{}, false
	}
	line, result, keep := s.pipeline.Process(e.Timestamp, e.Line, e.Metadata)
	if !keep {
		return Entry{}, false
	}
	ls := s.shown[result]
	if ls == nil {
		if len(s.shown) >= maxTailedStreams {
			clear(s.shown)
		}
		ls = entryLabels(result)
		s.shown[result] = ls
	}
	return Entry{Timestamp: e.Timestamp, Line: string(line), Labels: ls}, true
}

func (t *Tailer) stream(ls labels.Labels) *tailedStream {
	h := ls.Hash()
	for _, s := range t.streams[h] {
		if labels.Equal(s.labels, ls) {
			return s
		}
	}
	if t.n >= maxTailedStreams {
		clear(t.streams)
		t.n = 0
	}
	s := &tailedStream{labels: ls.Copy(), selected: true}
	for _, m := range t.log.Matchers {
		s.selected = s.selected && m.Matches(ls.Get(m.Name))
	}
	if s.selected {
		s.pipeline = t.compiled.ForStream(s.labels)
		s.shown = map[*pipeline.LabelsResult]*EntryLabels{}
	}
	t.streams[h] = append(t.streams[h], s)
	t.n++
	return s
}

func entryLabels(r *pipeline.LabelsResult) *EntryLabels {
	return &EntryLabels{Stream: r.Stream, Metadata: r.Metadata, Parsed: r.Parsed}
}
