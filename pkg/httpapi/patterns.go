package httpapi

import (
	"time"

	"github.com/cambium-logs/cambium/pkg/logql"
	"github.com/cambium-logs/cambium/pkg/query"
)

// patterns serves /loki/api/v1/patterns: what lines have in common, and how often it occurs.
//
// Loki mines patterns while lines arrive and knows those of recent lines only; its clients take an empty answer for "nothing to see that far
// back". So lines older than max_pattern_age, by default a week, are left out here too. But patterns come from what is stored, and who
// looks into an incident of last month wants them as much: with max_pattern_age 0 they are made of lines of any age.
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
	if age := time.Duration(c.limits.MaxPatternAge); age > 0 {
		p.Start = max(p.Start, c.now.Add(-age).UnixNano())
	}
	if p.Start <= p.End {
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
