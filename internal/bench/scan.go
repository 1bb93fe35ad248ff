package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/cambium-logs/cambium/pkg/httpapi"
	"github.com/cambium-logs/cambium/pkg/query"
	"github.com/cambium-logs/cambium/pkg/tenant"
)

// scanRepeats is how often a scan runs; the fastest counts, for the floor too.
const scanRepeats = 3

// measureScan counts the lines that contain a text, over everything that is stored. The floor looks for it in the raw bytes in memory,
// line by line as the answer needs, on one core.
func (c *corpus) measureScan(ctx context.Context, t *table, run func(context.Context, query.Params) (*query.Result, error), needle string) error {
	want, floor := int64(0), time.Duration(0)
	for range scanRepeats {
		began, found := time.Now(), int64(0)
		for _, raw := range c.texts {
			found += matching(raw, []byte(needle))
		}
		if took := time.Since(began); floor == 0 || took < floor {
			floor = took
		}
		want = found
	}
	limits := tenant.DefaultLimits()
	best := time.Duration(0)
	for range scanRepeats {
		began := time.Now()
		result, err := run(ctx, query.Params{
			Tenant: tenantID, Instant: true, Time: c.newest.Add(time.Hour).UnixNano(), Limits: query.LimitsOf(limits), NoCache: true,
			Expr: fmt.Sprintf("sum(count_over_time({service_name=~\".+\"} |= %q [12h]))", needle),
		})
		if err != nil {
			return err
		}
		if took := time.Since(began); best == 0 || took < best {
			best = took
		}
		got := int64(0)
		if len(result.Vector) > 0 {
			got = int64(result.Vector[0].Value)
		}
		// Equal lines at one time in one stream are one entry.
		if got > want || float64(got) < 0.95*float64(want) {
			return fmt.Errorf("the scan for %q found %d lines, and there are %d", needle, got, want)
		}
	}
	t.rate(fmt.Sprintf("count of `|= %q`, %d of %d lines (floor: bytes.Index, one core)", needle, want, c.lines), c.raw, best, floor)
	return nil
}

// matching counts the lines of a text that contain a needle.
func matching(raw, needle []byte) int64 {
	n := int64(0)
	for {
		at := bytes.Index(raw, needle)
		if at < 0 {
			return n
		}
		n++
		end := bytes.IndexByte(raw[at:], '\n')
		if end < 0 {
			return n
		}
		raw = raw[at+end+1:]
	}
}

// asBench makes every request the bench's.
func asBench(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.ServeHTTP(w, r.WithContext(httpapi.WithPrincipal(r.Context(), httpapi.Principal{Tenant: tenantID, Role: httpapi.RoleAdmin})))
	})
}
