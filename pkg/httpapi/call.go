package httpapi

import (
	"context"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend/tracing"
	"go.opentelemetry.io/otel/attribute"

	"github.com/cambium-logs/cambium/pkg/query"
	"github.com/cambium-logs/cambium/pkg/tenant"
)

// call is one request on its way through a route.
type call struct {
	api       *API
	w         *answer
	r         *http.Request
	name      string // the {name} of the path
	principal Principal
	tenant    string // what a store is asked for: one id, or several joined by "|"
	limits    *tenant.Limits
	now       time.Time
}

func (c *call) ctx() context.Context { return c.r.Context() }

// serve runs a route: it finds out who asks, whether they may, and answers the error if there is one.
func (a *API) serve(w http.ResponseWriter, r *http.Request, found *route, name string) {
	out := &answer{ResponseWriter: w, acceptsGzip: acceptsGzip(r), timeout: a.options.WriteTimeout}
	ctx, span := tracing.DefaultTracer().Start(r.Context(), "cambium "+found.pattern)
	defer span.End()
	c := &call{api: a, w: out, r: r.WithContext(ctx), name: name, now: a.options.Now()}
	done := a.metrics.begin(found.pattern, r)
	defer func() {
		if recovered := recover(); recovered != nil {
			if recovered == http.ErrAbortHandler {
				panic(recovered)
			}
			a.metrics.panics.Inc()
			logPanic(found.pattern, recovered, debug.Stack())
			if out.status == 0 {
				(&Error{Status: http.StatusInternalServerError, Message: "internal error"}).write(out, found.family)
			}
		}
		out.finish()
		span.SetAttributes(attribute.Int("http.response.status_code", out.status), attribute.String("cambium.tenant", c.tenant))
		done(out.status, out.written)
	}()
	if err := c.identify(found); err != nil {
		f := found.family
		if f == familyQuery || f == familyOTLP {
			f = familyLine
		}
		identityError(err).write(out, f)
		return
	}
	if err := found.serve(c); err != nil && out.status == 0 {
		refused := asError(err)
		if refused.Status >= http.StatusInternalServerError {
			_ = tracing.Error(span, err)
		}
		refused.write(out, found.family)
	}
}

// identify resolves the principal, the tenant and the limits of a call and checks the right to the route.
func (c *call) identify(found *route) error {
	if found.tenancy == tenantNone {
		if found.scope == "" {
			return nil
		}
		principal, err := c.api.options.Authorizer.Authorize(c.r)
		if err != nil {
			return err
		}
		return principal.may(found.scope)
	}
	principal, err := c.api.options.Authorizer.Authorize(c.r)
	if err != nil {
		return err
	}
	if err := principal.may(found.scope); err != nil {
		return err
	}
	c.principal = principal
	if len(principal.Tenants) <= 1 {
		c.tenant = principal.Tenant
		if len(principal.Tenants) == 1 {
			c.tenant = principal.Tenants[0]
		}
		if err := tenant.ValidateID(c.tenant); err != nil {
			return err
		}
		c.limits = c.api.options.Limits(c.tenant)
		return nil
	}
	if found.tenancy == tenantOne || !c.api.options.MultiTenant {
		return tenant.ErrMultipleIDs
	}
	all := make([]*tenant.Limits, len(principal.Tenants))
	for i, id := range principal.Tenants {
		if err := tenant.ValidateID(id); err != nil {
			return err
		}
		all[i] = c.api.options.Limits(id)
	}
	smallest, err := tenant.Smallest(all...)
	if err != nil {
		return err
	}
	c.limits = &smallest
	c.tenant = strings.Join(principal.Tenants, "|")
	return nil
}

// queryLimits are the limits of the call as queries take them.
func (c *call) queryLimits() query.Limits { return query.LimitsOf(*c.limits) }

// answer is a response that knows what was written, and compresses where the client accepts it and the route wants it.
type answer struct {
	http.ResponseWriter
	acceptsGzip bool
	compressed  *gzipStream
	timeout     time.Duration // for each part that is written; 0: none
	status      int
	written     int64
}

// WriteHeader implements http.ResponseWriter.
func (a *answer) WriteHeader(status int) {
	if a.status == 0 {
		a.status = status
		a.ResponseWriter.WriteHeader(status)
	}
}

// Write implements http.ResponseWriter.
func (a *answer) Write(p []byte) (int, error) {
	if a.status == 0 {
		a.WriteHeader(http.StatusOK)
	}
	if a.timeout > 0 {
		_ = http.NewResponseController(a.ResponseWriter).SetWriteDeadline(time.Now().Add(a.timeout)) // where the connection has one
	}
	var n int
	var err error
	if a.compressed != nil {
		n, err = a.compressed.Write(p)
	} else {
		n, err = a.ResponseWriter.Write(p)
	}
	a.written += int64(n)
	return n, err
}

// Unwrap lets http.ResponseController and websockets reach the connection.
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// json starts a JSON answer, compressed where the client accepts it.
func (a *answer) json(contentType string) {
	h := a.Header()
	h.Set("Content-Type", contentType)
	h.Set("Vary", "Accept-Encoding")
	if a.acceptsGzip {
		h.Set("Content-Encoding", "gzip")
		a.compressed = newGzipStream(a.ResponseWriter)
	}
}

func (a *answer) finish() {
	if a.compressed != nil {
		a.compressed.close()
		a.compressed = nil
	}
}
