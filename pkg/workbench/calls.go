package workbench

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/grafana/grafana-plugin-sdk-go/genproto/pluginv2"
	"github.com/prometheus/common/model"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// queryRequest is the body of POST /api/ds/query.
type queryRequest struct {
	From    string            `json:"from"`
	To      string            `json:"to"`
	Queries []json.RawMessage `json:"queries"`
}

// queryFields are the members of a query that Grafana reads itself.
type queryFields struct {
	RefID         string `json:"refId"`
	QueryType     string `json:"queryType"`
	MaxDataPoints int64  `json:"maxDataPoints"`
	IntervalMS    int64  `json:"intervalMs"`
	TimeRange     *struct {
		From string `json:"from"`
		To   string `json:"to"`
	} `json:"timeRange"`
}

// query answers POST /api/ds/query: {"results": {"<refId>": {"status", "frames" | "error", "errorSource"}}}. The answer's own status is
// 400 when any query failed, as Grafana's is.
func (h *Host) query(w http.ResponseWriter, r *http.Request) {
	request, err := h.queryRequest(r)
	if err != nil {
		writeError(w, http.StatusBadRequest, err)
		return
	}
	clients, err := h.process.Clients()
	if err != nil {
		writeUnavailable(w, err)
		return
	}
	proto, err := clients.Data.QueryData(r.Context(), backend.ToProto().QueryDataRequest(request))
	if err != nil {
		writeUnavailable(w, err)
		return
	}
	response, err := backend.FromProto().QueryDataResponse(proto)
	if err != nil {
		writeError(w, http.StatusInternalServerError, err)
		return
	}
	answer := http.StatusOK
	for _, one := range response.Responses {
		if one.Error != nil {
			answer = http.StatusBadRequest
		}
	}
	writeJSON(w, answer, response)
}

func (h *Host) queryRequest(r *http.Request) (*backend.QueryDataRequest, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	var in queryRequest
	if err := json.Unmarshal(body, &in); err != nil {
		return nil, fmt.Errorf("query request: %w", err)
	}
	pluginContext, err := h.caller(r)
	if err != nil {
		return nil, err
	}
	request := &backend.QueryDataRequest{PluginContext: pluginContext, Headers: map[string]string{}}
	if r.Header.Get("FromAlert") != "" {
		request.Headers["FromAlert"] = r.Header.Get("FromAlert")
	}
	if len(in.Queries) == 0 {
		return nil, errors.New("query request: no queries")
	}
	for _, raw := range in.Queries {
		fields := queryFields{RefID: "A", MaxDataPoints: 100, IntervalMS: 1000}
		if err := json.Unmarshal(raw, &fields); err != nil {
			return nil, fmt.Errorf("query: %w", err)
		}
		from, to := in.From, in.To
		if fields.TimeRange != nil {
			from, to = fields.TimeRange.From, fields.TimeRange.To
		}
		span, err := parseRange(from, to)
		if err != nil {
			return nil, err
		}
		request.Queries = append(request.Queries, backend.DataQuery{
			RefID: fields.RefID, QueryType: fields.QueryType, MaxDataPoints: fields.MaxDataPoints,
			Interval: time.Duration(fields.IntervalMS) * time.Millisecond, TimeRange: span, JSON: raw,
		})
	}
	return request, nil
}

// parseRange reads the two ends of a time range.
func parseRange(from, to string) (backend.TimeRange, error) {
	now := time.Now()
	start, err := parseTime(from, now)
	if err != nil {
		return backend.TimeRange{}, fmt.Errorf("from: %w", err)
	}
	end, err := parseTime(to, now)
	if err != nil {
		return backend.TimeRange{}, fmt.Errorf("to: %w", err)
	}
	return backend.TimeRange{From: start, To: end}, nil
}

// parseTime reads epoch milliseconds, RFC 3339, and the relative times now and now-<duration>.
func parseTime(text string, now time.Time) (time.Time, error) {
	if text == "now" {
		return now, nil
	}
	if back, ok := strings.CutPrefix(text, "now-"); ok {
		d, err := model.ParseDuration(back)
		if err != nil {
			return time.Time{}, err
		}
		return now.Add(-time.Duration(d)), nil
	}
	if ms, err := strconv.ParseInt(text, 10, 64); err == nil {
		return time.UnixMilli(ms), nil
	}
	return time.Parse(time.RFC3339Nano, text)
}

// forwarded tells whether Grafana passes a header on to a plugin's resource handler.
func forwarded(name string) bool {
	switch http.CanonicalHeaderKey(name) {
	case "Authorization", "Cookie", "Connection", "Keep-Alive", "Proxy-Authenticate", "Proxy-Authorization", "Te", "Trailers",
		"Transfer-Encoding", "Upgrade", "X-Workbench-Role", "X-Workbench-Org":
		return false
	}
	return true
}

// resource passes a request to the plugin's resource handler and the parts of its answer on as they come.
func (h *Host) resource(w http.ResponseWriter, r *http.Request) {
	pluginContext, err := h.caller(r)
	if err != nil {
		writeError(w, http.StatusBadRequest, err)
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		writeError(w, http.StatusRequestEntityTooLarge, err)
		return
	}
	_, sub, _ := strings.Cut(r.URL.Path, "/resources/")
	_, rawSub, _ := strings.Cut(r.URL.EscapedPath(), "/resources/")
	headers := map[string][]string{}
	for name, values := range r.Header {
		if forwarded(name) {
			headers[name] = values
		}
	}
	if r.URL.RawQuery != "" {
		rawSub += "?" + r.URL.RawQuery
	}
	clients, err := h.process.Clients()
	if err != nil {
		writeUnavailable(w, err)
		return
	}
	stream, err := clients.Resource.CallResource(r.Context(), backend.ToProto().CallResourceRequest(&backend.CallResourceRequest{
		PluginContext: pluginContext, Path: sub, Method: r.Method, URL: rawSub, Headers: headers, Body: body,
	}))
	if err != nil {
		writeUnavailable(w, err)
		return
	}
	copyResource(w, stream)
}

// copyResource writes the parts of a resource call's answer.
func copyResource(w http.ResponseWriter, stream pluginv2.Resource_CallResourceClient) {
	for first := true; ; first = false {
		part, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			if first {
				writeError(w, http.StatusInternalServerError, errors.New("the plugin gave no answer"))
			}
			return
		}
		if err != nil {
			if first {
				writeUnavailable(w, grpcError(err))
			}
			return
		}
		if first {
			for name, values := range part.Headers {
				if name != "Set-Cookie" {
					w.Header()[name] = values.Values
				}
			}
			w.Header().Set("Content-Security-Policy", "sandbox")
			w.WriteHeader(int(part.Code))
		}
		if _, err := w.Write(part.Body); err != nil {
			return
		}
		if flusher, ok := w.(http.Flusher); ok {
			flusher.Flush()
		}
	}
}

// grpcError tells a plugin that went away from one that answered with an error.
func grpcError(err error) error {
	if status.Code(err) == codes.Unavailable {
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return err
}

func (h *Host) health(w http.ResponseWriter, r *http.Request) {
	pluginContext, err := h.caller(r)
	if err != nil {
		writeError(w, http.StatusBadRequest, err)
		return
	}
	clients, err := h.process.Clients()
	if err != nil {
		writeUnavailable(w, err)
		return
	}
	result, err := clients.Diagnostics.CheckHealth(r.Context(), &pluginv2.CheckHealthRequest{
		PluginContext: backend.ToProto().PluginContext(pluginContext),
	})
	if err != nil {
		writeUnavailable(w, grpcError(err))
		return
	}
	answer := map[string]any{"status": result.Status.String(), "message": result.Message}
	if json.Valid(result.JsonDetails) {
		answer["details"] = json.RawMessage(result.JsonDetails)
	}
	code := http.StatusOK
	if result.Status != pluginv2.CheckHealthResponse_OK {
		code = http.StatusBadRequest
	}
	writeJSON(w, code, answer)
}

func (h *Host) metrics(w http.ResponseWriter, r *http.Request) {
	clients, err := h.process.Clients()
	if err != nil {
		writeUnavailable(w, err)
		return
	}
	result, err := clients.Diagnostics.CollectMetrics(r.Context(), &pluginv2.CollectMetricsRequest{})
	if err != nil {
		writeUnavailable(w, grpcError(err))
		return
	}
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	_, _ = w.Write(result.GetMetrics().GetPrometheus())
}
