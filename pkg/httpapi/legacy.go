package httpapi

import (
	"github.com/cambium-logs/cambium/pkg/query"
)

// legacyQuery serves /api/prom/query: log queries over a range, in the shape of old clients.
func (c *call) legacyQuery() error {
	if err := c.form(); err != nil {
		return err
	}
	p, err := c.rangeParams()
	if err != nil {
		return err
	}
	if text := c.value("regexp"); text != "" {
		p.Expr += " |~ " + quote(text)
	}
	result, err := c.api.options.Query.Query(c.ctx(), p)
	if err != nil {
		return err
	}
	if result.Type != query.ResultStreams {
		return badRequest("rpc error: code = Code(400) desc = legacy endpoints only support streams result type")
	}
	c.w.json(contentTypeJSON)
	j := newJSONWriter(c.w)
	j.raw(`{"streams":`)
	writeLegacyStreams(j, result)
	j.raw(`,"stats":`)
	writeStats(j, &result.Stats)
	j.raw("}\n")
	j.flush()
	return nil
}

func writeLegacyStreams(j *jsonWriter, r *query.Result) {
	j.raw("[")
	for i, stream := range r.Streams(false) {
		if i > 0 {
			j.raw(",")
		}
		j.raw(`{"labels":`)
		j.label(stream.Labels.String())
		j.raw(`,"entries":[`)
		for k := range stream.Entries {
			if k > 0 {
				j.raw(",")
			}
			j.raw(`{"ts":"`)
			j.raw(rfc3339(stream.Entries[k].Timestamp))
			j.raw(`","line":`)
			j.str(stream.Entries[k].Line)
			j.raw("}")
			j.room()
		}
		j.raw("]}")
	}
	j.raw("]")
}
