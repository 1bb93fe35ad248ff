package httpapi

import (
	"time"

	"github.com/cambium-logs/cambium/pkg/logql"
	"github.com/cambium-logs/cambium/pkg/query"
)

// patternAge is how old lines may be that patterns are made of: as old as pushed lines may be by default.
const patternAge = 7 * 24 * time.Hour

// patterns serves /loki/api/v1/patterns: what lines have in common, and how often it occurs.
func (c *call) patterns() error {
	if err := c.form(); err != nil {
		return err
	}
	p := query.PatternParams{Selection: query.Selection{Tenant: c.tenant, Limits: c.queryLimits(), Now: c.now.UnixNano()}}
	var err error
	if p.Start, p.End, err = c.parseOrderedRange(); err != nil {
		return err
	}
	if p.Step, err = c.parseStep(p.Start, p.End); err != nil {
		return err
	}
	if p.Matchers, err = logql.ParseSelector(c.value("query")); err != nil {
		return err
	}
	var found []query.Pattern
	if p.Start = max(p.Start, c.now.Add(-patternAge).UnixNano()); p.Start <= p.End {
		if found, err = c.api.options.Query.Patterns(c.ctx(), p); err != nil {
			return err
		}
	}
	c.w.json(contentTypeJSON)
	j := newJSONWriter(c.w)
	j.raw(`{"status":"success","data":`)
	writePatterns(j, found)
	j.raw("}\n")
	j.flush()
	return nil
}

func writePatterns(j *jsonWriter, found []query.Pattern) {
	j.raw("[")
	for i := range found {
		if i > 0 {
			j.raw(",")
		}
		j.raw(`{"pattern":`)
		j.str(found[i].Pattern)
		j.raw(`,"level":`)
		j.label(found[i].Level)
		j.raw(`,"samples":[`)
		for k, p := range found[i].Points {
			if k > 0 {
				j.raw(",")
			}
			j.raw("[")
			j.int(p.Timestamp / int64(time.Second))
			j.raw(",")
			j.int(int64(p.Value))
			j.raw("]")
		}
		j.raw("]}")
		j.room()
	}
	j.raw("]")
}
