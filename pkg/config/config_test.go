package config

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"

	"github.com/cambium-logs/cambium/pkg/tenant"
)

func load(t *testing.T, text string) (Config, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "cambium.yaml")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return Load(path)
}

func TestLoad(t *testing.T) {
	c, err := load(t, `
auth_enabled: true
data_dir: data
server: {listen: "127.0.0.1:0", http_server_read_timeout: 5s}
bucket: {type: FILESYSTEM, config: {directory: /srv/logs}}
wal: {sync: none}
head: {max_bytes: 64MB}
limits: {reject_old_samples: false, discover_service_name: [], ingestion_rate_mb: 100, max_line_size: 1MB, max_query_length: 0}
ingest:
  labels: {site: home}
  relabel_rules: [{action: labeldrop, regex: "tmp_.*"}]
auth:
  tokens: [{name: agent, sha256: 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08, tenants: [t1], scopes: [push]}]
`)
	require.NoError(t, err)
	require.True(t, c.AuthEnabled)
	require.True(t, filepath.IsAbs(c.DataDir), "relative to the file")
	require.Equal(t, tenant.Duration(5*time.Second), c.Server.ReadTimeout)
	require.Equal(t, tenant.Duration(2*time.Minute), c.Server.IdleTimeout, "what is not named keeps its default")
	require.EqualValues(t, 64<<20, c.Head.MaxBytes)
	require.Empty(t, c.Limits.DiscoverServiceName)
	require.Equal(t, 15, c.Limits.MaxLabelNamesPerSeries)
	require.EqualValues(t, 1<<20, c.Limits.MaxLineSize)
	require.Len(t, c.Ingest.RelabelRules, 1)
	bucket, err := c.BucketYAML()
	require.NoError(t, err)
	require.Contains(t, string(bucket), "directory: /srv/logs")
	require.Equal(t, []string{"push"}, c.Auth.Tokens[0].Scopes)
}

// TestCompactorKeys: Loki's keys that have no meaning here are errors that name them.
func TestCompactorKeys(t *testing.T) {
	c, err := load(t, "compactor: {delete_max_interval: 6h, delete_request_cancel_period: 0}")
	require.NoError(t, err)
	require.Equal(t, tenant.Duration(6*time.Hour), c.Compactor.DeleteMaxInterval)
	for text, want := range map[string]string{
		"delete_batch_size: 70":              "delete_batch_size",
		"delete_request_store: s3":           "delete_request_store",
		"working_directory: /srv/compactor":  "working_directory",
		"delete_max_interval: 0":             "delete_max_interval: must be at least 1s",
		"retention_delete_delay: 1m":         "retention_delete_delay: must be at least 10m",
		"delete_request_cancel_period: -1h":  "delete_request_cancel_period",
		"retention_delete_worker_count: 150": "retention_delete_worker_count",
		"apply_retention_interval: 0":        "apply_retention_interval",
		"max_segment_size: 1KB":              "max_segment_size: must be at least 1MB",
		"compaction_interval: 1ms":           "compaction_interval: must be at least 1s",
	} {
		_, err := load(t, "compactor: {"+text+"}")
		require.ErrorContains(t, err, want)
	}
}

func TestLoadEmpty(t *testing.T) {
	c, err := load(t, "")
	require.NoError(t, err)
	require.Equal(t, Default(), c)
	bucket, err := c.BucketYAML()
	require.NoError(t, err)
	require.Nil(t, bucket)
}

func TestLoadRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"limit: {}":                                `line 1: unknown key "limit", did you mean "limits"?`,
		"limits: {ingestion_rate: 5}":              `line 1: unknown key "limits.ingestion_rate", did you mean "ingestion_rate_mb"?`,
		"server: {lisen: x}":                       `line 1: unknown key "server.lisen", did you mean "listen"?`,
		"wal: {location: tape}":                    `wal.location: "tape" is none of ["disk" "bucket"]`,
		"limits: {deletion_mode: x}":               "unknown deletion mode",
		"limits: {retention_period: 1h}":           "retention period must be >= 24h was 1h",
		"limits: {max_line_size: big}":             `line 1: not a valid byte size: "big"`,
		"no_auth_tenant: ../x":                     "unsupported character",
		"auth: {tokens: [{sha256: abc}]}":          "auth.tokens[0].sha256",
		"auth: {users: [{name: x, bcrypt: y}]}":    "auth.users[0].bcrypt",
		"ingest: {relabel_rules: [{action: x}]}":   "x",
		"server: {http_tls_config: {key_file: x}}": "cert_file and key_file belong together",
	} {
		_, err := load(t, text)
		require.ErrorContains(t, err, want, text)
	}
	_, err := Load(filepath.Join(t.TempDir(), "none.yaml"))
	require.ErrorIs(t, err, os.ErrNotExist)
}

func TestDefaultSurvivesYAML(t *testing.T) {
	text, err := yaml.Marshal(Default())
	require.NoError(t, err)
	c := Default()
	require.NoError(t, c.parse(text, "."))
	again, err := yaml.Marshal(c)
	require.NoError(t, err)
	require.Equal(t, string(text), string(again))
}

// The documented file holds every key, with its default.
func TestDocumentedDefaults(t *testing.T) {
	path := filepath.Join("..", "..", "docs", "cambium.yaml")
	c, err := Load(path)
	require.NoError(t, err)
	c.DataDir = Default().DataDir // relative to the file
	c.Bucket.LineComment = ""
	got, err := yaml.Marshal(c)
	require.NoError(t, err)
	want, err := yaml.Marshal(Default())
	require.NoError(t, err)
	require.Equal(t, string(want), string(got))

	text, err := os.ReadFile(path)
	require.NoError(t, err)
	var documented, all map[string]any
	require.NoError(t, yaml.Unmarshal(text, &documented))
	require.NoError(t, yaml.Unmarshal(want, &all))
	delete(all, "limits")
	var missing func(prefix string, want, got map[string]any)
	missing = func(prefix string, want, got map[string]any) {
		for k, v := range want {
			require.Contains(t, got, k, "%s%s is not documented", prefix, k)
			if inner, ok := v.(map[string]any); ok {
				documented, _ := got[k].(map[string]any)
				missing(prefix+k+".", inner, documented)
			}
		}
	}
	missing("", all, documented)
}
