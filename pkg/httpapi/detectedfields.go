package httpapi

import (
	"slices"

	"github.com/cambium-logs/cambium/pkg/logql"
	"github.com/cambium-logs/cambium/pkg/query"
)

const defaultFieldLimit = 1000

// detectedFields serves /loki/api/v1/detected_fields: what can be found in the newest lines beside the labels of their streams.
func (c *call) detectedFields() error {
	fields, limit, err := c.findFields()
	if err != nil {
		return err
	}
	c.w.json(contentTypeJSON)
	j := newJSONWriter(c.w)
	names := fields.names()
	if len(names) == 0 {
		j.raw("{}\n")
		j.flush()
		return nil
	}
	j.raw(`{"fields":[`)
	for i, name := range names[:min(len(names), limit)] {
		if i > 0 {
			j.raw(",")
		}
		writeField(j, name, fields.byName[name])
		j.room()
	}
	j.raw(`],"limit":`)
	j.int(int64(limit))
	j.raw("}\n")
	j.flush()
	return nil
}

func writeField(j *jsonWriter, name string, f *field) {
	j.raw(`{"label":`)
	j.label(name)
	j.raw(`,"type":"`)
	j.raw(f.kind)
	j.raw(`","cardinality":`)
	j.int(int64(len(f.values)))
	j.raw(`,"parsers":`)
	if len(f.parsers) == 0 {
		j.raw("null")
	} else {
		writeStrings(j, f.parsers)
	}
	if len(f.path) > 0 {
		j.raw(`,"jsonPath":`)
		writeStrings(j, f.path)
	}
	j.raw("}")
}

// detectedValues serves /loki/api/v1/detected_field/{name}/values.
func (c *call) detectedValues() error {
	fields, limit, err := c.findFields()
	if err != nil {
		return err
	}
	c.w.json(contentTypeJSON)
	j := newJSONWriter(c.w)
	f := fields.byName[c.name]
	if f == nil {
		j.raw("{}\n")
		j.flush()
		return nil
	}
	values := f.shown()
	j.raw(`{"values":`)
	writeStrings(j, values[:min(len(values), limit)])
	j.raw(`,"limit":`)
	j.int(int64(limit))
	j.raw("}\n")
	j.flush()
	return nil
}

// findFields runs the query of a request and looks into what it finds.
func (c *call) findFields() (*fieldSet, int, error) {
	if err := c.form(); err != nil {
		return nil, 0, err
	}
	p, err := c.baseParams()
	if err != nil {
		return nil, 0, err
	}
	p.Explain = false
	if p.Start, p.End, err = c.parseOrderedRange(); err != nil {
		return nil, 0, err
	}
	if p.Limit, err = c.parsePositive("line_limit", defaultLimit); err != nil {
		return nil, 0, err
	}
	name := "limit"
	if c.value("field_limit") != "" {
		name = "field_limit"
	}
	limit, err := c.parsePositive(name, defaultFieldLimit)
	if err != nil {
		return nil, 0, err
	}
	if p.Step, err = c.parseStep(p.Start, p.End); err != nil {
		return nil, 0, err
	}
	expr, err := logql.Parse(p.Expr, logql.ParseOptions{})
	if err != nil {
		return nil, 0, err
	}
	log, ok := expr.(*logql.LogExpr)
	if !ok {
		return nil, 0, query.ErrNotLogQuery
	}
	result, err := c.api.options.Query.Query(c.ctx(), p)
	if err != nil {
		return nil, 0, err
	}
	fields := newFieldSet(log)
	for _, stream := range result.Streams(false) {
		for i := range stream.Entries {
			fields.add(&stream.Entries[i])
		}
	}
	return fields, limit, nil
}

// parsersOf names the parsers of a query in their order, each once.
func parsersOf(log *logql.LogExpr) []string {
	var names []string
	for _, stage := range log.Stages {
		name := ""
		switch stage.(type) {
		case *logql.JSONParser:
			name = parserJSON
		case *logql.LogfmtParser:
			name = parserLogfmt
		case *logql.RegexpParser:
			name = "regexp"
		case *logql.PatternParser:
			name = "pattern"
		case *logql.UnpackParser:
			name = "unpack"
		default:
			continue
		}
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}
