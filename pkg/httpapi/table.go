package httpapi

import (
	"net/http"
)

// table lists all routes. Routes whose part of Options is missing are left out, so that they answer 404.
func (a *API) table() []route {
	var table []route
	add := func(present bool, routes ...route) {
		if present {
			table = append(table, routes...)
		}
	}
	read := func(pattern string, methods []string, t tenancy, serve func(*call) error) route {
		return route{pattern: pattern, methods: methods, tenancy: t, scope: ScopeRead, serve: serve}
	}
	push := func(pattern string, f family, serve func(*call) error) route {
		return route{pattern: pattern, methods: methodsPost, tenancy: tenantOne, scope: ScopePush, family: f, serve: serve}
	}
	o := &a.options
	add(o.Sink != nil,
		push("/loki/api/v1/push", familyLine, (*call).push),
		push("/api/v1/push", familyLine, (*call).collectorPush),
		push("/api/prom/push", familyLine, (*call).legacyPush),
		push("/otlp/v1/logs", familyOTLP, (*call).otlp),
		push("/loki/api/v1/raw", familyLine, (*call).raw),
		push("/api/v1/raw", familyLine, (*call).raw),
		push("/promtail/api/v1/raw", familyLine, (*call).raw),
	)
	add(o.Query != nil,
		read("/loki/api/v1/query_range", methodsGetPost, tenantMany, (*call).queryRange),
		read("/loki/api/v1/query", methodsGetPost, tenantMany, (*call).queryInstant),
		read("/api/prom/query", methodsGetPost, tenantMany, (*call).legacyQuery),
		read("/loki/api/v1/labels", methodsGetPost, tenantMany, (*call).labelNames),
		read("/loki/api/v1/label", methodsGetPost, tenantMany, (*call).labelNames),
		read("/api/prom/label", methodsGetPost, tenantMany, (*call).labelNames),
		read("/loki/api/v1/label/{name}/values", methodsGetPost, tenantMany, (*call).labelValues),
		read("/api/prom/label/{name}/values", methodsGetPost, tenantMany, (*call).labelValues),
		read("/loki/api/v1/series", methodsGetPost, tenantMany, (*call).series),
		read("/api/prom/series", methodsGetPost, tenantMany, (*call).series),
		read("/loki/api/v1/index/stats", methodsGetPost, tenantMany, (*call).indexStats),
		read("/loki/api/v1/index/volume", methodsGetPost, tenantMany, (*call).volume),
		read("/loki/api/v1/index/volume_range", methodsGetPost, tenantMany, (*call).volumeRange),
		read("/loki/api/v1/detected_labels", methodsGetPost, tenantMany, (*call).detectedLabels),
		read("/loki/api/v1/detected_fields", methodsGetPost, tenantMany, (*call).detectedFields),
		read("/loki/api/v1/detected_field/{name}/values", methodsGetPost, tenantMany, (*call).detectedValues),
		read("/loki/api/v1/patterns", methodsGetPost, tenantMany, (*call).patterns),
		read("/cambium/v1/export", methodsGetPost, tenantMany, (*call).export),
		read("/loki/api/v1/drilldown-limits", methodsGet, tenantOne, (*call).drilldownLimits),
		read("/config/tenant/v1/limits", methodsGet, tenantOne, (*call).tenantLimits),
		route{pattern: "/loki/api/v1/format_query", methods: methodsGetPost, serve: (*call).formatQuery},
	)
	add(o.Reporter != nil, read("/cambium/v1/status", methodsGet, tenantOne, (*call).status))
	add(o.Tailer != nil,
		read("/loki/api/v1/tail", methodsGet, tenantOne, (*call).tail),
		read("/api/prom/tail", methodsGet, tenantOne, (*call).legacyTail),
	)
	add(o.Deletes != nil,
		a.deleteRoute([]string{http.MethodPost, http.MethodPut}, (*call).createDelete),
		a.deleteRoute(methodsGet, (*call).listDeletes),
		a.deleteRoute([]string{http.MethodDelete}, (*call).cancelDelete),
	)
	add(o.Flusher != nil,
		route{pattern: "/flush", methods: methodsGetPost, scope: ScopeAdmin, family: familyLine, serve: (*call).flush},
		route{pattern: "/flush/tenant", methods: methodsPost, tenancy: tenantOne, scope: ScopeAdmin, family: familyLine, serve: (*call).flush},
		route{pattern: "/ingester/prepare_shutdown", methods: methodsGet, scope: ScopeAdmin, family: familyLine, serve: (*call).preparedShutdown},
		route{pattern: "/ingester/prepare_shutdown", methods: methodsPost, scope: ScopeAdmin, family: familyLine, serve: (*call).prepareShutdown},
		route{pattern: "/ingester/prepare_shutdown", methods: []string{http.MethodDelete}, scope: ScopeAdmin, family: familyLine, serve: (*call).cancelShutdown},
		route{pattern: "/ingester/shutdown", methods: methodsGetPost, scope: ScopeAdmin, family: familyLine, serve: (*call).shutdown},
	)
	public := func(pattern string, serve func(*call) error) route {
		return route{pattern: pattern, methods: methodsGet, family: familyLine, serve: serve}
	}
	add(true,
		public("/ready", (*call).ready),
		public("/loki/ready", (*call).ready),
		public("/services", (*call).services),
		public("/loki/api/v1/status/buildinfo", (*call).buildInfo),
		public("/loki/api/v1/cache/generation_numbers", (*call).cacheGeneration),
		public("/memberlist", (*call).memberlist),
	)
	add(o.Gatherer != nil, public("/metrics", (*call).showMetrics))
	add(o.Config != nil, public("/config", (*call).config))
	add(o.LogLevel != nil, public("/log_level", (*call).logLevel))
	add(o.SetLogLevel != nil, route{pattern: "/log_level", methods: methodsPost, scope: ScopeAdmin, family: familyLine, serve: (*call).setLogLevel})
	return table
}

func (a *API) deleteRoute(methods []string, serve func(*call) error) route {
	return route{pattern: "/loki/api/v1/delete", methods: methods, tenancy: tenantOne, scope: ScopeAdmin, family: familyLine, serve: serve}
}
