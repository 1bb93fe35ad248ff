package query

import (
	"cmp"
	"context"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/prometheus/prometheus/model/labels"

	"github.com/cambium-logs/cambium/pkg/logql"
	"github.com/cambium-logs/cambium/pkg/logql/pipeline"
	"github.com/cambium-logs/cambium/pkg/storage"
)

// DetectedLabel is a stream label with the number of its values.
type DetectedLabel struct {
	Label       string
	Cardinality int
}

var idValue = regexp.MustCompile(`^([0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}|[-+]?[0-9]+(\.[0-9]+)?)$`)

// alwaysDetected are labels that are shown even when their values look like ids.
var alwaysDetected = []string{"cluster", "namespace", "instance", "pod"}

// DetectedLabels gives the stream labels of a selection by name, without those whose values are all UUIDs or numbers.
func (e *Engine) DetectedLabels(ctx context.Context, s Selection) (found []DetectedLabel, err error) {
	err = e.with(ctx, s, func(ctx context.Context, s Selection, snap storage.Snapshot) error {
		names, err := snap.LabelNames(ctx, s.Start, s.End, s.Matchers...)
		if err != nil {
			return err
		}
		for _, name := range names {
			values, err := snap.LabelValues(ctx, name, s.Start, s.End, s.Matchers...)
			if err != nil {
				return err
			}
			if len(values) > 0 && (slices.Contains(alwaysDetected, name) || !areIDs(values)) {
				found = append(found, DetectedLabel{name, len(values)})
			}
		}
		return nil
	})
	return found, err
}

func areIDs(values []string) bool {
	flags := true
	for _, v := range values {
		if !idValue.MatchString(v) {
			return false
		}
		flags = flags && (v == "0" || v == "1")
	}
	return !flags
}

// FieldsParams asks for the fields of a log query's newest entries in [Start, End), or of all of them.
type FieldsParams struct {
	Params
	LineLimit  int // entries looked at; 0 = DefaultLineLimit
	FieldLimit int // fields or values in the answer; 0 = DefaultFieldLimit
	// All looks at every entry, from templates and columns where they tell what a parser makes of lines. LineLimit does not count then.
	All bool
	// Sampled is called, unless it is nil, when All had to leave out lines: of those that had to be parsed only every k-th was.
	Sampled func(k int)
}

// Defaults of FieldsParams.
const (
	DefaultLineLimit  = 100
	DefaultFieldLimit = 1000
)

// DetectedField is a name found in structured metadata or by parsing lines.
type DetectedField struct {
	Label       string
	Type        string // of one of its values: int, float, boolean, duration, bytes or string
	Cardinality int
	Parsers     []string // that found it; none for structured metadata
	JSONPath    []string // keys from the root of the line's object; json only
}

// DetectedFields gives the fields of the query's entries by name: structured metadata, and what the query's own parsers extract, or else
// json, or else logfmt. With All, large cardinalities are estimates.
func (e *Engine) DetectedFields(ctx context.Context, p FieldsParams) ([]DetectedField, error) {
	p.setDefaults()
	var out []DetectedField
	if p.All {
		table, err := e.rangeFields(ctx, &p, "")
		if err != nil {
			return nil, err
		}
		out = table.fields()
	} else {
		fields, err := e.fields(ctx, &p)
		if err != nil {
			return nil, err
		}
		for _, f := range fields.byName {
			out = append(out, DetectedField{Label: f.name, Type: f.kind, Cardinality: len(f.values), Parsers: f.parsers, JSONPath: f.path})
		}
	}
	slices.SortFunc(out, func(a, b DetectedField) int { return cmp.Compare(a.Label, b.Label) })
	return out[:min(len(out), p.FieldLimit)], nil
}

func (p *FieldsParams) setDefaults() {
	if p.LineLimit <= 0 {
		p.LineLimit = DefaultLineLimit
	}
	if p.FieldLimit <= 0 {
		p.FieldLimit = DefaultFieldLimit
	}
}

// DetectedFieldValues gives the sorted values of one field of the query's entries; byte quantities are put in their short form. Where there are more
// than FieldLimit, the first ones are given.
func (e *Engine) DetectedFieldValues(ctx context.Context, p FieldsParams, name string) ([]string, error) {
	p.setDefaults()
	var found map[string]struct{}
	if p.All {
		table, err := e.rangeFields(ctx, &p, name)
		if err != nil {
			return nil, err
		}
		if f := table.byName[name]; f != nil {
			found = f.values
		}
	} else {
		fields, err := e.fields(ctx, &p)
		if err != nil {
			return nil, err
		}
		if f := fields.byName[name]; f != nil {
			found = f.values
		}
	}
	if len(found) == 0 {
		return nil, nil
	}
	seen := map[string]struct{}{}
	for v := range found {
		if fieldType(v) == "bytes" {
			if n, err := humanize.ParseBytes(v); err == nil {
				v = strings.ReplaceAll(humanize.Bytes(n), " ", "")
			}
		}
		seen[v] = struct{}{}
	}
	values := make([]string, 0, len(seen))
	for v := range seen {
		values = append(values, v)
	}
	slices.Sort(values)
	return values[:min(len(values), p.FieldLimit)], nil
}

// fieldSet collects fields from entries.
type fieldSet struct {
	byName  map[string]*field
	own     []string // the query's parsers
	json    *pipeline.Pipeline
	logfmt  *pipeline.Pipeline
	streams map[string]*fieldStream
}

type field struct {
	name    string
	kind    string
	values  map[string]struct{}
	parsers []string
	path    []string
}

// fieldStream holds the parsers bound to one stream label set.
type fieldStream struct{ json, logfmt *pipeline.StreamPipeline }

func (e *Engine) fields(ctx context.Context, p *FieldsParams) (*fieldSet, error) {
	set, err := newFieldSet(p.Expr)
	if err != nil {
		return nil, asError(ctx, err)
	}
	q := p.Params
	q.Direction, q.Limit, q.Interval, q.Instant = Backward, p.LineLimit, 0, false
	result, err := e.Query(ctx, q)
	if err != nil {
		return nil, err
	}
	for _, s := range result.Streams(false) {
		for i := range s.Entries {
			set.addEntry(&s.Entries[i])
		}
	}
	return set, nil
}

func newFieldSet(expr string) (*fieldSet, error) {
	parsed, err := logql.Parse(expr, logql.ParseOptions{})
	if err != nil {
		return nil, err
	}
	log, ok := parsed.(*logql.LogExpr)
	if !ok {
		return nil, ErrNotLogQuery
	}
	set := &fieldSet{byName: map[string]*field{}, streams: map[string]*fieldStream{}}
	for _, s := range log.Stages {
		if name := parserName(s); name != "" && !slices.Contains(set.own, name) {
			set.own = append(set.own, name)
		}
	}
	if set.json, err = pipeline.Compile([]logql.Stage{&logql.JSONParser{}}, pipeline.Options{}); err != nil {
		return nil, err
	}
	set.logfmt, err = pipeline.Compile([]logql.Stage{&logql.LogfmtParser{Strict: true}}, pipeline.Options{})
	return set, err
}

func parserName(s logql.Stage) string {
	switch s.(type) {
	case *logql.JSONParser:
		return "json"
	case *logql.LogfmtParser:
		return "logfmt"
	case *logql.RegexpParser:
		return "regexp"
	case *logql.PatternParser:
		return "pattern"
	case *logql.UnpackParser:
		return "unpack"
	}
	return ""
}

func (s *fieldSet) addEntry(e *Entry) {
	e.Labels.Metadata.Range(func(l labels.Label) { s.add(l, "", nil) })
	parsed, parser := e.Labels.Parsed, ""
	if len(s.own) > 0 {
		if parser = s.own[0]; len(s.own) > 1 && strings.HasPrefix(strings.TrimSpace(e.Line), "{") && slices.Contains(s.own, "json") {
			parser = "json"
		}
	} else if parsed, parser = s.parse(e); parser == "" {
		return
	}
	var paths map[string][]string
	if parser == "json" {
		paths = jsonPaths([]byte(e.Line))
	}
	parsed.Range(func(l labels.Label) {
		if l.Name != pipeline.ErrorLabel && l.Name != pipeline.ErrorDetailsLabel {
			s.add(l, parser, paths)
		}
	})
}

// parse tries json and then logfmt; the first one that accepts the line counts.
func (s *fieldSet) parse(e *Entry) (labels.Labels, string) {
	key := e.Labels.Stream.String()
	st := s.streams[key]
	if st == nil {
		st = &fieldStream{json: s.json.ForStream(e.Labels.Stream), logfmt: s.logfmt.ForStream(e.Labels.Stream)}
		s.streams[key] = st
	}
	var metadata []labels.Label
	e.Labels.Metadata.Range(func(l labels.Label) { metadata = append(metadata, l) })
	for _, try := range []struct {
		name string
		p    *pipeline.StreamPipeline
	}{{"json", st.json}, {"logfmt", st.logfmt}} {
		_, r, keep := try.p.Process(e.Timestamp, []byte(e.Line), metadata)
		if keep && r.Parsed.Len() > 0 && !r.Parsed.Has(pipeline.ErrorLabel) {
			return r.Parsed, try.name
		}
	}
	return labels.EmptyLabels(), ""
}

func (s *fieldSet) add(l labels.Label, parser string, paths map[string][]string) {
	f := s.byName[l.Name]
	if f == nil {
		f = &field{name: l.Name, values: map[string]struct{}{}}
		s.byName[l.Name] = f
	}
	f.kind = fieldType(l.Value)
	f.values[l.Value] = struct{}{}
	if parser != "" && !slices.Contains(f.parsers, parser) {
		f.parsers = append(f.parsers, parser)
	}
	if path, ok := paths[strings.TrimSuffix(l.Name, "_extracted")]; ok {
		f.path = path
	} else if path, ok := paths[l.Name]; ok {
		f.path = path
	}
}

func fieldType(v string) string {
	if _, err := strconv.ParseInt(v, 10, 64); err == nil {
		return "int"
	}
	if _, err := strconv.ParseFloat(v, 64); err == nil {
		return "float"
	}
	if _, err := strconv.ParseBool(v); err == nil {
		return "boolean"
	}
	if _, err := time.ParseDuration(v); err == nil {
		return "duration"
	}
	if _, err := humanize.ParseBytes(v); err == nil {
		return "bytes"
	}
	return "string"
}
