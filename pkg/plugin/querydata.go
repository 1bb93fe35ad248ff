package plugin

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/grafana/grafana-plugin-sdk-go/data"

	"github.com/cambium-logs/cambium/pkg/logql"
	"github.com/cambium-logs/cambium/pkg/query"
)

// parallelQueries is how many queries of one request run at once. The engine bounds them all together.
const parallelQueries = 4

// QueryData implements backend.QueryDataHandler: each query is answered on its own, with frames or with an error.
func (i *Instance) QueryData(ctx context.Context, req *backend.QueryDataRequest) (*backend.QueryDataResponse, error) {
	response := backend.NewQueryDataResponse()
	call, err := i.call(ctx, req.PluginContext)
	if err != nil {
		for _, q := range req.Queries {
			response.Responses[q.RefID] = errorResponse(err)
		}
		return response, nil
	}
	call.fromAlert = req.GetHTTPHeader(backend.FromAlertHeaderName) != "" || req.Headers[backend.FromAlertHeaderName] != ""
	var (
		mu    sync.Mutex // guards response
		wait  sync.WaitGroup
		slots = make(chan struct{}, parallelQueries)
	)
	for _, q := range req.Queries {
		slots <- struct{}{}
		wait.Go(func() {
			defer func() { <-slots }()
			answer := call.query(ctx, q)
			mu.Lock()
			defer mu.Unlock()
			response.Responses[q.RefID] = answer
		})
	}
	wait.Wait()
	return response, nil
}

// query answers one query.
func (c *call) query(ctx context.Context, q backend.DataQuery) backend.DataResponse {
	planned, err := planQuery(q, c.settings.MaxLines)
	if err != nil {
		return errorResponse(&query.Error{Status: http.StatusBadRequest, Message: err.Error()})
	}
	expr, err := c.restrict(planned.expr)
	if err != nil {
		return errorResponse(err)
	}
	if planned.kind == queryVolume {
		return c.volume(ctx, planned, expr)
	}
	_, isLog := expr.(*logql.LogExpr)
	if isLog && c.fromAlert {
		return errorResponse(&query.Error{Status: http.StatusBadRequest,
			Message: "an alert rule needs a number, and this query returns log lines: wrap it, as in sum(count_over_time(" + planned.expr + " [5m]))"})
	}
	params := c.params(planned, expr)
	params.Instant = planned.kind == queryInstant && !isLog
	result, err := c.db.Query(ctx, params)
	if err != nil {
		return errorResponse(err)
	}
	if planned.sample && params.Instant {
		if err := c.addSampleLines(ctx, planned, expr, result.Vector); err != nil {
			// The numbers are what an alert is decided by; they stand without the lines.
			result.Warnings = append(result.Warnings, "the sample lines could not be read: "+err.Error())
		}
	}
	return backend.DataResponse{Status: backend.StatusOK, Frames: resultFrames(result, planned, expr)}
}

// params are the database's parameters of a query.
func (c *call) params(p *plannedQuery, expr logql.Expr) query.Params {
	limits := query.LimitsOf(*c.db.Limits(c.tenant))
	return query.Params{
		Tenant: c.tenant, Expr: expr.String(), Limits: limits, Extensions: true,
		Start: p.from.UnixNano(), End: p.to.UnixNano(), Time: p.to.UnixNano(), Step: int64(p.step),
		Direction: p.direction, Limit: p.maxLines, PartialSeries: true, Explain: p.explain,
	}
}

// resultFrames turns a result into frames. What is told about the whole answer stands at the first frame; an empty answer has one frame
// without rows for it.
func resultFrames(r *query.Result, p *plannedQuery, expr logql.Expr) data.Frames {
	var frames data.Frames
	switch r.Type {
	case query.ResultStreams:
		meta := &data.FrameMeta{Custom: logMeta{Limit: p.maxLines, SearchWords: searchWords(expr), Plan: r.Plan, Error: lineErrors(r.Entries)}}
		frames = data.Frames{logFrame(r.Entries, meta)}
	case query.ResultMatrix:
		frames = seriesFrames(r.Matrix, p)
	case query.ResultVector:
		frames = numberFrames(r.Vector, p)
	case query.ResultScalar:
		frames = numberFrames([]query.Sample{{Point: r.Scalar}}, p)
	}
	if len(frames) == 0 {
		frames = data.Frames{emptyFrame(p)}
	}
	first := frames[0].Meta
	first.ExecutedQueryString = executed(p, r.Type) + planText(r.Plan)
	if r.Plan != nil && first.Custom == nil {
		first.Custom = metricMeta{Plan: r.Plan}
	}
	first.Stats = queryStats(r.Stats)
	first.Notices = notices(r.Warnings)
	for _, frame := range frames {
		frame.RefID = p.refID
	}
	return frames
}

// logMeta is the custom part of a log frame's meta data.
type logMeta struct {
	Limit       int         `json:"limit"`                 // for "showing N of limit"
	SearchWords []string    `json:"searchWords,omitempty"` // what to highlight
	Error       string      `json:"error,omitempty"`       // of lines, which are there all the same
	Plan        *query.Plan `json:"plan,omitempty"`
}

// lineErrors tells that stages failed on some of the lines, and how; empty when they did not.
func lineErrors(entries []query.Entry) string {
	kinds := map[string]string{}
	seen := map[*query.EntryLabels]bool{}
	for _, e := range entries {
		if !seen[e.Labels] {
			seen[e.Labels] = true
			if kind := e.Labels.Parsed.Get("__error__"); kind != "" {
				kinds[kind] = kind
			}
		}
	}
	if len(kinds) == 0 {
		return ""
	}
	return "Some lines could not be worked as the query asks (" + strings.Join(sortedNames(kinds), ", ") + "): filter them by __error__"
}

// metricMeta is the custom part of the meta data of the first frame of a metric query.
type metricMeta struct {
	Plan *query.Plan `json:"plan"`
}

// emptyFrame says that there is nothing, of the kind that was asked for.
func emptyFrame(p *plannedQuery) *data.Frame {
	kind := data.FrameTypeTimeSeriesMulti
	if p.kind == queryInstant {
		kind = data.FrameTypeNumericMulti
	}
	frame := data.NewFrame("")
	frame.Meta = &data.FrameMeta{Type: kind, TypeVersion: data.FrameTypeVersion{0, 1}}
	return frame
}

// executed is what the query inspector shows as the query that ran.
func executed(p *plannedQuery, result query.ResultType) string {
	text := "Expr: " + p.expr
	if result == query.ResultMatrix {
		text += "\nStep: " + formatDuration(p.step)
	}
	return text
}

func notices(warnings []string) []data.Notice {
	var out []data.Notice
	for _, warning := range warnings {
		out = append(out, data.Notice{Severity: data.NoticeSeverityWarning, Text: warning})
	}
	return out
}

// errorResponse tells a user's mistake and a limit from a failure of the plugin's.
func errorResponse(err error) backend.DataResponse {
	status, source := http.StatusInternalServerError, backend.ErrorSourcePlugin
	var own *query.Error
	var parse *logql.ParseError
	switch {
	case errors.As(err, &own):
		status = own.Status
	case errors.As(err, &parse):
		status = http.StatusBadRequest
	case errors.Is(err, context.Canceled):
		status = query.StatusClientClosed
	}
	if status < http.StatusInternalServerError || status == http.StatusGatewayTimeout {
		source = backend.ErrorSourceDownstream
	}
	return backend.ErrDataResponseWithSource(backend.Status(status), source, err.Error())
}
