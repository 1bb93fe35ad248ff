package httpapi

import (
	"github.com/prometheus/prometheus/model/labels"

	"github.com/cambium-logs/cambium/pkg/logql"
	"github.com/cambium-logs/cambium/pkg/query"
)

// errRangeGone is how the routes for labels and series refuse a start behind the end.
func (c *call) errRangeGone() *Error {
	return badRequest("this data is no longer available, it is past now - max_query_lookback (%s)", c.limits.MaxQueryLookback)
}

// selection reads start, end and since of a metadata request.
func (c *call) selection() (s query.Selection, err error) {
	s = query.Selection{Tenant: c.tenant, Limits: c.queryLimits(), Now: c.now.UnixNano()}
	s.Start, s.End, err = c.parseRange()
	return s, err
}

// labelNames serves /loki/api/v1/labels.
func (c *call) labelNames() error {
	s, err := c.labelSelection()
	if err != nil {
		return err
	}
	names, err := c.api.options.Query.Labels(c.ctx(), s)
	if err != nil {
		return err
	}
	return c.answerNames(names)
}

// labelValues serves /loki/api/v1/label/{name}/values.
func (c *call) labelValues() error {
	s, err := c.labelSelection()
	if err != nil {
		return err
	}
	values, err := c.api.options.Query.LabelValues(c.ctx(), s, c.name)
	if err != nil {
		return err
	}
	return c.answerNames(values)
}

func (c *call) labelSelection() (s query.Selection, err error) {
	if err = c.form(); err != nil {
		return s, err
	}
	if s, err = c.selection(); err != nil {
		return s, err
	}
	if text := c.value("query"); text != "" {
		if s.Matchers, err = logql.ParseSelector(text); err != nil {
			return s, err
		}
	}
	if s.Start > s.End {
		return s, c.errRangeGone()
	}
	return s, nil
}

func (c *call) answerNames(names []string) error {
	c.w.json(contentTypeJSON)
	j := newJSONWriter(c.w)
	j.raw(`{"status":"success"`)
	if len(names) > 0 {
		j.raw(`,"data":`)
		writeStrings(j, names)
	}
	j.raw("}\n")
	j.flush()
	return nil
}

// series serves /loki/api/v1/series.
func (c *call) series() error {
	if err := c.form(); err != nil {
		return err
	}
	s, err := c.selection()
	if err != nil {
		return err
	}
	selectors, err := parseSelectors(append(c.r.Form["match"], c.r.Form["match[]"]...))
	if err != nil {
		return err
	}
	if s.Start > s.End {
		return c.errRangeGone()
	}
	sets, err := c.api.options.Query.Series(c.ctx(), s, selectors)
	if err != nil {
		return err
	}
	c.w.json(contentTypeJSON)
	j := newJSONWriter(c.w)
	j.raw(`{"status":"success","data":`)
	writeLabelSets(j, sets)
	j.raw("}\n")
	j.flush()
	return nil
}

// parseSelectors reads the selectors of a series request. None, or {} alone, selects everything.
func parseSelectors(texts []string) ([][]*labels.Matcher, error) {
	var selectors [][]*labels.Matcher
	for _, text := range texts {
		if isEmptySelector(text) {
			if len(texts) > 1 {
				return nil, badRequest("0 matchers in group: %s", text)
			}
			return nil, nil
		}
		matchers, err := logql.ParseSelector(text)
		if err != nil {
			return nil, err
		}
		selectors = append(selectors, matchers)
	}
	return selectors, nil
}

// isEmptySelector reports whether text is {} with any blanks.
func isEmptySelector(text string) bool {
	kept := 0
	for _, r := range text {
		switch r {
		case ' ', '\t', '\n', '\r':
		case '{':
			if kept != 0 {
				return false
			}
			kept = 1
		case '}':
			if kept != 1 {
				return false
			}
			kept = 2
		default:
			return false
		}
	}
	return kept == 2
}

// indexStats serves /loki/api/v1/index/stats.
func (c *call) indexStats() error {
	s, err := c.volumeSelection(false)
	if err != nil {
		return err
	}
	stats, err := c.api.options.Query.IndexStats(c.ctx(), s)
	if err != nil {
		return err
	}
	c.w.json(contentTypeJSON)
	j := newJSONWriter(c.w)
	j.raw(`{"streams":`)
	j.int(stats.Streams)
	j.raw(`,"chunks":`)
	j.int(stats.Chunks)
	j.raw(`,"bytes":`)
	j.int(stats.Bytes)
	j.raw(`,"entries":`)
	j.int(stats.Entries)
	j.raw("}\n")
	j.flush()
	return nil
}

// volumeSelection reads the range and the required query of the index routes.
func (c *call) volumeSelection(emptyAllowed bool) (s query.Selection, err error) {
	if err = c.form(); err != nil {
		return s, err
	}
	s = query.Selection{Tenant: c.tenant, Limits: c.queryLimits(), Now: c.now.UnixNano()}
	if s.Start, s.End, err = c.parseOrderedRange(); err != nil {
		return s, err
	}
	parse := logql.ParseSelector
	if emptyAllowed {
		parse = logql.ParseSelectorOrAll
	}
	s.Matchers, err = parse(c.value("query"))
	return s, err
}
