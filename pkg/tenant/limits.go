package tenant

import (
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"time"
)

// Limits are the limits of one tenant. The keys and defaults are Loki's limits_config; the zero value of a size, a count or a duration
// switches that limit off unless its comment says otherwise. Keys under "accepted" are read and have no effect here.
type Limits struct {
	// Ingestion.
	IngestionRateStrategy             string              `yaml:"ingestion_rate_strategy"` // accepted
	IngestionRateMB                   float64             `yaml:"ingestion_rate_mb"`       // MiB per second
	IngestionBurstSizeMB              float64             `yaml:"ingestion_burst_size_mb"` // MiB
	MaxLabelNamesPerSeries            int                 `yaml:"max_label_names_per_series"`
	MaxLabelNameLength                int                 `yaml:"max_label_name_length"`  // bytes
	MaxLabelValueLength               int                 `yaml:"max_label_value_length"` // bytes
	RejectOldSamples                  bool                `yaml:"reject_old_samples"`
	RejectOldSamplesMaxAge            Duration            `yaml:"reject_old_samples_max_age"`
	CreationGracePeriod               Duration            `yaml:"creation_grace_period"`
	MaxLineSize                       ByteSize            `yaml:"max_line_size"`
	MaxLineSizeTruncate               bool                `yaml:"max_line_size_truncate"`
	MaxLineSizeTruncateIdentifier     string              `yaml:"max_line_size_truncate_identifier"`
	IncrementDuplicateTimestamp       bool                `yaml:"increment_duplicate_timestamp"`
	DiscoverServiceName               []string            `yaml:"discover_service_name"`
	DiscoverLogLevels                 bool                `yaml:"discover_log_levels"`
	LogLevelFields                    []string            `yaml:"log_level_fields"`
	LogLevelFromJSONMaxDepth          int                 `yaml:"log_level_from_json_max_depth"` // ≤ 0: unlimited
	DiscoverGenericFields             map[string][]string `yaml:"discover_generic_fields"`
	AllowStructuredMetadata           bool                `yaml:"allow_structured_metadata"`
	MaxStructuredMetadataSize         ByteSize            `yaml:"max_structured_metadata_size"`
	MaxStructuredMetadataEntriesCount int                 `yaml:"max_structured_metadata_entries_count"`
	MaxStreamsPerUser                 int                 `yaml:"max_streams_per_user"`
	MaxGlobalStreamsPerUser           int                 `yaml:"max_global_streams_per_user"`
	PerStreamRateLimit                ByteSize            `yaml:"per_stream_rate_limit"` // per second
	PerStreamRateLimitBurst           ByteSize            `yaml:"per_stream_rate_limit_burst"`
	ShardStreams                      ShardStreams        `yaml:"shard_streams"` // accepted
	EnforcedLabels                    []string            `yaml:"enforced_labels"`
	BlockIngestionUntil               Time                `yaml:"block_ingestion_until"`
	BlockIngestionStatusCode          int                 `yaml:"block_ingestion_status_code"`
	OTLPConfig                        OTLPConfig          `yaml:"otlp_config"`

	// Queries.
	MaxQueryLength                      Duration       `yaml:"max_query_length"`
	MaxQueryLookback                    Duration       `yaml:"max_query_lookback"`
	MaxQueryRange                       Duration       `yaml:"max_query_range"`
	MaxQuerySeries                      int            `yaml:"max_query_series"`
	MaxEntriesLimitPerQuery             int            `yaml:"max_entries_limit_per_query"`
	QueryTimeout                        Duration       `yaml:"query_timeout"`
	MaxStreamsMatchersPerQuery          int            `yaml:"max_streams_matchers_per_query"`
	RequiredLabels                      []string       `yaml:"required_labels"`
	MinimumLabelsNumber                 int            `yaml:"minimum_labels_number"`
	MaxQueryBytesRead                   ByteSize       `yaml:"max_query_bytes_read"`
	MaxQuerierBytesRead                 ByteSize       `yaml:"max_querier_bytes_read"`
	MaxChunksPerQuery                   int            `yaml:"max_chunks_per_query"` // accepted
	CardinalityLimit                    int            `yaml:"cardinality_limit"`    // accepted
	MaxConcurrentTailRequests           int            `yaml:"max_concurrent_tail_requests"`
	VolumeEnabled                       bool           `yaml:"volume_enabled"`
	VolumeMaxSeries                     int            `yaml:"volume_max_series"`
	BlockedQueries                      []BlockedQuery `yaml:"blocked_queries"`
	MaxQueryParallelism                 int            `yaml:"max_query_parallelism"`
	TSDBMaxQueryParallelism             int            `yaml:"tsdb_max_query_parallelism"`               // accepted
	MaxQueriersPerTenant                float64        `yaml:"max_queriers_per_tenant"`                  // accepted
	MaxQueryCapacity                    float64        `yaml:"max_query_capacity"`                       // accepted
	SplitQueriesByInterval              Duration       `yaml:"split_queries_by_interval"`                // accepted
	SplitInstantMetricQueriesByInterval Duration       `yaml:"split_instant_metric_queries_by_interval"` // accepted
	MinShardingLookback                 Duration       `yaml:"min_sharding_lookback"`                    // accepted
	TSDBMaxBytesPerShard                ByteSize       `yaml:"tsdb_max_bytes_per_shard"`                 // accepted
	ShardAggregations                   []string       `yaml:"shard_aggregations"`                       // accepted
	MaxCacheFreshnessPerQuery           Duration       `yaml:"max_cache_freshness_per_query"`            // accepted
	MaxOutstandingPerTenant             int            `yaml:"max_outstanding_per_tenant"`
	MaxPatternAge                       Duration       `yaml:"max_pattern_age"` // not of Loki: how old lines may be that patterns are made of

	// Rules.
	RulerMaxRulesPerRuleGroup   int `yaml:"ruler_max_rules_per_rule_group"`   // accepted
	RulerMaxRuleGroupsPerTenant int `yaml:"ruler_max_rule_groups_per_tenant"` // accepted

	// Retention and deletion.
	RetentionPeriod Duration          `yaml:"retention_period"`
	RetentionStream []StreamRetention `yaml:"retention_stream"`
	DeletionMode    string            `yaml:"deletion_mode"`
}

// ShardStreams is read for compatibility: a hot stream is never split here.
type ShardStreams struct {
	Enabled     bool     `yaml:"enabled"`
	DesiredRate ByteSize `yaml:"desired_rate"`
}

// BlockedQuery refuses queries by their text: Pattern equal to it, or, when Regex, matching it. Types restricts the rule to
// "filter", "limited" or "metric" queries.
type BlockedQuery struct {
	Pattern   string            `yaml:"pattern"`
	Regex     bool              `yaml:"regex"`
	Types     []string          `yaml:"types"`
	Hash      uint32            `yaml:"hash"`
	QueryTags map[string]string `yaml:"query_tags"`
}

// StreamRetention keeps the streams that Selector (matchers only) selects for Period. Among matching rules the highest Priority wins.
type StreamRetention struct {
	Selector string   `yaml:"selector"`
	Priority int      `yaml:"priority"`
	Period   Duration `yaml:"period"`
}

// Deletion modes.
const (
	DeletionDisabled        = "disabled"
	DeletionFilterOnly      = "filter-only"
	DeletionFilterAndDelete = "filter-and-delete"
)

// OTLPConfig says what becomes of OTLP attributes.
type OTLPConfig struct {
	ResourceAttributes  ResourceAttributes `yaml:"resource_attributes"`
	ScopeAttributes     []AttributeRule    `yaml:"scope_attributes"`
	LogAttributes       []AttributeRule    `yaml:"log_attributes"`
	SeverityTextAsLabel bool               `yaml:"severity_text_as_label"`
}

// ResourceAttributes holds the rules for resource attributes; the default index labels come after them unless IgnoreDefaults.
type ResourceAttributes struct {
	IgnoreDefaults   bool            `yaml:"ignore_defaults"`
	AttributesConfig []AttributeRule `yaml:"attributes_config"`
}

// Actions of an AttributeRule.
const (
	ActionIndexLabel         = "index_label"
	ActionStructuredMetadata = "structured_metadata"
	ActionDrop               = "drop"
)

// AttributeRule applies Action to the attributes named in Attributes, or matching Regex.
type AttributeRule struct {
	Action     string   `yaml:"action"`
	Attributes []string `yaml:"attributes"`
	Regex      string   `yaml:"regex"`
}

// DefaultLimits are the limits of a tenant without overrides.
func DefaultLimits() Limits {
	return Limits{
		IngestionRateStrategy:             "global",
		IngestionRateMB:                   4,
		IngestionBurstSizeMB:              6,
		MaxLabelNamesPerSeries:            15,
		MaxLabelNameLength:                1024,
		MaxLabelValueLength:               2048,
		RejectOldSamples:                  true,
		RejectOldSamplesMaxAge:            Duration(7 * 24 * time.Hour),
		CreationGracePeriod:               Duration(10 * time.Minute),
		MaxLineSize:                       256 << 10,
		DiscoverServiceName:               defaultServiceNames(),
		DiscoverLogLevels:                 true,
		LogLevelFields:                    defaultLevelFields(),
		LogLevelFromJSONMaxDepth:          2,
		AllowStructuredMetadata:           true,
		MaxStructuredMetadataSize:         64 << 10,
		MaxStructuredMetadataEntriesCount: 128,
		MaxGlobalStreamsPerUser:           5000,
		PerStreamRateLimit:                3 << 20,
		PerStreamRateLimitBurst:           15 << 20,
		ShardStreams:                      ShardStreams{Enabled: true, DesiredRate: 1536 << 10},
		BlockIngestionStatusCode:          260,

		MaxQueryLength:                      Duration(721 * time.Hour),
		MaxQuerySeries:                      500,
		MaxEntriesLimitPerQuery:             5000,
		QueryTimeout:                        Duration(time.Minute),
		MaxStreamsMatchersPerQuery:          1000,
		MaxQuerierBytesRead:                 150 << 30,
		MaxPatternAge:                       Duration(7 * 24 * time.Hour),
		MaxChunksPerQuery:                   2_000_000,
		CardinalityLimit:                    100_000,
		MaxConcurrentTailRequests:           10,
		VolumeEnabled:                       true,
		VolumeMaxSeries:                     1000,
		MaxQueryParallelism:                 32,
		TSDBMaxQueryParallelism:             128,
		SplitQueriesByInterval:              Duration(time.Hour),
		SplitInstantMetricQueriesByInterval: Duration(time.Hour),
		TSDBMaxBytesPerShard:                600 << 20,
		MaxCacheFreshnessPerQuery:           Duration(10 * time.Minute),
		MaxOutstandingPerTenant:             2048,

		DeletionMode: DeletionFilterAndDelete,
	}
}

func defaultServiceNames() []string {
	return []string{
		"service", "app", "application", "app_name", "name", "app_kubernetes_io_name", "container", "container_name",
		"k8s_container_name", "component", "workload", "job", "k8s_job_name",
	}
}

func defaultLevelFields() []string {
	return []string{
		"level", "LEVEL", "Level", "log.level", "severity", "SEVERITY", "Severity", "SeverityText", "lvl", "LVL", "Lvl",
		"severity_text", "Severity_Text", "SEVERITY_TEXT",
	}
}

// Validate reports the first value that cannot be meant.
func (l *Limits) Validate() error {
	switch l.DeletionMode {
	case DeletionDisabled, DeletionFilterOnly, DeletionFilterAndDelete:
	default:
		return errors.New("unknown deletion mode: must be one of disabled|filter-only|filter-and-delete")
	}
	switch l.IngestionRateStrategy {
	case "global", "local":
	default:
		return fmt.Errorf("ingestion_rate_strategy: must be global or local, is %q", l.IngestionRateStrategy)
	}
	if l.BlockIngestionStatusCode < http.StatusOK || l.BlockIngestionStatusCode > 599 {
		return fmt.Errorf("block_ingestion_status_code: must be an HTTP status of 200 to 599, is %d", l.BlockIngestionStatusCode)
	}
	if l.RetentionPeriod != 0 && time.Duration(l.RetentionPeriod) < minRetention {
		return fmt.Errorf("retention period must be >= 24h was %s", l.RetentionPeriod)
	}
	for _, rule := range l.RetentionStream {
		if time.Duration(rule.Period) < minRetention {
			return fmt.Errorf("retention period must be >= 24h was %s", rule.Period)
		}
	}
	for _, rule := range l.BlockedQueries {
		if rule.Regex {
			if _, err := regexp.Compile(rule.Pattern); err != nil {
				return fmt.Errorf("blocked_queries: %w", err)
			}
		}
	}
	return l.OTLPConfig.validate()
}

const minRetention = 24 * time.Hour

func (c *OTLPConfig) validate() error {
	check := func(section string, rules []AttributeRule, indexAllowed bool) error {
		for _, rule := range rules {
			switch {
			case rule.Action == ActionStructuredMetadata, rule.Action == ActionDrop, rule.Action == ActionIndexLabel && indexAllowed:
			default:
				return fmt.Errorf("otlp_config.%s: action %q is not possible", section, rule.Action)
			}
			if (len(rule.Attributes) == 0) == (rule.Regex == "") {
				return fmt.Errorf("otlp_config.%s: one of attributes and regex must be set", section)
			}
			if _, err := regexp.Compile(rule.Regex); err != nil {
				return fmt.Errorf("otlp_config.%s: %w", section, err)
			}
		}
		return nil
	}
	if err := check("resource_attributes", c.ResourceAttributes.AttributesConfig, true); err != nil {
		return err
	}
	if err := check("scope_attributes", c.ScopeAttributes, false); err != nil {
		return err
	}
	return check("log_attributes", c.LogAttributes, false)
}
