package conformance_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/cambium-logs/cambium/pkg/conformance"
	"github.com/cambium-logs/cambium/pkg/engine"
	"github.com/cambium-logs/cambium/pkg/httpapi"
	"github.com/cambium-logs/cambium/pkg/query"
	"github.com/cambium-logs/cambium/pkg/tenant"
)

// corpusDir is the directory of the corpus: under CAMBIUM_SHARED, or in a directory "shared" beside the repository.
func corpusDir(t *testing.T) string {
	t.Helper()
	shared := os.Getenv("CAMBIUM_SHARED")
	if shared == "" {
		dir, err := os.Getwd()
		require.NoError(t, err)
		for filepath.Dir(dir) != dir {
			if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
				break
			}
			dir = filepath.Dir(dir)
		}
		shared = filepath.Join(filepath.Dir(dir), "shared")
	}
	corpus := filepath.Join(shared, "conformance")
	if _, err := os.Stat(filepath.Join(corpus, "queries.jsonl")); err != nil {
		t.Skipf("the conformance corpus is missing: no %s (set CAMBIUM_SHARED)", corpus)
	}
	return corpus
}

// corpusLimits is the configuration that the corpus demands.
func corpusLimits() tenant.Limits {
	l := tenant.DefaultLimits()
	l.RejectOldSamples = false
	l.CreationGracePeriod = tenant.Duration(1 << 60)
	l.DiscoverServiceName = nil
	l.DiscoverLogLevels = false
	l.IngestionRateMB, l.IngestionBurstSizeMB = 1000, 1000
	l.PerStreamRateLimit, l.PerStreamRateLimitBurst = 1<<30, 1<<30
	l.SplitQueriesByInterval, l.SplitInstantMetricQueriesByInterval = 0, 0
	return l
}

// startServer runs the real routes over a real engine in a temporary directory.
func startServer(t *testing.T, limits tenant.Limits) (*conformance.Server, *engine.Engine) {
	t.Helper()
	db, err := engine.Open(t.Context(), engine.Options{DataDir: t.TempDir(), Compaction: engine.Compaction{Settle: time.Nanosecond}})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close(context.Background())) })
	api := httpapi.New(httpapi.Options{
		Authorizer: httpapi.AuthorizerFunc(func(*http.Request) (httpapi.Principal, error) {
			return httpapi.Principal{Tenant: tenant.Default, Role: httpapi.RoleAdmin}, nil
		}),
		Query:  query.New(query.Options{Source: db}),
		Sink:   db,
		Limits: func(string) *tenant.Limits { return &limits },
	})
	server := httptest.NewServer(api)
	t.Cleanup(server.Close)
	return &conformance.Server{URL: server.URL, Client: &http.Client{
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, db
}

// run sends the cases of a directory and reports. Groups named in CAMBIUM_CONFORMANCE_GROUP, separated by commas, are run alone.
func run(t *testing.T, server *conformance.Server, dir string) *conformance.Report {
	t.Helper()
	cases, err := conformance.Load(dir)
	require.NoError(t, err)
	only := os.Getenv("CAMBIUM_CONFORMANCE_GROUP") // "all" prints everything
	report := &conformance.Report{}
	for _, c := range cases {
		if only != "" && only != "all" && !slices.Contains(strings.Split(only, ","), c.Group) {
			continue
		}
		got, err := server.Send(t.Context(), c.Request)
		require.NoError(t, err, c.ID)
		report.Add(c, got, conformance.Compare(c.Answer, got))
	}
	show(t, report, only != "")
	return report
}

// shownFailures is how many failures of each kind are printed when all groups run.
const shownFailures = 15

func show(t *testing.T, report *conformance.Report, all bool) {
	t.Helper()
	print := func(kind string, failures []conformance.Failure) {
		for i, f := range failures {
			if i == shownFailures && !all {
				t.Logf("… and %d more", len(failures)-i)
				break
			}
			t.Logf("%s %s", kind, f)
		}
	}
	print("WRONG", report.Failures)
	print("TEXT", report.TextFailures)
	var table strings.Builder
	report.Write(&table)
	t.Logf("conformance, by group:\n%s", table.String())
}

// decoderTexts is the group whose texts are those of the reference's JSON decoder, which nobody promises.
const decoderTexts = "push_error"

// check demands that every status and body is right, and every text of an error.
func check(t *testing.T, report *conformance.Report) {
	t.Helper()
	if n := len(report.Failures); n > 0 {
		t.Errorf("%d requests are answered wrongly", n)
	}
	for _, f := range report.TextFailures {
		if f.Case.Group != decoderTexts {
			t.Errorf("wrong text: %s", f)
		}
	}
}

func TestConformance(t *testing.T) {
	dir := corpusDir(t)
	server, db := startServer(t, corpusLimits())
	require.NoError(t, server.LoadData(t.Context(), dir, nil))
	check(t, run(t, server, dir))

	require.NoError(t, db.Flush(t.Context()))
	t.Log("the same from segments")
	check(t, run(t, server, dir))
}

// TestConformanceCompacted asks everything of segments that compaction has made of many.
func TestConformanceCompacted(t *testing.T) {
	dir := corpusDir(t)
	server, db := startServer(t, corpusLimits())
	require.NoError(t, server.LoadData(t.Context(), dir, func() error { return db.Flush(t.Context()) }))
	merges := 0
	for {
		did, err := db.Maintain(t.Context())
		require.NoError(t, err)
		if did.Merges == 0 {
			break
		}
		merges += did.Merges
		t.Logf("%d segments became %d", did.Sources, did.Merges)
	}
	require.Positive(t, merges)
	check(t, run(t, server, dir))
}

func TestConformanceDiscovery(t *testing.T) {
	dir := corpusDir(t)
	limits := corpusLimits()
	limits.DiscoverLogLevels = true
	limits.DiscoverServiceName = tenant.DefaultLimits().DiscoverServiceName
	server, _ := startServer(t, limits)
	require.NoError(t, server.LoadData(t.Context(), dir, nil))
	check(t, run(t, server, filepath.Join(dir, "discovery")))
}
