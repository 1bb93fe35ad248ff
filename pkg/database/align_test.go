package database

import (
	"encoding/json"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/stretchr/testify/require"

	"github.com/cambium-logs/cambium/pkg/config"
	"github.com/cambium-logs/cambium/pkg/httpapi"
)

func TestAlignQueriesWithStep(t *testing.T) {
	start := time.Now().Add(-time.Hour).Truncate(time.Minute)
	for align, want := range map[bool][]int64{
		false: {start.Unix() + 10, start.Unix() + 70, start.Unix() + 130},
		true:  {start.Unix(), start.Unix() + 60, start.Unix() + 120, start.Unix() + 180},
	} {
		db := open(t, func(c *config.Config) { c.Query.AlignQueriesWithStep = align })
		db.append(t, "a", labels.FromStrings("app", "x"), start.Add(-time.Minute), "line")
		request := url.Values{
			"query": {`count_over_time({app="x"}[10m])`}, "step": {"60"},
			"start": {start.Add(10 * time.Second).Format(time.RFC3339)}, "end": {start.Add(140 * time.Second).Format(time.RFC3339)},
		}
		r := httptest.NewRequest("GET", "/loki/api/v1/query_range?"+request.Encode(), nil)
		r = r.WithContext(httpapi.WithPrincipal(r.Context(), httpapi.Principal{Tenant: "a", Role: httpapi.RoleViewer}))
		w := httptest.NewRecorder()
		db.Handler().ServeHTTP(w, r)
		require.Equal(t, 200, w.Code, w.Body.String())
		var times []int64
		var answer struct {
			Data struct{ Result []struct{ Values [][2]any } }
		}
		require.NoError(t, json.Unmarshal(w.Body.Bytes(), &answer))
		for _, point := range answer.Data.Result[0].Values {
			times = append(times, int64(point[0].(float64)))
		}
		require.Equal(t, want, times, "align %t", align)
	}
}
