package ingest

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/cambium-logs/cambium/pkg/tenant"
)

// ServiceLabel is the label that service discovery sets.
const ServiceLabel = "service_name"

const unknownService = "unknown_service"

// labelSet is what the label text of a stream comes to under a tenant's limits.
type labelSet struct {
	labels  labels.Labels
	text    string // of labels, for messages
	hash    uint64
	level   string // that the labels name, or ""
	refused *rejection
}

// rejection says why a stream or an entry is not stored, and under which reason it is counted.
type rejection struct {
	reason  string
	message string
}

// Reasons of rejections, as in the metric cambium_discarded_samples_total.
const (
	reasonMissingLabels       = "missing_labels"
	reasonDuplicateLabel      = "duplicate_label_names"
	reasonTooManyLabels       = "max_label_names_per_series"
	reasonLabelNameTooLong    = "label_name_too_long"
	reasonLabelValueTooLong   = "label_value_too_long"
	reasonTooOld              = "greater_than_max_sample_age"
	reasonTooNew              = "too_far_in_future"
	reasonLineTooLong         = "line_too_long"
	reasonNoMetadata          = "disallowed_structured_metadata"
	reasonMetadataTooLarge    = "structured_metadata_too_large"
	reasonMetadataTooMany     = "structured_metadata_too_many"
	reasonRateLimited         = "rate_limited"
	reasonPerStreamRate       = "per_stream_rate_limit"
	reasonStreamLimit         = "stream_limit"
	reasonMissingEnforced     = "missing_enforced_labels"
	reasonBlocked             = "blocked_ingestion"
	reasonInvalidLabels       = "invalid_labels"
	reasonInvalidMetadataName = "invalid_structured_metadata_name"
)

// newLabelSet applies normalisation and label limits to parsed pairs, which are reordered. Strings are copied.
func newLabelSet(pairs []labels.Label, limits *tenant.Limits, levels *levelDetector) *labelSet {
	kept := pairs[:0]
	for _, p := range pairs {
		if p.Value != "" {
			kept = append(kept, labels.Label{Name: p.Name, Value: validText(p.Value)})
		}
	}
	if len(limits.DiscoverServiceName) > 0 && pairValue(kept, ServiceLabel) == "" {
		kept = append(kept, labels.Label{Name: ServiceLabel, Value: discoverService(kept, limits.DiscoverServiceName)})
	}
	slices.SortStableFunc(kept, func(a, b labels.Label) int { return strings.Compare(a.Name, b.Name) })
	set := &labelSet{labels: labels.New(kept...)}
	set.text = set.labels.String()
	set.hash = set.labels.Hash()
	set.refused = checkLabels(kept, bounded(set.text), limits)
	if set.refused == nil && limits.DiscoverLogLevels {
		set.level = strings.Clone(levels.ofLabels(set.labels))
	}
	return set
}

func pairValue(pairs []labels.Label, name string) string {
	for i := range pairs {
		if pairs[i].Name == name {
			return pairs[i].Value
		}
	}
	return ""
}

func discoverService(pairs []labels.Label, names []string) string {
	for _, name := range names {
		if v := pairValue(pairs, name); v != "" {
			return v
		}
	}
	return unknownService
}

// checkLabels returns why the sorted pairs are no acceptable label set, or nil.
func checkLabels(pairs []labels.Label, text string, limits *tenant.Limits) *rejection {
	if len(pairs) == 0 {
		return &rejection{reasonMissingLabels, "error at least one label pair is required per stream"}
	}
	counted := 0
	for _, p := range pairs {
		if p.Name != ServiceLabel {
			counted++
		}
	}
	if limits.MaxLabelNamesPerSeries > 0 && counted > limits.MaxLabelNamesPerSeries {
		return &rejection{reasonTooManyLabels, fmt.Sprintf("entry for stream '%s' has %d label names; limit %d", text, counted, limits.MaxLabelNamesPerSeries)}
	}
	for i, p := range pairs {
		switch {
		case limits.MaxLabelNameLength > 0 && len(p.Name) > limits.MaxLabelNameLength:
			return &rejection{reasonLabelNameTooLong, fmt.Sprintf("stream '%s' has label name too long: '%s'", text, bounded(p.Name))}
		case limits.MaxLabelValueLength > 0 && len(p.Value) > limits.MaxLabelValueLength:
			return &rejection{reasonLabelValueTooLong, fmt.Sprintf("stream '%s' has label value too long: '%s'", text, bounded(p.Value))}
		case i > 0 && pairs[i-1].Name == p.Name:
			return &rejection{reasonDuplicateLabel, fmt.Sprintf("stream '%s' has duplicate label name: '%s'", text, p.Name)}
		}
	}
	return nil
}

// checkEnforced returns why a stream lacks a label that the tenant must send, or nil.
func checkEnforced(set *labelSet, user string, limits *tenant.Limits) *rejection {
	var missing []string
	for _, name := range limits.EnforcedLabels {
		if !set.labels.Has(name) {
			missing = append(missing, name)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	return &rejection{reasonMissingEnforced, fmt.Sprintf("missing required labels '%s' for user '%s' for stream '%s' (policy: '')",
		strings.Join(missing, ","), user, bounded(set.text))}
}

// maxQuoted is how much of a sender's text a message repeats, in bytes.
const maxQuoted = 16 << 10

func bounded(text string) string {
	if len(text) <= maxQuoted {
		return text
	}
	return strings.ToValidUTF8(text[:maxQuoted], "") + "…"
}

// labelCache remembers label sets by label text. It belongs to one tenant under one version of its limits. It is safe for concurrent use.
type labelCache struct {
	limits *tenant.Limits
	levels *levelDetector

	mu    sync.RWMutex // guards what follows
	sets  map[string]*labelSet
	bytes int
}

// Bounds of a labelCache. What is longer than maxCachedText is worked out each time.
const (
	maxCachedText  = 8 << 10
	maxCachedBytes = 32 << 20
)

func newLabelCache(limits *tenant.Limits) *labelCache {
	return &labelCache{limits: limits, levels: newLevelDetector(limits), sets: map[string]*labelSet{}}
}

// get returns the label set of text. An error means that text cannot be parsed.
func (c *labelCache) get(text string) (*labelSet, error) {
	c.mu.RLock()
	set, ok := c.sets[text]
	c.mu.RUnlock()
	if ok {
		return set, nil
	}
	pairs, err := parseLabels(text, nil)
	if err != nil {
		return nil, err
	}
	set = newLabelSet(pairs, c.limits, c.levels)
	if len(text) > maxCachedText {
		return set, nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	size := 3*len(text) + 256
	if c.bytes+size > maxCachedBytes {
		clear(c.sets)
		c.bytes = 0
	}
	c.bytes += size
	c.sets[strings.Clone(text)] = set
	return set, nil
}

func formatTime(ns int64) string { return time.Unix(0, ns).UTC().Format(time.RFC3339) }
