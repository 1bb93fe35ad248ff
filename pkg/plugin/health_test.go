package plugin

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/stretchr/testify/require"

	"github.com/cambium-logs/cambium/pkg/httpapi"
	"github.com/cambium-logs/cambium/pkg/query"
	"github.com/cambium-logs/cambium/pkg/storage/bucket"
)

func TestCheckHealth(t *testing.T) {
	stored := httpapi.Status{
		Location: "/var/lib/grafana/cambium", Bytes: 3 << 20, RawBytes: 30 << 20, Entries: 123456, Streams: 16,
		Oldest: time.Now().Add(-75 * time.Hour).UnixNano(), Newest: time.Now().UnixNano(),
	}
	failing := func(query.Params) (*query.Result, error) {
		return nil, errors.New("read chunk 3 of x.seg: checksum mismatch")
	}
	for _, c := range []struct {
		name, settings string
		db             *fakeDB
		opening        error
		status         backend.HealthStatus
		message        string
	}{
		{name: "data", settings: `{"retention":"30d"}`, db: &fakeDB{status: stored}, status: backend.HealthStatusOk,
			message: "Logs are kept for 30d in /var/lib/grafana/cambium: 123,456 lines of 16 streams, 30 MiB as pushed, 3.0 MiB stored; the oldest is 3 days old."},
		{name: "nothing yet", settings: `{}`, db: &fakeDB{status: httpapi.Status{Location: "/data"}}, status: backend.HealthStatusOk,
			message: "Logs are kept for ever in /data. Nothing has been pushed yet."},
		{name: "wrong settings", settings: `{"pushRole":"King"}`, db: &fakeDB{}, status: backend.HealthStatusError,
			message: `setting pushRole: "King" is not Viewer, Editor or Admin`},
		{name: "directory in use", settings: `{}`, opening: errors.New("data directory is in use: process 7 has /data"), status: backend.HealthStatusError,
			message: "the log store cannot be opened: data directory is in use: process 7 has /data"},
		{name: "not ready", settings: `{}`, db: &fakeDB{ready: errors.New("the disk is full")}, status: backend.HealthStatusError,
			message: "the log store is not ready: the disk is full"},
		{name: "bucket", settings: `{}`, db: &fakeDB{probe: &bucket.ProbeError{Step: "delete", Err: errors.New("access denied")}}, status: backend.HealthStatusError,
			message: "the log store was tried: cannot delete objects: access denied"},
		{name: "damage", settings: `{}`, db: &fakeDB{answer: failing}, status: backend.HealthStatusError,
			message: "a test query failed: read chunk 3 of x.seg: checksum mismatch"},
	} {
		t.Run(c.name, func(t *testing.T) {
			i := NewInstance(NewDatabases(func(context.Context, Location) (Database, error) {
				if c.opening != nil {
					return nil, c.opening
				}
				return c.db, nil
			}), backend.DataSourceInstanceSettings{JSONData: []byte(c.settings)})
			result, err := i.CheckHealth(context.Background(), &backend.CheckHealthRequest{PluginContext: backend.PluginContext{OrgID: 3}})
			require.NoError(t, err)
			require.Equal(t, c.message, result.Message)
			require.Equal(t, c.status, result.Status)
			if c.status == backend.HealthStatusOk {
				var details healthDetails
				require.NoError(t, json.Unmarshal(result.JSONDetails, &details))
				require.Equal(t, "org-3", details.Tenant)
				require.True(t, details.Streaming)
			}
		})
	}
}
