package plugin

import (
	"testing"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/stretchr/testify/require"

	"github.com/cambium-logs/cambium/pkg/httpapi"
)

func TestParseSettings(t *testing.T) {
	for _, c := range []struct {
		name, json string
		secure     map[string]string
		want       Settings
		err        string
	}{
		{name: "nothing set", want: Settings{MaxLines: 1000, PushRole: httpapi.RoleEditor}},
		{name: "empty object", json: `{}`, want: Settings{MaxLines: 1000, PushRole: httpapi.RoleEditor}},
		{
			name:   "everything",
			json:   `{"tenant":"shop","maxLines":"250","retention":"30d","pushRole":"Admin","roleSelectors":[{"role":"Viewer","selector":"{env=\"prod\"}"}]}`,
			secure: map[string]string{"pushToken": "s3cret"},
			want: Settings{TenantName: "shop", MaxLines: 250, Retention: 720 * time.Hour, PushRole: httpapi.RoleAdmin, PushToken: "s3cret",
				Selectors: map[httpapi.Role]string{httpapi.RoleViewer: `{env="prod"}`}},
		},
		{name: "a form's empty numbers", json: `{"maxLines":"","retention":""}`, want: Settings{MaxLines: 1000, PushRole: httpapi.RoleEditor}},
		{name: "bucket", json: `{"storage":{"kind":"bucket"}}`, secure: map[string]string{"bucketConfig": "type: S3"},
			want: Settings{MaxLines: 1000, PushRole: httpapi.RoleEditor, Bucket: "type: S3"}},
		{name: "directory as a bucket", json: `{"storage":{"kind":"bucket"}}`, secure: map[string]string{"bucketConfig": "type: filesystem\nconfig: {directory: /etc}"},
			err: "a directory cannot be chosen here"},
		{name: "embedded ignores an old bucket", json: `{"storage":{"kind":"embedded"}}`, secure: map[string]string{"bucketConfig": "type: FILESYSTEM"},
			want: Settings{MaxLines: 1000, PushRole: httpapi.RoleEditor}},
		{name: "path in the tenant", json: `{"tenant":"../other"}`, err: "setting tenant: tenant ID '../other' contains unsupported character '/'"},
		{name: "not JSON", json: `{`, err: "data source settings"},
		{name: "unknown role", json: `{"pushRole":"Owner"}`, err: "setting pushRole"},
		{name: "bad retention", json: `{"retention":"soon"}`, err: "setting retention"},
		{name: "short retention", json: `{"retention":"1h"}`, err: "less than 24h"},
		{name: "bad selector", json: `{"roleSelectors":[{"role":"Viewer","selector":"{env="}]}`, err: "setting roleSelectors of Viewer"},
		{name: "bucket without one", json: `{"storage":{"kind":"bucket"}}`, err: "the bucket configuration is empty"},
		{name: "S3 without an endpoint", json: `{"storage":{"kind":"s3","bucket":"b"}}`, err: "S3 needs an endpoint and a bucket"},
		{name: "unknown storage", json: `{"storage":{"kind":"tape"}}`, err: `kind "tape"`},
		{name: "negative lines", json: `{"maxLines":-1}`, err: "negative"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := ParseSettings(backend.DataSourceInstanceSettings{JSONData: []byte(c.json), DecryptedSecureJSONData: c.secure})
			if c.err != "" {
				require.ErrorContains(t, err, c.err)
				return
			}
			require.NoError(t, err)
			if len(got.Selectors) == 0 {
				got.Selectors = nil
			}
			require.Equal(t, c.want, got)
		})
	}
}

func TestSecretsDoNotReachErrors(t *testing.T) {
	_, err := ParseSettings(backend.DataSourceInstanceSettings{
		JSONData:                []byte(`{"storage":{"kind":"s3"}}`),
		DecryptedSecureJSONData: map[string]string{"s3SecretKey": "hunter2", "pushToken": "hunter2"},
	})
	require.Error(t, err)
	require.NotContains(t, err.Error(), "hunter2")
	s := Settings{Bucket: "secret_key: hunter2"}
	require.NotContains(t, s.Location().Key, "hunter2")
}

func TestTenantIsTheOrgs(t *testing.T) {
	plain, named := Settings{}, Settings{TenantName: "shop"}
	for _, c := range []struct {
		s    Settings
		org  int64
		want string
	}{{plain, 1, "org-1"}, {plain, 2, "org-2"}, {named, 1, "org-1.shop"}} {
		got, err := c.s.Tenant(c.org)
		require.NoError(t, err)
		require.Equal(t, c.want, got)
	}
}
