package plugin

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/cambium-logs/cambium/pkg/httpapi"
	"github.com/cambium-logs/cambium/pkg/logql"
	"github.com/cambium-logs/cambium/pkg/query"
)

// parseRoleSelectors reads the selectors that users of a role are confined to.
func parseRoleSelectors(in []roleSelector) (map[httpapi.Role]string, error) {
	out := map[httpapi.Role]string{}
	for _, rs := range in {
		if strings.TrimSpace(rs.Selector) == "" {
			continue
		}
		role := httpapi.ParseRole(rs.Role)
		if role == httpapi.RoleNone {
			return nil, fmt.Errorf("setting roleSelectors: %q is not Viewer, Editor or Admin", rs.Role)
		}
		matchers, err := logql.ParseSelector(rs.Selector)
		if err != nil {
			return nil, fmt.Errorf("setting roleSelectors of %s: %w", rs.Role, err)
		}
		if before, ok := out[role]; ok {
			earlier, err := logql.ParseSelector(before)
			if err != nil {
				return nil, err
			}
			matchers = append(earlier, matchers...)
		}
		out[role] = selectorText(matchers)
	}
	return out, nil
}

func selectorText(matchers []*labels.Matcher) string {
	return (&logql.LogExpr{Matchers: matchers}).String()
}

// confinement gives the matchers that every selector of the caller's gets; none for callers who may read everything. Calls that Grafana
// makes by itself are not confined: an alert rule reads what its data source holds.
func (c *call) confinement() ([]*labels.Matcher, error) {
	if c.user == nil {
		return nil, nil
	}
	text := c.settings.Selectors[c.role()]
	if text == "" {
		return nil, nil
	}
	return logql.ParseSelector(text)
}

// restrict parses a query and confines its selectors.
func (c *call) restrict(text string) (logql.Expr, error) {
	expr, err := logql.Parse(text, logql.ParseOptions{Extensions: true})
	if err != nil {
		return nil, err
	}
	matchers, err := c.confinement()
	if err != nil {
		return nil, err
	}
	if len(matchers) > 0 {
		addMatchers(expr, matchers)
	}
	return expr, nil
}

// addMatchers adds matchers to every selector of a query.
func addMatchers(expr logql.Expr, matchers []*labels.Matcher) {
	switch e := expr.(type) {
	case *logql.LogExpr:
		e.Matchers = append(slices.Clone(e.Matchers), matchers...)
	case *logql.RangeAggregation:
		addMatchers(e.Range.Log, matchers)
	case *logql.VectorAggregation:
		addMatchers(e.Expr, matchers)
	case *logql.BinaryExpr:
		addMatchers(e.Left, matchers)
		addMatchers(e.Right, matchers)
	case *logql.LabelReplace:
		addMatchers(e.Expr, matchers)
	case *logql.FunctionCall:
		for _, arg := range e.Args {
			addMatchers(arg, matchers)
		}
	case *logql.Subquery:
		addMatchers(e.Expr, matchers)
	case *logql.AtExpr:
		addMatchers(e.Expr, matchers)
	}
}

// confinable names the resource routes that confined callers may use, with the parameter that holds their query.
var confinable = []struct{ prefix, parameter string }{
	{"/loki/api/v1/query_range", "query"},
	{"/loki/api/v1/query", "query"},
	{"/loki/api/v1/labels", "query"},
	{"/loki/api/v1/label/", "query"},
	{"/loki/api/v1/series", "match[]"},
	{"/loki/api/v1/index/", "query"},
	{"/loki/api/v1/patterns", "query"},
	{"/loki/api/v1/detected_labels", "query"},
	{"/loki/api/v1/detected_fields", "query"},
	{"/loki/api/v1/detected_field/", "query"},
	{"/cambium/v1/export", "query"},
}

// unconfined names the routes that show nothing of what is stored.
var unconfined = []string{
	"/loki/api/v1/push", "/loki/api/v1/raw", "/otlp/v1/logs", "/api/v1/push", "/api/v1/raw", "/promtail/api/v1/raw", "/api/prom/push",
	"/loki/api/v1/format_query", "/loki/api/v1/status/buildinfo", "/loki/api/v1/drilldown-limits", "/ready", "/loki/ready", "/cambium/v1/status",
}

// confineRequest rewrites the parameters of a resource call of a confined caller, or refuses the call.
func (c *call) confineRequest(r *http.Request) error {
	matchers, err := c.confinement()
	if err != nil || len(matchers) == 0 || slices.Contains(unconfined, r.URL.Path) {
		return err
	}
	for _, route := range confinable {
		if r.URL.Path == route.prefix || (strings.HasSuffix(route.prefix, "/") && strings.HasPrefix(r.URL.Path, route.prefix)) {
			return c.confineParameters(r, route.parameter, matchers)
		}
	}
	return &query.Error{Status: http.StatusForbidden, Message: "your role may read a part of the logs only, and this route cannot be confined to it"}
}

// confineParameters moves all parameters to the query string with the matchers in every selector.
func (c *call) confineParameters(r *http.Request, parameter string, matchers []*labels.Matcher) error {
	if err := r.ParseForm(); err != nil {
		return &query.Error{Status: http.StatusBadRequest, Message: err.Error()}
	}
	form := url.Values{}
	for name, values := range r.Form {
		form[name] = slices.Clone(values)
	}
	texts := form[parameter]
	if parameter == "match[]" {
		texts = append(texts, form["match"]...)
		form.Del("match")
	}
	if len(texts) > 1 && parameter == "query" {
		texts = texts[:1] // a form value stands before one of the query string, and only the first counts
	}
	confined := make([]string, 0, len(texts))
	for _, text := range texts {
		if strings.TrimSpace(text) == "" || strings.TrimSpace(text) == "{}" {
			continue
		}
		expr, err := c.restrict(text)
		if err != nil {
			return err
		}
		confined = append(confined, expr.String())
	}
	if len(confined) == 0 {
		confined = []string{selectorText(matchers)}
	}
	form[parameter] = confined
	r.URL.RawQuery = form.Encode()
	r.Form, r.PostForm = nil, nil
	r.Method, r.Body, r.ContentLength = http.MethodGet, http.NoBody, 0
	r.Header.Del("Content-Type")
	return nil
}
