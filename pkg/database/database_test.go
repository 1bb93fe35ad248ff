package database

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"gopkg.in/yaml.v3"

	"github.com/cambium-logs/cambium/pkg/config"
	"github.com/cambium-logs/cambium/pkg/httpapi"
	"github.com/cambium-logs/cambium/pkg/ingest"
	"github.com/cambium-logs/cambium/pkg/query"
	"github.com/cambium-logs/cambium/pkg/storage/bucket/buckettest"
	"github.com/cambium-logs/cambium/pkg/storage/chunk"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m, buckettest.KnownGoroutines()...) }

func open(t *testing.T, change func(*config.Config)) *Database {
	t.Helper()
	c := config.Default()
	c.DataDir = t.TempDir()
	if change != nil {
		change(&c)
	}
	db, err := Open(t.Context(), Options{Config: c})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close(context.Background())) })
	return db
}

func (d *Database) append(t *testing.T, tenant string, stream labels.Labels, at time.Time, lines ...string) {
	t.Helper()
	var entries []chunk.Entry
	for i, line := range lines {
		entries = append(entries, chunk.Entry{Timestamp: at.UnixNano() + int64(i), Line: []byte(line)})
	}
	require.NoError(t, sink{d.engine}.Append(t.Context(), tenant, []ingest.Stream{{Labels: stream, Entries: entries}}))
}

func TestOverridesReload(t *testing.T) {
	file := filepath.Join(t.TempDir(), "runtime.yaml")
	require.NoError(t, os.WriteFile(file, []byte("overrides: {a: {ingestion_rate_mb: 9}}"), 0o600))
	db := open(t, func(c *config.Config) {
		c.Runtime.File = file
		c.Runtime.Period = 1e6 // 1 ms
	})
	require.EqualValues(t, 9, db.Limits("a").IngestionRateMB)
	require.EqualValues(t, 4, db.Limits("b").IngestionRateMB)
	require.NoError(t, os.WriteFile(file, []byte("overrides: {a: {ingestion_rate_mb: 10.5}}"), 0o600))
	require.Eventually(t, func() bool { return db.Limits("a").IngestionRateMB == 10.5 }, 20*time.Second, time.Millisecond)
	db.SetRetention("a", 48*time.Hour)
	require.EqualValues(t, 48*time.Hour, db.Limits("a").RetentionPeriod)
	db.SetRetention("a", 0)
	require.Zero(t, db.Limits("a").RetentionPeriod)
}

func TestBucket(t *testing.T) {
	dir := t.TempDir()
	db := open(t, func(c *config.Config) {
		require.NoError(t, yaml.Unmarshal(fmt.Appendf(nil, "{type: FILESYSTEM, config: {directory: %q}}", dir), &c.Bucket))
	})
	db.append(t, "a", labels.FromStrings("app", "x"), time.Now(), "line")
	require.NoError(t, db.Flush(t.Context()))
	found, err := filepath.Glob(filepath.Join(dir, "a", "*", "*.seg"))
	require.NoError(t, err)
	require.Len(t, found, 1)
	status, err := db.TenantStatus(t.Context(), "a")
	require.NoError(t, err)
	require.EqualValues(t, 1, status.Entries)
	require.Contains(t, status.Location, "bucket")
	require.NoError(t, db.Ready())
}

func TestFederation(t *testing.T) {
	db := open(t, nil)
	now := time.Now().Add(-time.Minute)
	db.append(t, "a", labels.FromStrings("app", "x"), now, "1")
	db.append(t, "b", labels.FromStrings("app", "x", "__tenant_id__", "own"), now, "2", "3")
	db.append(t, "c", labels.FromStrings("app", "y"), now, "4")
	ask := func(expr string) map[string]float64 {
		t.Helper()
		r, err := db.Query(t.Context(), query.Params{Tenant: "a|b|c", Expr: expr, Instant: true, Time: time.Now().UnixNano(), Limits: query.LimitsOf(*db.Limits("a"))})
		require.NoError(t, err)
		out := map[string]float64{}
		for _, s := range r.Vector {
			out[s.Labels.String()] = s.Value
		}
		return out
	}
	require.Equal(t, map[string]float64{`{__tenant_id__="a"}`: 1, `{__tenant_id__="b"}`: 2, `{__tenant_id__="c"}`: 1},
		ask(`sum by (__tenant_id__) (count_over_time({app=~".+"}[1h]))`))
	require.Equal(t, map[string]float64{`{__tenant_id__="b", app="x", original___tenant_id__="own"}`: 2},
		ask(`count_over_time({app="x", __tenant_id__=~"b|c"}[1h])`))
	require.Equal(t, map[string]float64{`{__tenant_id__="b", app="x", original___tenant_id__="own"}`: 2},
		ask(`count_over_time({original___tenant_id__="own"}[1h])`))
	selection := query.Selection{Tenant: "a|b", Start: now.UnixNano() - 1, End: time.Now().UnixNano(), Limits: query.LimitsOf(*db.Limits("a"))}
	names, err := db.Labels(t.Context(), selection)
	require.NoError(t, err)
	require.Equal(t, []string{"__tenant_id__", "app", "original___tenant_id__"}, names)
	values, err := db.LabelValues(t.Context(), selection, "__tenant_id__")
	require.NoError(t, err)
	require.Equal(t, []string{"a", "b"}, values)
}

func TestTailHasNoSeam(t *testing.T) {
	db := open(t, nil)
	stream := labels.FromStrings("app", "x")
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := range 300 {
			db.append(t, "a", stream, time.Now(), fmt.Sprint(i))
		}
	}()
	past, live, err := db.Tail(t.Context(), httpapi.TailParams{Tenant: "a", Expr: `{app="x"}`, Limits: query.LimitsOf(*db.Limits("a")), Since: time.Now().Add(-time.Hour).UnixNano(), History: 1000})
	require.NoError(t, err)
	defer live.Close()
	<-done
	var lines []string
	for _, e := range past {
		lines = append(lines, e.Line)
	}
	for len(lines) < 300 {
		entries, dropped, err := live.Next(t.Context())
		require.NoError(t, err)
		require.Zero(t, dropped)
		for _, e := range entries {
			lines = append(lines, e.Line)
		}
	}
	for i, line := range lines {
		require.Equal(t, fmt.Sprint(i), line, "neither gap nor repeat between past and live")
	}
}

// TestProbeTellsTheStep: a bucket that refuses after the start is told by what it refuses.
func TestProbeTellsTheStep(t *testing.T) {
	dir := t.TempDir()
	db := open(t, func(c *config.Config) {
		require.NoError(t, yaml.Unmarshal(fmt.Appendf(nil, "{type: FILESYSTEM, config: {directory: %q}}", dir), &c.Bucket))
	})
	require.NoError(t, db.Probe(t.Context()))
	blocked := filepath.Join(dir, "~probe")
	require.NoError(t, os.RemoveAll(blocked))
	require.NoError(t, os.WriteFile(blocked, nil, 0o600))
	require.ErrorContains(t, db.Probe(t.Context()), "cannot write objects")
	require.NoError(t, os.Remove(blocked))
	require.NoError(t, db.Probe(t.Context()))
	require.NoError(t, open(t, nil).Probe(t.Context()), "the directory of the embedded store")
}
