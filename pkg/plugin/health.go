package plugin

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/prometheus/common/model"

	"github.com/cambium-logs/cambium/pkg/query"
)

// healthTimeout bounds a health check: a person waits for it.
const healthTimeout = 15 * time.Second

// healthDetails is the machine-readable part of a health check.
type healthDetails struct {
	Tenant    string `json:"tenant,omitempty"`
	Location  string `json:"location,omitempty"`
	Bytes     int64  `json:"bytes"`
	RawBytes  int64  `json:"rawBytes"`
	Entries   int64  `json:"entries"`
	Streams   int64  `json:"streams"`
	Oldest    string `json:"oldest,omitempty"`
	Newest    string `json:"newest,omitempty"`
	Retention string `json:"retention,omitempty"`
	PushRole  string `json:"pushRole,omitempty"`
	Version   string `json:"version,omitempty"`
	Streaming bool   `json:"streaming"`
}

// CheckHealth implements backend.CheckHealthHandler: it asks the store whether it can serve, writes, reads, lists and deletes
// an object there, runs a small query through the whole read path, and tells where the data is, how much, and for how long it is kept.
func (i *Instance) CheckHealth(ctx context.Context, req *backend.CheckHealthRequest) (*backend.CheckHealthResult, error) {
	ctx, cancel := context.WithTimeout(ctx, healthTimeout)
	defer cancel()
	c, err := i.call(ctx, req.PluginContext)
	if err != nil {
		return unhealthy(err.Error()), nil
	}
	if err := c.db.Ready(); err != nil {
		return unhealthy("the log store is not ready: " + err.Error()), nil
	}
	if err := i.probing.probe(ctx, c.db); err != nil {
		return unhealthy("the log store was tried: " + err.Error()), nil
	}
	now := time.Now()
	limits := query.LimitsOf(*c.db.Limits(c.tenant))
	limits.RequiredLabels, limits.MinLabels = nil, 0
	if _, err := c.db.Query(ctx, query.Params{
		Tenant: c.tenant, Expr: `{__health__="check"}`, Start: now.Add(-time.Hour).UnixNano(), End: now.UnixNano(), Limit: 1, Limits: limits,
	}); err != nil {
		return unhealthy("a test query failed: " + err.Error()), nil
	}
	status, err := c.db.TenantStatus(ctx, c.tenant)
	if err != nil {
		return unhealthy("the store cannot be counted: " + err.Error()), nil
	}
	retention, kept := c.retention()
	message := fmt.Sprintf("Logs are kept %s in %s. Nothing has been pushed yet.", kept, status.Location)
	if status.Entries > 0 {
		message = fmt.Sprintf("Logs are kept %s in %s: %s of %s, %s as pushed, %s stored; the oldest is %s old.",
			kept, status.Location, counted(status.Entries, "line"), counted(status.Streams, "stream"),
			humanize.IBytes(uint64(max(status.RawBytes, 0))), humanize.IBytes(uint64(max(status.Bytes, 0))), ago(now.Sub(time.Unix(0, status.Oldest))))
	}
	details := healthDetails{
		Tenant: c.tenant, Location: status.Location, Bytes: status.Bytes, RawBytes: status.RawBytes, Entries: status.Entries, Streams: status.Streams,
		Oldest: stamp(status.Oldest), Newest: stamp(status.Newest), PushRole: i.settings.PushRole.String(), Version: Version, Streaming: true,
	}
	if retention > 0 {
		details.Retention = model.Duration(retention).String()
	}
	text, err := json.Marshal(details)
	if err != nil {
		return nil, fmt.Errorf("health details: %w", err)
	}
	return &backend.CheckHealthResult{Status: backend.HealthStatusOk, Message: message, JSONDetails: text}, nil
}

// retainer is a Database that removes what is older than its tenant's retention.
type retainer interface{ Retains() bool }

// retention is how long the tenant's entries are kept, 0 for ever, and the same in words.
func (c *call) retention() (time.Duration, string) {
	keep := c.settings.Retention
	if keep == 0 {
		keep = time.Duration(c.db.Limits(c.tenant).RetentionPeriod)
	}
	if keep == 0 {
		return 0, "for ever"
	}
	if r, ok := c.db.(retainer); !ok || !r.Retains() {
		return 0, fmt.Sprintf("for ever (the retention of %s is not carried out by this version)", model.Duration(keep))
	}
	return keep, "for " + model.Duration(keep).String()
}

// counted writes a number with its noun.
func counted(n int64, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return humanize.Comma(n) + " " + noun
}

func unhealthy(message string) *backend.CheckHealthResult {
	return &backend.CheckHealthResult{Status: backend.HealthStatusError, Message: message}
}

// stamp writes a time in nanoseconds as RFC 3339, none as nothing.
func stamp(ns int64) string {
	if ns == 0 {
		return ""
	}
	return time.Unix(0, ns).UTC().Format(time.RFC3339Nano)
}
