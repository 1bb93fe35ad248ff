package httpapi

import (
	"net/http"
	"strings"

	"github.com/cambium-logs/cambium/pkg/query"
)

const contentTypeJSON = "application/json; charset=UTF-8"

const defaultLimit = 100

// drilldownTag marks the requests of Logs Drilldown, which take partial series.
const drilldownTag = "grafana-lokiexplore-app"

// baseParams reads what instant and range queries share.
func (c *call) baseParams() query.Params {
	tags := c.queryTags()
	return query.Params{
		Tenant: c.tenant, Expr: c.value("query"), Limits: c.queryLimits(), Now: c.now.UnixNano(), Tags: tags,
		Extensions: c.extensions(), PartialSeries: tags["Source"] == drilldownTag, Explain: c.value("explain") == "true",
		NoCache: strings.Contains(strings.ToLower(c.r.Header.Get("Cache-Control")), "no-cache"),
	}
}

// extensions reports whether the query may use what is beyond LogQL.
func (c *call) extensions() bool {
	switch c.value("extensions") {
	case "true":
		return true
	case "false":
		return false
	}
	return c.api.options.Extensions
}

func (c *call) rangeParams() (p query.Params, err error) {
	p = c.baseParams()
	if p.Start, p.End, err = c.parseOrderedRange(); err != nil {
		return p, err
	}
	if p.Limit, err = c.parsePositive("limit", defaultLimit); err != nil {
		return p, err
	}
	if p.Direction, err = query.ParseDirection(c.value("direction")); err != nil {
		return p, err
	}
	if err = c.checkShards(); err != nil {
		return p, err
	}
	if p.Step, err = c.parseStep(p.Start, p.End); err != nil {
		return p, err
	}
	p.Interval, err = c.parseInterval()
	return p, err
}

func (c *call) instantParams() (p query.Params, err error) {
	p = c.baseParams()
	p.Instant = true
	if p.Limit, err = c.parsePositive("limit", defaultLimit); err != nil {
		return p, err
	}
	if p.Time, err = parseTime(c.value("time"), c.now.UnixNano()); err != nil {
		return p, badRequest("%s", err)
	}
	p.Direction, err = query.ParseDirection(c.value("direction"))
	return p, err
}

// queryRange serves /loki/api/v1/query_range.
func (c *call) queryRange() error {
	if err := c.form(); err != nil {
		return err
	}
	p, err := c.rangeParams()
	if err != nil {
		return err
	}
	return c.answerQuery(p)
}

// queryInstant serves /loki/api/v1/query.
func (c *call) queryInstant() error {
	if err := c.form(); err != nil {
		return err
	}
	p, err := c.instantParams()
	if err != nil {
		return err
	}
	return c.answerQuery(p)
}

func (c *call) answerQuery(p query.Params) error {
	if err := c.checkAccept(); err != nil {
		return err
	}
	result, err := c.api.options.Query.Query(c.ctx(), p)
	if err != nil {
		return err
	}
	c.w.json(contentTypeJSON)
	j := newJSONWriter(c.w)
	writeResult(j, result, encodingFlags(c.r))
	j.flush()
	return nil
}

// checkAccept refuses the encodings that are never given.
func (c *call) checkAccept() error {
	if strings.Contains(c.r.Header.Get("Accept"), "application/vnd.apache.parquet") {
		return badRequest("support for Parquet encoded responses is disabled. Please ask for JSON")
	}
	return nil
}

// flagCategorize asks for the labels of entries by category.
const flagCategorize = "categorize-labels"

// encodingFlags reads X-Loki-Response-Encoding-Flags.
func encodingFlags(r *http.Request) []string {
	var flags []string
	for _, value := range r.Header.Values("X-Loki-Response-Encoding-Flags") {
		for flag := range strings.SplitSeq(value, ",") {
			if flag = strings.TrimSpace(flag); flag != "" {
				flags = append(flags, flag)
			}
		}
	}
	return flags
}
