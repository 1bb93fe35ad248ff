package database

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/stretchr/testify/require"

	"github.com/cambium-logs/cambium/pkg/config"
	"github.com/cambium-logs/cambium/pkg/httpapi"
)

// TestDeleteRoutes deletes through the API: hidden at once from lines and counts, listed, taken back, and erased.
func TestDeleteRoutes(t *testing.T) {
	db := open(t, func(c *config.Config) { c.Compactor.Enabled = false })
	at := time.Now().Add(-30 * time.Minute).Truncate(time.Second)
	db.append(t, "a", labels.FromStrings("app", "x"), at, "keep this line", "the secret word", "another line")
	call := func(method, path string, values url.Values) *httptest.ResponseRecorder {
		r := httptest.NewRequest(method, path+"?"+values.Encode(), nil)
		r = r.WithContext(httpapi.WithPrincipal(r.Context(), httpapi.Principal{Tenant: "a", Role: httpapi.RoleAdmin}))
		w := httptest.NewRecorder()
		db.Handler().ServeHTTP(w, r)
		return w
	}
	lines := func() string {
		w := call(http.MethodGet, "/loki/api/v1/query_range", url.Values{"query": {`{app="x"}`}})
		require.Equal(t, http.StatusOK, w.Code, w.Body)
		return w.Body.String()
	}
	count := func() string {
		w := call(http.MethodGet, "/loki/api/v1/query", url.Values{"query": {`sum(count_over_time({app="x"}[2h]))`}})
		require.Equal(t, http.StatusOK, w.Code, w.Body)
		var answer struct {
			Data struct {
				Result []struct {
					Value [2]any
				}
			}
		}
		require.NoError(t, json.Unmarshal(w.Body.Bytes(), &answer))
		require.Len(t, answer.Data.Result, 1)
		return answer.Data.Result[0].Value[1].(string)
	}
	type listed struct {
		ID     string `json:"request_id"`
		Status string `json:"status"`
	}
	list := func() (out []listed) {
		w := call(http.MethodGet, "/loki/api/v1/delete", nil)
		require.Equal(t, http.StatusOK, w.Code, w.Body)
		require.NoError(t, json.Unmarshal(w.Body.Bytes(), &out))
		return out
	}
	remove := func() string {
		w := call(http.MethodPost, "/loki/api/v1/delete", url.Values{"query": {`{app="x"} |= "secret"`}, "start": {at.UTC().Format(time.RFC3339)}})
		require.Equal(t, http.StatusNoContent, w.Code, w.Body)
		return w.Header().Get("X-Delete-Request-Id")
	}
	require.Equal(t, "3", count())
	id := remove()
	require.NotContains(t, lines(), "secret word")
	require.Contains(t, lines(), "another line")
	require.Equal(t, "2", count())
	require.Equal(t, []listed{{id, "received"}}, list())

	require.Equal(t, http.StatusNoContent, call(http.MethodDelete, "/loki/api/v1/delete", url.Values{"request_id": {id}}).Code)
	require.Equal(t, http.StatusNotFound, call(http.MethodDelete, "/loki/api/v1/delete", url.Values{"request_id": {id}}).Code)
	require.Contains(t, lines(), "secret word")
	require.Equal(t, "3", count())
	require.Empty(t, list())
}

// TestDeleteRoutesAfterTheCancelPeriod erases at once where no period is given, and says why what is being erased cannot be taken back.
func TestDeleteRoutesAfterTheCancelPeriod(t *testing.T) {
	db := open(t, func(c *config.Config) {
		c.Compactor.Enabled, c.Compactor.DeleteRequestCancelPeriod = false, 0
	})
	at := time.Now().Add(-time.Hour)
	db.append(t, "a", labels.FromStrings("app", "x"), at, "keep this line", "the secret word")
	d := deleteRequests{db.engine, 0}
	id, err := d.CreateDelete(t.Context(), "a", httpapi.DeleteRequest{Query: `{app="x"} |= "secret"`, End: time.Now().UnixNano()}, 0)
	require.NoError(t, err)
	err = d.CancelDelete(t.Context(), "a", id, false)
	require.ErrorContains(t, err, "past the deadline of 0s since its creation")
	_, err = db.engine.Maintain(t.Context())
	require.NoError(t, err)
	list, err := d.ListDeletes(t.Context(), "a")
	require.NoError(t, err)
	require.Len(t, list, 1)
	require.Less(t, list[0].Progress, 1.0, "the old object stays for queries that read it")
	require.ErrorIs(t, d.CancelDelete(t.Context(), "a", strings.Repeat("0", 8), true), httpapi.ErrDeleteUnknown)
}
