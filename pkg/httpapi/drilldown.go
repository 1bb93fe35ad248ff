package httpapi

import (
	"net/http"

	"github.com/cambium-logs/cambium/pkg/tenant"
)

// drilldownLimits serves /loki/api/v1/drilldown-limits: what Logs Drilldown wants to know of a tenant.
func (c *call) drilldownLimits() error {
	l := c.limits
	return c.answerJSON(http.StatusOK, contentTypeJSON, map[string]any{
		"limits": map[string]any{
			"discover_log_levels":         l.DiscoverLogLevels,
			"discover_service_name":       orEmpty(l.DiscoverServiceName),
			"log_level_fields":            orEmpty(l.LogLevelFields),
			"max_entries_limit_per_query": l.MaxEntriesLimitPerQuery,
			"max_line_size_truncate":      l.MaxLineSizeTruncate,
			"max_query_bytes_read":        l.MaxQueryBytesRead.String(),
			"max_query_length":            l.MaxQueryLength.String(),
			"max_query_lookback":          l.MaxQueryLookback.String(),
			"max_query_range":             l.MaxQueryRange.String(),
			"max_query_series":            l.MaxQuerySeries,
			"metric_aggregation_enabled":  false,
			"otlp_config":                 otlpLabels(l),
			"pattern_persistence_enabled": false,
			"query_timeout":               l.QueryTimeout.String(),
			"retention_period":            l.RetentionPeriod.String(),
			"retention_stream":            retentionRules(l),
			"volume_enabled":              l.VolumeEnabled,
			"volume_max_series":           l.VolumeMaxSeries,
		},
		"pattern_ingester_enabled": true,
		"version":                  c.api.options.Build.Version,
	})
}

func orEmpty(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}

func otlpLabels(l *tenant.Limits) any {
	return map[string]any{"severity_text_as_label": l.OTLPConfig.SeverityTextAsLabel}
}

func retentionRules(l *tenant.Limits) []any {
	rules := []any{}
	for _, r := range l.RetentionStream {
		rules = append(rules, map[string]any{"selector": r.Selector, "priority": r.Priority, "period": r.Period.String()})
	}
	return rules
}
