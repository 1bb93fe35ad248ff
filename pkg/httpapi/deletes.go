package httpapi

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"regexp"
	"strconv"
	"time"

	"github.com/prometheus/common/model"

	"github.com/cambium-logs/cambium/pkg/logql"
	"github.com/cambium-logs/cambium/pkg/tenant"
)

// DeleteRequest asks that the entries a query selects in [Start, End] disappear. Times are nanoseconds, durations too.
type DeleteRequest struct {
	ID         string
	Query      string // canonical LogQL
	Start, End int64
	Created    int64
	// Progress is the share that is physically gone, 0 to 1.
	Progress float64
}

// Errors of Deletes.
var (
	ErrDeleteUnknown   = errors.New("could not find delete request with given id")
	ErrDeleteProcessed = errors.New("deletion of request which is in process or already processed is not allowed")
)

// Deletes keeps delete requests. From the moment that CreateDelete returns, queries do not see what a request selects.
type Deletes interface {
	// CreateDelete stores a request and returns its id, of eight hexadecimal digits. With split > 0 the range may be worked off in pieces of it.
	CreateDelete(ctx context.Context, tenant string, r DeleteRequest, split time.Duration) (id string, err error)
	// ListDeletes returns the requests of a tenant, oldest first.
	ListDeletes(ctx context.Context, tenant string) ([]DeleteRequest, error)
	// CancelDelete takes a request back. force takes it back where a part is processed already, and after the cancel period.
	CancelDelete(ctx context.Context, tenant, id string, force bool) error
}

// deletesAllowed refuses where the tenant has deletion switched off.
func (c *call) deletesAllowed() error {
	if c.limits.DeletionMode == tenant.DeletionDisabled {
		return &Error{Status: http.StatusForbidden, Message: "deletion is not available for this tenant"}
	}
	return nil
}

// deleteMaxInterval is the largest max_interval where the options name none.
const deleteMaxInterval = 24 * time.Hour

// createDelete serves POST /loki/api/v1/delete. Its parameters are in the query string alone.
func (c *call) createDelete() error {
	if err := c.deletesAllowed(); err != nil {
		return err
	}
	values := c.r.URL.Query()
	text := values.Get("query")
	if text == "" {
		return badRequest("query not set")
	}
	expr, err := logql.ParseDelete(text)
	if err != nil {
		return badRequest("invalid query expression")
	}
	request := DeleteRequest{Query: expr.String(), Created: c.now.UnixNano(), End: c.now.UnixNano()}
	if values.Get("start") == "" {
		return badRequest("start time not set")
	}
	var ok bool
	if request.Start, ok = parseDeleteTime(values.Get("start")); !ok {
		return badRequest("invalid start time: require unix seconds or RFC3339 format")
	}
	if end := values.Get("end"); end != "" {
		if request.End, ok = parseDeleteTime(end); !ok {
			return badRequest("invalid end time: require unix seconds or RFC3339 format")
		}
		if request.End > c.now.UnixNano() {
			return badRequest("deletes in the future are not allowed")
		}
	}
	if request.Start >= request.End {
		return badRequest("start time can't be greater than or equal to end time")
	}
	split := time.Duration(0)
	if len(expr.Stages) > 0 {
		if split, err = parseMaxInterval(values.Get("max_interval"), request.End-request.Start, cmp.Or(c.api.options.DeleteMaxInterval, deleteMaxInterval)); err != nil {
			return err
		}
	}
	id, err := c.api.options.Deletes.CreateDelete(c.ctx(), c.tenant, request, split)
	if err != nil {
		return err
	}
	c.w.Header().Set("X-Delete-Request-Id", id)
	c.w.WriteHeader(http.StatusNoContent)
	return nil
}

var deleteInterval = regexp.MustCompile(`^([0-9]+[smh])+$`)

// parseMaxInterval reads a max_interval, which is neither greater than a limit nor than the range. Without one it is the greatest.
func parseMaxInterval(text string, length int64, limit time.Duration) (time.Duration, error) {
	if text == "" {
		return min(limit, time.Duration(length)), nil
	}
	if !deleteInterval.MatchString(text) {
		return 0, badRequest("invalid max_interval: valid time units are 's', 'm', 'h'")
	}
	d, err := time.ParseDuration(text)
	switch {
	case err != nil:
		return 0, badRequest("invalid max_interval: valid time units are 's', 'm', 'h'")
	case d > limit:
		return 0, badRequest("max_interval can't be greater than %s", limit)
	case d > time.Duration(length):
		return 0, badRequest("max_interval can't be greater than the interval to be deleted (%s)", time.Duration(length))
	}
	return d, nil
}

// parseDeleteTime reads unix seconds of ten digits, or RFC 3339, in nanoseconds.
func parseDeleteTime(text string) (int64, bool) {
	if len(text) == 10 {
		if n, err := strconv.ParseInt(text, 10, 64); err == nil {
			return n * int64(time.Second), true
		}
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return 0, false
	}
	return t.UnixNano(), true
}

// listDeletes serves GET /loki/api/v1/delete.
func (c *call) listDeletes() error {
	if err := c.deletesAllowed(); err != nil {
		return err
	}
	requests, err := c.api.options.Deletes.ListDeletes(c.ctx(), c.tenant)
	if err != nil {
		return err
	}
	values := c.r.URL.Query()
	from, okFrom := parseDeleteTime(values.Get("start"))
	to, okTo := parseDeleteTime(values.Get("end"))
	type shown struct {
		RequestID string  `json:"request_id"`
		StartTime float64 `json:"start_time"`
		EndTime   float64 `json:"end_time"`
		Query     string  `json:"query"`
		Status    string  `json:"status"`
		CreatedAt float64 `json:"created_at"`
		UserID    string  `json:"user_id"`
	}
	list := []shown{}
	for _, r := range requests {
		if okFrom && okTo && (r.End < from || r.Start > to) {
			continue
		}
		list = append(list, shown{r.ID, deleteSeconds(r.Start), deleteSeconds(r.End), r.Query, deleteStatus(r.Progress), deleteSeconds(r.Created), ""})
	}
	return c.answerJSON(http.StatusOK, "application/json", list)
}

// deleteSeconds is a time as seconds with a fraction of milliseconds.
func deleteSeconds(ns int64) float64 { return float64(model.TimeFromUnixNano(ns)) / 1000 }

func deleteStatus(progress float64) string {
	switch {
	case progress <= 0:
		return "received"
	case progress >= 1:
		return "processed"
	}
	return strconv.Itoa(int(progress*100)) + "% Complete"
}

// cancelDelete serves DELETE /loki/api/v1/delete.
func (c *call) cancelDelete() error {
	if err := c.deletesAllowed(); err != nil {
		return err
	}
	values := c.r.URL.Query()
	id := values.Get("request_id")
	if id == "" {
		return badRequest("request_id not set")
	}
	err := c.api.options.Deletes.CancelDelete(c.ctx(), c.tenant, id, values.Get("force") == "true")
	switch {
	case errors.Is(err, ErrDeleteUnknown):
		return &Error{Status: http.StatusNotFound, Message: ErrDeleteUnknown.Error()}
	case errors.Is(err, ErrDeleteProcessed):
		return badRequest("%s", err)
	case err != nil:
		return err
	}
	c.w.WriteHeader(http.StatusNoContent)
	return nil
}
