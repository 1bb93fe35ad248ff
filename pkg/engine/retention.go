package engine

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/cambium-logs/cambium/pkg/logql"
	"github.com/cambium-logs/cambium/pkg/tenant"
)

// retention is how long a tenant's streams are kept. It does not change.
type retention struct {
	rules    []retentionRule // the first that matches decides
	fallback time.Duration   // of streams that no rule matches; 0 = for ever
	longest  time.Duration   // of all streams; 0 = for ever
	shortest time.Duration   // of all streams; 0 = none ever goes
}

type retentionRule struct {
	matchers []*labels.Matcher
	priority int
	period   time.Duration
}

// keepForever is the retention of tenants without one.
var keepForever = &retention{}

// newRetention reads a tenant's limits: among the rules whose selector matches, the highest priority decides, among equal ones the shorter
// period; without one, the period that was set for the tenant, then the limits'.
func newRetention(l *tenant.Limits, set time.Duration) (*retention, error) {
	r := &retention{fallback: time.Duration(l.RetentionPeriod)}
	if set != 0 {
		r.fallback = set
	}
	for _, rule := range l.RetentionStream {
		matchers, err := logql.ParseSelector(rule.Selector)
		if err != nil {
			return keepForever, fmt.Errorf("retention_stream: selector %s: %w", rule.Selector, err)
		}
		r.rules = append(r.rules, retentionRule{matchers, rule.Priority, time.Duration(rule.Period)})
	}
	slices.SortStableFunc(r.rules, func(a, b retentionRule) int {
		return cmp.Or(cmp.Compare(b.priority, a.priority), cmp.Compare(a.period, b.period))
	})
	r.longest, r.shortest = r.fallback, r.fallback
	for _, rule := range r.rules {
		if r.longest != 0 {
			r.longest = max(r.longest, rule.period)
		}
		if r.shortest == 0 || rule.period < r.shortest {
			r.shortest = rule.period
		}
	}
	return r, nil
}

// of gives how long a stream is kept; 0 = for ever.
func (r *retention) of(stream labels.Labels) time.Duration {
	for _, rule := range r.rules {
		if !slices.ContainsFunc(rule.matchers, func(m *labels.Matcher) bool { return !m.Matches(stream.Get(m.Name)) }) {
			return rule.period
		}
	}
	return r.fallback
}

// expired reports whether entries up to a time are past a period.
func expired(maxt int64, period time.Duration, now time.Time) bool {
	return period > 0 && maxt < now.Add(-period).UnixNano()
}

// retentionOf gives a tenant's retention as it was when the round began. Limits that cannot be understood keep everything, and are told once.
func (e *Engine) retentionOf(ctx context.Context, id string) (*retention, error) {
	if e.opts.Compaction.KeepForever || e.opts.Limits == nil {
		return keepForever, nil
	}
	m := e.maintenance
	now := tenantRetention{limits: e.opts.Limits(id)}
	known, ok := m.retentions[id]
	if ok && known.round == m.round && known.limits == now.limits {
		return known.retention, nil
	}
	var err error
	if now.set, err = e.storedRetention(ctx, id); err != nil {
		return nil, err
	}
	now.round = m.round
	if ok && known.limits == now.limits && known.set == now.set {
		now.retention = known.retention
	} else if now.retention, err = newRetention(now.limits, now.set); err != nil {
		e.opts.Logger.Error("The retention of a tenant cannot be understood; nothing of it expires", "tenant", id, "error", err)
	}
	m.retentions[id] = now
	return now.retention, nil
}

// tenantRetention remembers what a retention was read from, and in which round.
type tenantRetention struct {
	limits    *tenant.Limits
	set       time.Duration
	round     int64
	retention *retention
}

// erases reports whether delete requests of a tenant are carried out, not only hidden.
func (e *Engine) erases(id string) bool {
	return e.opts.Limits == nil || e.opts.Limits(id).DeletionMode == tenant.DeletionFilterAndDelete
}
