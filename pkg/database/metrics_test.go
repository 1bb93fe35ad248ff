package database

import (
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"github.com/thanos-io/objstore"
	"gopkg.in/yaml.v3"

	"github.com/cambium-logs/cambium/pkg/config"
	"github.com/cambium-logs/cambium/pkg/storage/bucket"
)

var update = flag.Bool("update", false, "write docs/metrics.md")

// metric is what a registry says of one.
type metric struct{ name, help, labels string }

var description = regexp.MustCompile(`^Desc\{fqName: "([^"]*)", help: ("(?:[^"\\]|\\.)*"), unit: "[^"]*", constLabels: \{[^}]*\}, variableLabels: \{([^}]*)\}\}$`)

// registered gives all metrics of databases of every kind, by name, whether they have a value or not.
func registered(t *testing.T) []metric {
	dir := t.TempDir()
	databases := []*Database{
		open(t, nil),
		open(t, func(c *config.Config) {
			require.NoError(t, yaml.Unmarshal(fmt.Appendf(nil, "{type: FILESYSTEM, config: {directory: %q}}", dir), &c.Bucket))
			c.WAL.Location = "bucket"
		}),
	}
	remote := prometheus.NewRegistry() // of a bucket that is not on this machine
	_, err := bucket.Wrap(objstore.NewInMemBucket(), bucket.Limits{}, remote).Cached(bucket.CacheOptions{Dir: t.TempDir(), MaxBytes: 1 << 20}, remote)
	require.NoError(t, err)
	registries := []*prometheus.Registry{remote}
	for _, db := range databases {
		registries = append(registries, db.Registry())
	}
	found := map[string]metric{}
	for _, registry := range registries {
		descs := make(chan *prometheus.Desc)
		go func() {
			registry.Describe(descs)
			close(descs)
		}()
		var texts []string // all of them: the registry is locked until they are taken
		for d := range descs {
			texts = append(texts, d.String())
		}
		for _, text := range texts {
			m := description.FindStringSubmatch(text)
			require.NotNil(t, m, text)
			found[m[1]] = metric{m[1], strings.ReplaceAll(strings.Trim(m[2], `"`), `\"`, `"`), m[3]}
		}
	}
	out := make([]metric, 0, len(found))
	for _, m := range found {
		out = append(out, m)
	}
	slices.SortFunc(out, func(a, b metric) int { return strings.Compare(a.name, b.name) })
	return out
}

const metricsPage = `# Metrics

Every metric of a store. Grafana shows those of the plugin at ` + "`/metrics/plugins/cambium-logs-datasource`, where each carries the label `store`; `serve` shows its own at `/metrics`" + `.
Names that end in ` + "`_total`" + ` are counters. The page is checked against the program.

| metric | labels | meaning |
| --- | --- | --- |
`

// TestMetricsAreDocumented: docs/metrics.md lists every metric. With -update it is written.
func TestMetricsAreDocumented(t *testing.T) {
	var page strings.Builder
	page.WriteString(metricsPage)
	for _, m := range registered(t) {
		require.True(t, strings.HasPrefix(m.name, "cambium_"), m.name)
		require.NotEmpty(t, m.help, m.name)
		labels := ""
		if m.labels != "" {
			labels = "`" + strings.ReplaceAll(m.labels, ",", "`, `") + "`"
		}
		fmt.Fprintf(&page, "| `%s` | %s | %s |\n", m.name, labels, m.help)
	}
	file := filepath.Join("..", "..", "docs", "metrics.md")
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(page.String()), 0o644))
	}
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, page.String(), string(text), "docs/metrics.md is out of date: go test ./pkg/database -run TestMetricsAreDocumented -update")
}

// TestProvisionedMetricsExist: dashboards and alert rules ask for nothing that nobody measures.
func TestProvisionedMetricsExist(t *testing.T) {
	names := map[string]bool{}
	for _, m := range registered(t) {
		names[m.name] = true
	}
	used := regexp.MustCompile(`\bcambium_[a-z0-9_]+`)
	series := regexp.MustCompile(`_(count|sum|bucket)$`)
	files, found := 0, 0
	require.NoError(t, filepath.WalkDir(filepath.Join("..", "..", "provisioning"), func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		files++
		for _, name := range used.FindAllString(string(text), -1) {
			found++
			require.True(t, names[name] || names[series.ReplaceAllString(name, "")], "%s asks for %s", path, name)
		}
		return nil
	}))
	require.Positive(t, files)
	require.Positive(t, found)
}
