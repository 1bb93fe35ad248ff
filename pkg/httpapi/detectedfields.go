package httpapi

import (
	"fmt"

	"github.com/cambium-logs/cambium/pkg/query"
)

// sampleHeader tells what an answer was made of that does not look at everything.
const sampleHeader = "X-Cambium-Sample"

// allLines is the line_limit with which every line of the range is looked at.
const allLines = "all"

// detectedFields serves /loki/api/v1/detected_fields: what can be found in lines beside the labels of their streams.
func (c *call) detectedFields() error {
	p, err := c.fieldsParams()
	if err != nil {
		return err
	}
	fields, err := c.api.options.Query.DetectedFields(c.ctx(), p)
	if err != nil {
		return err
	}
	c.w.json(contentTypeJSON)
	j := newJSONWriter(c.w)
	if len(fields) == 0 {
		j.raw("{}\n")
		j.flush()
		return nil
	}
	j.raw(`{"fields":[`)
	for i := range fields {
		if i > 0 {
			j.raw(",")
		}
		writeField(j, &fields[i])
		j.room()
	}
	j.raw(`],"limit":`)
	j.int(int64(p.FieldLimit))
	j.raw("}\n")
	j.flush()
	return nil
}

func writeField(j *jsonWriter, f *query.DetectedField) {
	j.raw(`{"label":`)
	j.label(f.Label)
	j.raw(`,"type":"`)
	j.raw(f.Type)
	j.raw(`","cardinality":`)
	j.int(int64(f.Cardinality))
	j.raw(`,"parsers":`)
	if len(f.Parsers) == 0 {
		j.raw("null")
	} else {
		writeStrings(j, f.Parsers)
	}
	if len(f.JSONPath) > 0 {
		j.raw(`,"jsonPath":`)
		writeStrings(j, f.JSONPath)
	}
	j.raw("}")
}

// detectedValues serves /loki/api/v1/detected_field/{name}/values.
func (c *call) detectedValues() error {
	p, err := c.fieldsParams()
	if err != nil {
		return err
	}
	values, err := c.api.options.Query.DetectedFieldValues(c.ctx(), p, c.name)
	if err != nil {
		return err
	}
	c.w.json(contentTypeJSON)
	j := newJSONWriter(c.w)
	if len(values) == 0 {
		j.raw("{}\n")
		j.flush()
		return nil
	}
	j.raw(`{"values":`)
	writeStrings(j, values)
	j.raw(`,"limit":`)
	j.int(int64(p.FieldLimit))
	j.raw("}\n")
	j.flush()
	return nil
}

func (c *call) fieldsParams() (p query.FieldsParams, err error) {
	if err = c.form(); err != nil {
		return p, err
	}
	p.Params = c.baseParams()
	p.Explain, p.Extensions = false, false
	if p.Start, p.End, err = c.parseOrderedRange(); err != nil {
		return p, err
	}
	if p.All = c.value("line_limit") == allLines; !p.All {
		if p.LineLimit, err = c.parsePositive("line_limit", query.DefaultLineLimit); err != nil {
			return p, err
		}
	}
	name := "limit"
	if c.value("field_limit") != "" {
		name = "field_limit"
	}
	if p.FieldLimit, err = c.parsePositive(name, query.DefaultFieldLimit); err != nil {
		return p, err
	}
	p.Step, err = c.parseStep(p.Start, p.End)
	p.Sampled = func(k int) {
		c.w.Header().Set(sampleHeader, fmt.Sprintf("every line whose template tells its fields, and one of %d of the others", k))
	}
	if !p.All {
		c.w.Header().Set(sampleHeader, fmt.Sprintf("newest %d lines", p.LineLimit))
	}
	return p, err
}
