package httpapi

import (
	"net/http"
	"strconv"

	"github.com/cambium-logs/cambium/pkg/logql"
)

// contentTypeFormat is how format_query spells JSON.
const contentTypeFormat = "application/json; charset=utf-8"

// quote is text as a LogQL string.
func quote(text string) string { return strconv.Quote(text) }

// formatQuery serves /loki/api/v1/format_query.
func (c *call) formatQuery() error {
	if err := c.form(); err != nil {
		return err
	}
	expr, err := logql.Parse(c.value("query"), logql.ParseOptions{Extensions: c.extensions()})
	j := newJSONWriter(c.w)
	if err != nil {
		c.w.Header().Set("Content-Type", contentTypeFormat)
		c.w.WriteHeader(http.StatusBadRequest)
		j.raw(`{"status":"invalid-query","error":`)
		j.str(err.Error())
		j.raw("}\n")
		j.flush()
		return nil
	}
	c.w.json(contentTypeFormat)
	j.raw(`{"status":"success","data":`)
	j.str(logql.Format(expr))
	j.raw("}\n")
	j.flush()
	return nil
}
