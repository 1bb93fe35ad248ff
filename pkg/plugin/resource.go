package plugin

import (
	"context"
	"crypto/subtle"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/grafana/grafana-plugin-sdk-go/backend/resource/httpadapter"

	"github.com/cambium-logs/cambium/pkg/httpapi"
	"github.com/cambium-logs/cambium/pkg/logql"
	"github.com/cambium-logs/cambium/pkg/query"
)

// MaxMessage is the largest gRPC message that the plugin takes, and so, less a little for the headers, the largest body of a resource
// call. Grafana sends a call as one message; beyond this it answers 500 by itself.
const MaxMessage = 64 << 20

// maxBody is the largest body of a resource call that is answered by the plugin rather than by gRPC.
const maxBody = 60 << 20

// pushTokenHeader carries the push token: Grafana keeps the headers Authorization and Cookie to itself.
const pushTokenHeader = "X-Push-Token"

// pushRoutes are the routes that write; with a push token set they need it.
var pushRoutes = map[string]bool{
	"/loki/api/v1/push": true, "/loki/api/v1/raw": true, "/api/prom/push": true, "/otlp/v1/logs": true, "/api/v1/push": true, "/api/v1/raw": true,
	"/promtail/api/v1/raw": true,
}

// processRoutes tell about the process and so about all orgs: they are the administrator's. Grafana shows the metrics in its own way.
var processRoutes = map[string]bool{"/metrics": true, "/config": true, "/services": true, "/log_level": true}

// CallResource implements backend.CallResourceHandler: the HTTP API, for the caller that Grafana names and for the tenant of its org.
// What headers say about who calls is not looked at.
func (i *Instance) CallResource(ctx context.Context, req *backend.CallResourceRequest, sender backend.CallResourceResponseSender) error {
	// The adapter reads the path as part of a URL, and Grafana sends it unescaped.
	escaped := *req
	escaped.Path = resourcePath(req)
	return httpadapter.New(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := i.serveResource(w, r, req); err != nil {
			writeResourceError(w, err)
		}
	})).CallResource(ctx, &escaped, sender)
}

// resourcePath is the escaped path of a call. Its URL keeps escapes that Path has lost, such as %2F in a label's value.
func resourcePath(req *backend.CallResourceRequest) string {
	raw, _, _ := strings.Cut(req.URL, "?")
	raw = strings.TrimPrefix(raw, "/")
	if text, err := url.PathUnescape(raw); err == nil && text == strings.TrimPrefix(req.Path, "/") {
		return raw
	}
	return strings.TrimPrefix((&url.URL{Path: "/" + strings.TrimPrefix(req.Path, "/")}).EscapedPath(), "/")
}

// serveResource checks who calls and passes the request on. An error has not been answered yet.
func (i *Instance) serveResource(w http.ResponseWriter, r *http.Request, req *backend.CallResourceRequest) error {
	if len(req.Body) > maxBody {
		return &query.Error{Status: http.StatusRequestEntityTooLarge,
			Message: "request body too large: a resource call of Grafana's takes 60 MiB at most; push smaller batches, or to the direct listener"}
	}
	if r.Body == nil { // as the adapter leaves it for an empty one, and no server does
		r.Body = http.NoBody
	}
	for name, values := range r.Header {
		if canonical := http.CanonicalHeaderKey(name); canonical != name {
			delete(r.Header, name)
			r.Header[canonical] = values
		}
	}
	c, err := i.call(r.Context(), req.PluginContext)
	if err != nil {
		return err
	}
	if pushRoutes[r.URL.Path] && c.settings.PushToken != "" &&
		subtle.ConstantTimeCompare([]byte(r.Header.Get(pushTokenHeader)), []byte(c.settings.PushToken)) != 1 {
		return &query.Error{Status: http.StatusForbidden, Message: "this data source takes logs only with its push token in the header " + pushTokenHeader}
	}
	if processRoutes[r.URL.Path] || strings.HasPrefix(r.URL.Path, "/debug/") {
		return &query.Error{Status: http.StatusNotFound, Message: "404 page not found"}
	}
	if err := c.confineRequest(r); err != nil {
		return err
	}
	principal := httpapi.Principal{Tenant: c.tenant, Role: c.role(), PushRole: c.settings.PushRole}
	c.db.Handler().ServeHTTP(w, r.WithContext(httpapi.WithPrincipal(r.Context(), principal)))
	return nil
}

// writeResourceError answers in plain text, as the API's own errors are. Refusals that a later attempt may succeed after say so.
func writeResourceError(w http.ResponseWriter, err error) {
	status := http.StatusInternalServerError
	var own *query.Error
	var parse *logql.ParseError
	switch {
	case errors.As(err, &own):
		status = own.Status
	case errors.As(err, &parse):
		status = http.StatusBadRequest
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	if status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "2")
	}
	w.WriteHeader(status)
	_, _ = w.Write([]byte(err.Error() + "\n"))
}
