package httpapi

import (
	"context"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/cambium-logs/cambium/pkg/tenant"
)

// fakeDeletes keeps requests in memory.
type fakeDeletes struct {
	requests []DeleteRequest
	split    time.Duration
}

func (d *fakeDeletes) CreateDelete(_ context.Context, _ string, r DeleteRequest, split time.Duration) (string, error) {
	r.ID = "1b027671"
	d.requests, d.split = append(d.requests, r), split
	return r.ID, nil
}

func (d *fakeDeletes) ListDeletes(context.Context, string) ([]DeleteRequest, error) {
	return d.requests, nil
}

func (d *fakeDeletes) CancelDelete(_ context.Context, _, id string, _ bool) error {
	for i, r := range d.requests {
		if r.ID == id {
			d.requests = append(d.requests[:i], d.requests[i+1:]...)
			return nil
		}
	}
	return ErrDeleteUnknown
}

func TestDeletes(t *testing.T) {
	f := newFixture(t, nil)
	create := func(pairs ...string) string {
		values := url.Values{}
		for i := 0; i < len(pairs); i += 2 {
			values.Set(pairs[i], pairs[i+1])
		}
		return "/loki/api/v1/delete?" + values.Encode()
	}
	selector, filter := `{app="p"}`, `{app="p"} |= "x"`
	for _, tc := range []struct{ target, message string }{
		{create(), "query not set"},
		{create("query", "{"), "invalid query expression"},
		{create("query", `rate({app="p"}[1m])`), "invalid query expression"},
		{create("query", selector), "start time not set"},
		{create("query", selector, "start", "1795214520000000000"), "invalid start time: require unix seconds or RFC3339 format"},
		{create("query", selector, "start", "1795214520", "end", "x"), "invalid end time: require unix seconds or RFC3339 format"},
		{create("query", selector, "start", "1795214520", "end", "1795300000"), "deletes in the future are not allowed"},
		{create("query", selector, "start", "1795214520", "end", "1795214520"), "start time can't be greater than or equal to end time"},
		{create("query", filter, "start", "1795214520", "max_interval", "1d"), "invalid max_interval: valid time units are 's', 'm', 'h'"},
		{create("query", filter, "start", "1795214520", "max_interval", "25h"), "max_interval can't be greater than 24h0m0s"},
		{create("query", filter, "start", "1795214520", "end", "1795214620", "max_interval", "2m"), "max_interval can't be greater than the interval to be deleted (1m40s)"},
	} {
		w := f.do("POST", tc.target, "", "")
		require.Equal(t, 400, w.Code, tc.target)
		require.Equal(t, tc.message+"\n", w.Body.String(), tc.target)
	}
	require.JSONEq(t, `[]`, f.get("/loki/api/v1/delete").Body.String())
	w := f.do("PUT", create("query", filter, "start", "1795214520", "end", "2026-11-20T22:43:40Z", "max_interval", "1m"), "", "")
	require.Equal(t, 204, w.Code, w.Body.String())
	require.Equal(t, "1b027671", w.Header().Get("X-Delete-Request-Id"))
	require.Equal(t, time.Minute, f.deletes.split)
	require.JSONEq(t, `[{"request_id":"1b027671","start_time":1795214520,"end_time":1795214620,"query":"{app=\"p\"} |= \"x\"","status":"received","created_at":1795218084,"user_id":""}]`,
		f.get("/loki/api/v1/delete").Body.String())
	require.JSONEq(t, `[]`, f.get("/loki/api/v1/delete?start=1795214621&end=1795214700").Body.String())
	f.deletes.requests[0].Progress = 0.5
	require.Contains(t, f.get("/loki/api/v1/delete").Body.String(), "50% Complete")

	require.Equal(t, 400, f.do("DELETE", "/loki/api/v1/delete", "", "").Code)
	w = f.do("DELETE", "/loki/api/v1/delete?request_id=none", "", "")
	require.Equal(t, 404, w.Code)
	require.Equal(t, "could not find delete request with given id\n", w.Body.String())
	require.Equal(t, 204, f.do("DELETE", "/loki/api/v1/delete?request_id=1b027671", "", "").Code)

	f.limits.DeletionMode = tenant.DeletionDisabled
	for _, method := range []string{"GET", "POST", "PUT", "DELETE"} {
		w := f.do(method, "/loki/api/v1/delete", "", "")
		require.Equal(t, 403, w.Code)
		require.Equal(t, "deletion is not available for this tenant\n", w.Body.String())
	}
	// What matches everything may be deleted.
	f.limits.DeletionMode = tenant.DeletionFilterOnly
	require.Equal(t, 204, f.do("POST", create("query", `{app=~".*"}`, "start", "1795214520"), "", "").Code)
}

func TestMaxInterval(t *testing.T) {
	day := int64(24 * time.Hour)
	d, err := parseMaxInterval("", day, 2*time.Hour)
	require.NoError(t, err)
	require.Equal(t, 2*time.Hour, d)
	d, err = parseMaxInterval("", int64(time.Hour), 2*time.Hour)
	require.NoError(t, err)
	require.Equal(t, time.Hour, d, "not longer than the range")
	_, err = parseMaxInterval("3h", day, 2*time.Hour)
	require.ErrorContains(t, err, "max_interval can't be greater than 2h0m0s")
}
