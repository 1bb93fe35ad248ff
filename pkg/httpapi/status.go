package httpapi

import (
	"fmt"
	"maps"
	"net/http"
	"net/http/pprof"
	"runtime"
	"slices"
	"strings"

	"github.com/prometheus/client_golang/prometheus/promhttp"
	"gopkg.in/yaml.v3"
)

// text answers with plain text.
func (c *call) text(status int, text string) {
	c.w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	c.w.WriteHeader(status)
	_, _ = c.w.Write([]byte(text))
}

// ready serves /ready.
func (c *call) ready() error {
	if r := c.api.options.Readiness; r != nil {
		if err := r.Ready(); err != nil {
			return &Error{Status: http.StatusServiceUnavailable, Message: err.Error()}
		}
	}
	c.text(http.StatusOK, "ready\n")
	return nil
}

// services serves /services.
func (c *call) services() error {
	states := map[string]string{"engine": "Running"}
	if c.api.options.Services != nil {
		states = c.api.options.Services()
	}
	var out strings.Builder
	for _, name := range slices.Sorted(maps.Keys(states)) {
		fmt.Fprintf(&out, "%s => %s\n", name, states[name])
	}
	c.text(http.StatusOK, out.String())
	return nil
}

// buildInfo serves /loki/api/v1/status/buildinfo.
func (c *call) buildInfo() error {
	b := c.api.options.Build
	return c.answerJSON(http.StatusOK, "application/json", struct {
		Version   string `json:"version"`
		Revision  string `json:"revision"`
		Branch    string `json:"branch"`
		BuildUser string `json:"buildUser"`
		BuildDate string `json:"buildDate"`
		GoVersion string `json:"goVersion"`
	}{b.Version, b.Revision, b.Branch, b.User, b.Date, runtime.Version()})
}

func (c *call) answerJSON(status int, contentType string, v any) error {
	c.w.Header().Set("Content-Type", contentType)
	c.w.WriteHeader(status)
	j := newJSONWriter(c.w)
	writeJSON(j, v)
	j.raw("\n")
	j.flush()
	return nil
}

// cacheGeneration serves the number by which other components would drop cached results.
func (c *call) cacheGeneration() error { return c.answerJSON(http.StatusOK, "application/json", "") }

// showMetrics serves /metrics.
func (c *call) showMetrics() error {
	promhttp.HandlerFor(c.api.options.Gatherer, promhttp.HandlerOpts{}).ServeHTTP(c.w, c.r)
	return nil
}

// config serves /config.
func (c *call) config() error {
	mode := c.r.URL.Query().Get("mode")
	if mode != "diff" && mode != "defaults" {
		mode = ""
	}
	text, err := c.api.options.Config(mode)
	if err != nil {
		return err
	}
	return c.yaml(text)
}

func (c *call) yaml(text []byte) error {
	c.w.Header().Set("Content-Type", "application/yaml")
	c.w.WriteHeader(http.StatusOK)
	_, _ = c.w.Write(text)
	return nil
}

// tenantLimits serves /config/tenant/v1/limits.
func (c *call) tenantLimits() error {
	text, err := yaml.Marshal(c.limits)
	if err != nil {
		return err
	}
	return c.yaml(text)
}

// logLevel serves GET /log_level.
func (c *call) logLevel() error {
	return c.answerJSON(http.StatusOK, "application/json", map[string]string{"message": "Current log level is " + c.api.options.LogLevel()})
}

// setLogLevel serves POST /log_level.
func (c *call) setLogLevel() error {
	if err := c.form(); err != nil {
		return err
	}
	type outcome struct {
		Status  string `json:"status"`
		Message string `json:"message"`
	}
	level := c.value("log_level")
	if err := c.api.options.SetLogLevel(level); err != nil {
		return c.answerJSON(http.StatusBadRequest, "application/json", outcome{"failed", fmt.Sprintf("unrecognized log level %q", level)})
	}
	return c.answerJSON(http.StatusOK, "application/json", outcome{"success", "Log level set to " + level})
}

// flush serves /flush and /flush/tenant: it answers when everything pushed so far is in segments.
func (c *call) flush() error {
	if err := c.api.options.Flusher.Flush(c.ctx()); err != nil {
		return err
	}
	c.w.WriteHeader(http.StatusNoContent)
	return nil
}

// status serves /cambium/v1/status: where the tenant's data is, how much of it, and for how long.
func (c *call) status() error {
	s, err := c.api.options.Reporter.TenantStatus(c.ctx(), c.tenant)
	if err != nil {
		return err
	}
	retention := "forever"
	if c.limits.RetentionPeriod > 0 {
		retention = c.limits.RetentionPeriod.String()
	}
	return c.answerJSON(http.StatusOK, contentTypeJSON, struct {
		Tenant       string `json:"tenant"`
		Location     string `json:"location"`
		Bytes        int64  `json:"bytes"`
		RawBytes     int64  `json:"rawBytes"`
		Entries      int64  `json:"entries"`
		Streams      int64  `json:"streams"`
		Oldest       string `json:"oldest"`
		Newest       string `json:"newest"`
		LastReceived string `json:"lastReceived"`
		Retention    string `json:"retention"`
		PushRole     string `json:"pushRole"`
		Version      string `json:"version"`
	}{
		c.tenant, s.Location, s.Bytes, s.RawBytes, s.Entries, s.Streams, rfc3339(s.Oldest), rfc3339(s.Newest), rfc3339(s.LastReceived),
		retention, c.principal.pushRole().String(), c.api.options.Build.Version,
	})
}

// serveProfile serves /debug/pprof to admins.
func (a *API) serveProfile(w http.ResponseWriter, r *http.Request) {
	principal, err := a.options.Authorizer.Authorize(r)
	if err == nil {
		err = principal.may(ScopeAdmin)
	}
	if err != nil {
		identityError(err).write(w, familyLine)
		return
	}
	switch strings.TrimPrefix(r.URL.Path, "/debug/pprof/") {
	case "cmdline":
		pprof.Cmdline(w, r)
	case "profile":
		pprof.Profile(w, r)
	case "symbol":
		pprof.Symbol(w, r)
	case "trace":
		pprof.Trace(w, r)
	default:
		pprof.Index(w, r)
	}
}
