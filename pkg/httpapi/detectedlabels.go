package httpapi

import (
	"github.com/cambium-logs/cambium/pkg/logql"
)

// detectedLabels serves /loki/api/v1/detected_labels: the labels of the streams, but for those that only hold ids.
func (c *call) detectedLabels() error {
	if err := c.form(); err != nil {
		return err
	}
	s, err := c.selection()
	if err != nil {
		return err
	}
	if text := c.value("query"); text != "" {
		if s.Matchers, err = logql.ParseSelector(text); err != nil {
			return err
		}
	}
	found, err := c.api.options.Query.DetectedLabels(c.ctx(), s)
	if err != nil {
		return err
	}
	c.w.json(contentTypeJSON)
	j := newJSONWriter(c.w)
	if len(found) == 0 {
		j.raw("{}\n")
		j.flush()
		return nil
	}
	j.raw(`{"detectedLabels":[`)
	for i, l := range found {
		if i > 0 {
			j.raw(",")
		}
		j.raw(`{"label":`)
		j.label(l.Label)
		j.raw(`,"cardinality":`)
		j.int(int64(l.Cardinality))
		j.raw("}")
		j.room()
	}
	j.raw("]}\n")
	j.flush()
	return nil
}
