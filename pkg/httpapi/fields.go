package httpapi

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/prometheus/prometheus/model/labels"

	"github.com/cambium-logs/cambium/pkg/logql"
	"github.com/cambium-logs/cambium/pkg/logql/pipeline"
	"github.com/cambium-logs/cambium/pkg/query"
)

const (
	parserJSON   = "json"
	parserLogfmt = "logfmt"
)

// extractedSuffix marks a parsed label whose name another category has already.
const extractedSuffix = "_extracted"

// field is one field of some lines: structured metadata, or a label that a parser finds.
type field struct {
	kind    string   // of the value seen last
	parsers []string // sorted; none for structured metadata
	path    []string // in JSON, of the keys as they are written
	values  map[string]struct{}
}

// fieldSet collects the fields of entries.
type fieldSet struct {
	byName  map[string]*field
	parsers []string // of the query
	json    *pipeline.Pipeline
	logfmt  *pipeline.Pipeline
	streams map[string]*fieldParsers
	buf     []labels.Label
}

// fieldParsers are the parsers that are tried on the lines of one stream.
type fieldParsers struct{ json, logfmt *pipeline.StreamPipeline }

func newFieldSet(log *logql.LogExpr) *fieldSet {
	s := &fieldSet{byName: map[string]*field{}, parsers: parsersOf(log), streams: map[string]*fieldParsers{}}
	// Neither stage has arguments that could be refused.
	s.json, _ = pipeline.Compile([]logql.Stage{&logql.JSONParser{}}, pipeline.Options{})
	s.logfmt, _ = pipeline.Compile([]logql.Stage{&logql.LogfmtParser{Strict: true}}, pipeline.Options{})
	return s
}

func (s *fieldSet) names() []string { return slices.Sorted(maps.Keys(s.byName)) }

// add looks into one entry. Where the query parsed nothing from it, JSON is tried, and then logfmt.
func (s *fieldSet) add(e *query.Entry) {
	e.Labels.Metadata.Range(func(l labels.Label) { s.insert(l.Name, l.Value) })
	parsed, parsers := e.Labels.Parsed, s.parsers
	if parsed.IsEmpty() || len(parsers) == 0 {
		var parser string
		if parsed, parser = s.parse(e); parser == "" {
			return
		}
		parsers = []string{parser}
	}
	var paths map[string][]string
	if slices.Contains(parsers, parserJSON) {
		paths = jsonPaths([]byte(e.Line))
	}
	parsed.Range(func(l labels.Label) {
		if l.Name == "__error__" || l.Name == "__error_details__" {
			return
		}
		f := s.insert(l.Name, l.Value)
		for _, parser := range parsers {
			if i, found := slices.BinarySearch(f.parsers, parser); !found {
				f.parsers = slices.Insert(f.parsers, i, parser)
			}
		}
		if path, ok := paths[l.Name]; ok {
			f.path = path
		} else if path, ok := paths[strings.TrimSuffix(l.Name, extractedSuffix)]; ok {
			f.path = path
		}
	})
}

func (s *fieldSet) insert(name, value string) *field {
	f := s.byName[name]
	if f == nil {
		f = &field{values: map[string]struct{}{}}
		s.byName[name] = f
	}
	f.kind = kindOf(value)
	f.values[value] = struct{}{}
	return f
}

// parse tries the parsers on a line. parser is "" if none understands it.
func (s *fieldSet) parse(e *query.Entry) (parsed labels.Labels, parser string) {
	text := e.Labels.Stream.String()
	p := s.streams[text]
	if p == nil {
		p = &fieldParsers{json: s.json.ForStream(e.Labels.Stream), logfmt: s.logfmt.ForStream(e.Labels.Stream)}
		s.streams[text] = p
	}
	s.buf = s.buf[:0]
	e.Labels.Metadata.Range(func(l labels.Label) { s.buf = append(s.buf, l) })
	line := []byte(e.Line)
	if parsed, ok := parseWith(p.json, e.Timestamp, line, s.buf); ok {
		return parsed, parserJSON
	}
	if parsed, ok := parseWith(p.logfmt, e.Timestamp, line, s.buf); ok {
		return parsed, parserLogfmt
	}
	return labels.EmptyLabels(), ""
}

func parseWith(p *pipeline.StreamPipeline, ts int64, line []byte, metadata []labels.Label) (labels.Labels, bool) {
	_, result, keep := p.Process(ts, line, metadata)
	if !keep || result.Parsed.IsEmpty() || result.Parsed.Has("__error__") {
		return labels.EmptyLabels(), false
	}
	return result.Parsed, true
}

// shown are the values, sorted; byte sizes are written alike.
func (f *field) shown() []string {
	distinct := make(map[string]struct{}, len(f.values))
	for v := range f.values {
		if kindOf(v) == "bytes" {
			if n, err := humanize.ParseBytes(v); err == nil {
				v = strings.ReplaceAll(humanize.Bytes(n), " ", "")
			}
		}
		distinct[v] = struct{}{}
	}
	return slices.Sorted(maps.Keys(distinct))
}

// kindOf is the type of a value: int, float, boolean, duration, bytes or string.
func kindOf(value string) string {
	if _, err := strconv.ParseInt(value, 10, 64); err == nil {
		return "int"
	}
	if _, err := strconv.ParseFloat(value, 64); err == nil {
		return "float"
	}
	if _, err := strconv.ParseBool(value); err == nil {
		return "boolean"
	}
	if _, err := time.ParseDuration(value); err == nil {
		return "duration"
	}
	if _, err := humanize.ParseBytes(value); err == nil {
		return "bytes"
	}
	return "string"
}
