package database

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"

	"github.com/cambium-logs/cambium/pkg/config"
	"github.com/cambium-logs/cambium/pkg/httpapi"
	"github.com/cambium-logs/cambium/pkg/query"
)

// A tail on one process shows what is pushed to another one on the same bucket, through its pipeline, once.
func TestTailShowsOtherProcesses(t *testing.T) {
	dir := t.TempDir()
	shared := func(c *config.Config) {
		require.NoError(t, yaml.Unmarshal(fmt.Appendf(nil, "{type: FILESYSTEM, config: {directory: %q}}", dir), &c.Bucket))
		c.WAL.Location = "bucket"
	}
	here, there := open(t, shared), open(t, shared)
	stream := labels.FromStrings("app", "x")
	there.append(t, "a", stream, time.Now(), `level=info n=0`)
	time.Sleep(1100 * time.Millisecond) // a listing may be a second old
	past, live, err := here.Tail(t.Context(), httpapi.TailParams{
		Tenant: "a", Expr: `{app="x"} | logfmt | level="info" | line_format "{{.n}}"`, Limits: query.LimitsOf(*here.Limits("a")),
		Since: time.Now().Add(-time.Hour).UnixNano(), History: 10,
	})
	require.NoError(t, err)
	defer live.Close()
	lines := []string{past[0].Line}
	there.append(t, "a", stream, time.Now(), `level=info n=1`, `level=debug n=2`, `level=info n=3`)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	read := func(n int) {
		t.Helper()
		for len(lines) < n {
			entries, dropped, err := live.Next(ctx)
			require.NoError(t, err)
			require.Zero(t, dropped)
			for _, e := range entries {
				lines = append(lines, e.Line)
			}
		}
	}
	read(3)
	here.append(t, "a", stream, time.Now(), `level=info n=4`)
	read(4)
	require.Equal(t, []string{"0", "1", "3", "4"}, lines)
}
