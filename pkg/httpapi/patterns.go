package httpapi

import (
	"time"

	"github.com/cambium-logs/cambium/pkg/logql"
	"github.com/cambium-logs/cambium/pkg/query"
)

const (
	// patternLines is how many of the newest lines patterns are mined from.
	patternLines = 10_000
	// patternAge is how old lines may be that patterns are mined from: as old as pushed lines may be by default.
	patternAge = 7 * 24 * time.Hour
	// levelUnknown is the level of lines that name none.
	levelUnknown = "unknown"
)

// patterns serves /loki/api/v1/patterns: what lines have in common, and how often it occurs. It looks at the newest lines of the range,
// and says with "sampled" if there were more.
func (c *call) patterns() error {
	if err := c.form(); err != nil {
		return err
	}
	p, err := c.baseParams()
	if err != nil {
		return err
	}
	p.Explain = false
	if p.Start, p.End, err = c.parseOrderedRange(); err != nil {
		return err
	}
	step, err := c.parseStep(p.Start, p.End)
	if err != nil {
		return err
	}
	if _, err := logql.ParseSelector(p.Expr); err != nil {
		return err
	}
	m := newMiner(step)
	sampled := false
	if p.Start = max(p.Start, c.now.Add(-patternAge).UnixNano()); p.Start < p.End {
		p.Step, p.Limit, p.Limits.MaxEntries = defaultStep(p.Start, p.End), patternLines, 0
		result, err := c.api.options.Query.Query(c.ctx(), p)
		if err != nil {
			return err
		}
		for i := range result.Entries {
			e := &result.Entries[i]
			m.add(e.Timestamp, e.Line, levelOf(e))
		}
		sampled = len(result.Entries) == patternLines
	}
	c.w.json(contentTypeJSON)
	j := newJSONWriter(c.w)
	j.raw(`{"status":"success","data":`)
	writePatterns(j, m.sorted(), step)
	if sampled {
		j.raw(`,"sampled":true`)
	}
	j.raw("}\n")
	j.flush()
	return nil
}

func levelOf(e *query.Entry) string {
	if level := e.Labels.Metadata.Get("detected_level"); level != "" {
		return level
	}
	if level := e.Labels.Stream.Get("detected_level"); level != "" {
		return level
	}
	return levelUnknown
}

func writePatterns(j *jsonWriter, clusters []*cluster, step int64) {
	j.raw("[")
	for i, found := range clusters {
		if i > 0 {
			j.raw(",")
		}
		j.raw(`{"pattern":`)
		j.str(found.text())
		j.raw(`,"level":`)
		j.label(found.level)
		j.raw(`,"samples":[`)
		for k, bucket := range found.sortedBuckets() {
			if k > 0 {
				j.raw(",")
			}
			j.raw("[")
			j.int(bucket * step / int64(time.Second))
			j.raw(",")
			j.int(int64(found.buckets[bucket]))
			j.raw("]")
		}
		j.raw("]}")
		j.room()
	}
	j.raw("]")
}
