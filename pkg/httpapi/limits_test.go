package httpapi

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/cambium-logs/cambium/pkg/query"
	"github.com/cambium-logs/cambium/pkg/tenant"
)

// limitCase is a request that meets a limit, and its answer.
type limitCase struct {
	key     string // of the configuration
	change  func(*tenant.Limits)
	request string // JSON of a push, or path and query
	status  int
	text    string // of the answer; "" = not looked at
}

// values gives the entries of a stream, all of now.
func values(lines ...string) string {
	var out []string
	for _, line := range lines {
		out = append(out, fmt.Sprintf(`["%s","%s"]`, at(0), line))
	}
	return `[` + strings.Join(out, ",") + `]`
}

func pushOf(stream, values string) string {
	return `{"streams":[{"stream":` + stream + `,"values":` + values + `}]}`
}

func labelsOf(n int) (object, text string) {
	var pairs, sorted []string
	for i := range n {
		pairs = append(pairs, fmt.Sprintf(`"a%02d":"a"`, i))
		sorted = append(sorted, fmt.Sprintf(`a%02d="a"`, i))
	}
	return "{" + strings.Join(pairs, ",") + "}", "{" + strings.Join(sorted, ", ") + `, service_name="unknown_service"}`
}

func ingestionCases() []limitCase {
	const x = `{app="x", service_name="x"}`
	sixteen, sixteenText := labelsOf(16)
	fifteen, _ := labelsOf(15)
	long := strings.Repeat("y", 262145)
	entry := func(at, rest string) string { return `[["` + at + `","y"` + rest + `]]` }
	return []limitCase{
		{"ingestion_rate_mb", nil, pushOf(`{"app":"x"}`, values("y")), 204, ""},
		{"ingestion_rate_mb", func(l *tenant.Limits) { l.IngestionRateMB, l.IngestionBurstSizeMB = 1, 2.0/(1<<20) }, pushOf(`{"app":"x"}`, values("yy", "z")), 429,
			"ingestion rate limit exceeded for user t1 (limit: 1048576 bytes/sec) while attempting to ingest '2' lines totaling '3' bytes, reduce log volume or contact your Loki administrator to see if the limit can be increased"},
		{"ingestion_burst_size_mb", func(l *tenant.Limits) { l.IngestionBurstSizeMB = 1 }, pushOf(`{"app":"x"}`, values(strings.Repeat("y", 200_000), strings.Repeat("z", 200_000), strings.Repeat("z", 200_000), strings.Repeat("z", 200_000), strings.Repeat("z", 200_000), strings.Repeat("z", 200_000))), 429,
			"ingestion rate limit exceeded for user t1 (limit: 4194304 bytes/sec) while attempting to ingest '6' lines totaling '1200000' bytes, reduce log volume or contact your Loki administrator to see if the limit can be increased"},
		{"max_label_names_per_series", nil, pushOf(fifteen, values("y")), 204, ""},
		{"max_label_names_per_series", nil, pushOf(sixteen, values("y")), 400, "entry for stream '" + sixteenText + "' has 16 label names; limit 15"},
		{"max_label_name_length", nil, pushOf(`{"`+strings.Repeat("n", 1025)+`":"v"}`, values("y")), 400,
			"stream '{" + strings.Repeat("n", 1025) + `="v", service_name="unknown_service"}' has label name too long: '` + strings.Repeat("n", 1025) + "'"},
		{"max_label_value_length", nil, pushOf(`{"env":"`+strings.Repeat("v", 2049)+`"}`, values("y")), 400,
			`stream '{env="` + strings.Repeat("v", 2049) + `", service_name="unknown_service"}' has label value too long: '` + strings.Repeat("v", 2049) + "'"},
		{"reject_old_samples_max_age", nil, pushOf(`{"app":"x"}`, entry(at(-7*86400-1), "")), 400,
			"entry for stream '" + x + "' has timestamp too old: 2026-11-13T23:41:23Z, oldest acceptable timestamp is: 2026-11-13T23:41:24Z"},
		{"reject_old_samples_max_age", func(l *tenant.Limits) { l.RejectOldSamplesMaxAge = tenant.Duration(time.Hour) }, pushOf(`{"app":"x"}`, entry(at(-3601), "")), 400,
			"entry for stream '" + x + "' has timestamp too old: 2026-11-20T22:41:23Z, oldest acceptable timestamp is: 2026-11-20T22:41:24Z"},
		{"reject_old_samples", func(l *tenant.Limits) { l.RejectOldSamples = false }, pushOf(`{"app":"x"}`, entry(at(-365*86400), "")), 204, ""},
		{"creation_grace_period", nil, pushOf(`{"app":"x"}`, entry(at(600), "")), 204, ""},
		{"creation_grace_period", nil, pushOf(`{"app":"x"}`, entry(at(601), "")), 400, "entry for stream '" + x + "' has timestamp too new: 2026-11-20T23:51:25Z"},
		{"max_line_size", nil, pushOf(`{"app":"x"}`, values(long[1:])), 204, ""},
		{"max_line_size", nil, pushOf(`{"app":"x"}`, values(long)), 400, "max entry size '262144' bytes exceeded for stream '" + x + "' while adding an entry with length '262145' bytes"},
		{"max_line_size", func(l *tenant.Limits) { l.MaxLineSize = 0 }, pushOf(`{"app":"x"}`, values(long)), 204, ""},
		{"max_line_size_truncate", func(l *tenant.Limits) { l.MaxLineSizeTruncate = true }, pushOf(`{"app":"x"}`, values(long)), 204, ""},
		{"max_line_size_truncate_identifier", func(l *tenant.Limits) {
			l.MaxLineSize, l.MaxLineSizeTruncate, l.MaxLineSizeTruncateIdentifier = 4, true, "[cut]"
		}, pushOf(`{"app":"x"}`, values("yyyyy")), 400, "max entry size '4' bytes exceeded for stream '" + x + "' while adding an entry with length '5' bytes"},
		{"discover_service_name", func(l *tenant.Limits) { l.DiscoverServiceName = nil }, pushOf(`{}`, values("y")), 400, "error at least one label pair is required per stream"},
		{"allow_structured_metadata", func(l *tenant.Limits) { l.AllowStructuredMetadata = false }, pushOf(`{"app":"x"}`, entry(at(0), `,{"k":"v"}`)), 400,
			"stream '" + x + "' includes structured metadata, but this feature is disallowed. Please see `limits_config.allow_structured_metadata` or contact your Loki administrator to enable it"},
		{"max_structured_metadata_size", nil, pushOf(`{"app":"x"}`, entry(at(0), `,{"k":"`+strings.Repeat("v", 65536)+`"}`)), 400,
			"stream '" + x + "' has structured metadata too large: '65537' bytes, limit: '65536' bytes. Please see `limits_config.max_structured_metadata_size` or contact your Loki administrator to increase it"},
		{"max_structured_metadata_entries_count", func(l *tenant.Limits) { l.MaxStructuredMetadataEntriesCount = 2 }, pushOf(`{"app":"x"}`, entry(at(0), `,{"k":"v","l":"v","m":"v"}`)), 400,
			"stream '" + x + "' has too many structured metadata labels: '3', limit: '2'. Please see `limits_config.max_structured_metadata_entries_count` or contact your Loki administrator to increase it"},
		{"max_global_streams_per_user", func(l *tenant.Limits) { l.MaxGlobalStreamsPerUser = 1 },
			`{"streams":[{"stream":{"app":"w"},"values":` + values("y") + `},{"stream":{"app":"x"},"values":` + values("y") + `}]}`, 429,
			"maximum active stream limit exceeded when trying to create stream " + x + ", reduce the number of active streams (reduce labels or reduce label values), or contact your Loki administrator to see if the limit can be increased, user: 't1'"},
		{"max_streams_per_user", func(l *tenant.Limits) { l.MaxStreamsPerUser = 1 },
			`{"streams":[{"stream":{"app":"w"},"values":` + values("y") + `},{"stream":{"app":"x"},"values":` + values("y") + `}]}`, 429,
			"maximum active stream limit exceeded when trying to create stream " + x + ", reduce the number of active streams (reduce labels or reduce label values), or contact your Loki administrator to see if the limit can be increased, user: 't1'"},
		{"per_stream_rate_limit", func(l *tenant.Limits) {
			l.PerStreamRateLimit, l.PerStreamRateLimitBurst = 1<<20, 1<<20
			l.MaxLineSize = 0
		},
			pushOf(`{"app":"x"}`, values("small", strings.Repeat("y", 1<<20))), 429,
			"entry with timestamp 2026-11-20 23:41:24 +0000 UTC ignored, reason: 'Per stream rate limit exceeded (limit: 1MB/sec) while attempting to ingest for stream '" + x +
				"' totaling 1048581B, consider splitting a stream via additional labels or contact your Loki administrator to see if the limit can be increased',\n" +
				"entry with timestamp 2026-11-20 23:41:24 +0000 UTC ignored, reason: 'Per stream rate limit exceeded (limit: 1MB/sec) while attempting to ingest for stream '" + x +
				"' totaling 1048581B, consider splitting a stream via additional labels or contact your Loki administrator to see if the limit can be increased',\n" +
				"user 't1', total ignored: 2 out of 2 for stream: " + x},
		{"enforced_labels", func(l *tenant.Limits) { l.EnforcedLabels = []string{"env", "app", "team"} }, pushOf(`{"app":"x"}`, values("y")), 400,
			"missing required labels 'env,team' for user 't1' for stream '" + x + "' (policy: '')"},
		{"enforced_labels", func(l *tenant.Limits) { l.EnforcedLabels = []string{"app"} }, pushOf(`{"app":"x"}`, values("y")), 204, ""},
		{"block_ingestion_until", func(l *tenant.Limits) { l.BlockIngestionUntil = tenant.Time(testNow.Add(time.Hour)) }, pushOf(`{"app":"x"}`, values("y")), 260,
			"ingestion blocked for user 't1' until '2026-11-21T00:41:24Z' with status code '260'"},
		{"block_ingestion_until", func(l *tenant.Limits) { l.BlockIngestionUntil = tenant.Time(testNow) }, pushOf(`{"app":"x"}`, values("y")), 204, ""},
		{"block_ingestion_until", func(l *tenant.Limits) { l.BlockIngestionUntil = tenant.Time(testNow.Add(time.Hour)) }, pushOf(`{"app":"x"}`, entry(at(601), "")), 400,
			"entry for stream '" + x + "' has timestamp too new: 2026-11-20T23:51:25Z"},
		{"block_ingestion_status_code", func(l *tenant.Limits) {
			l.BlockIngestionUntil, l.BlockIngestionStatusCode = tenant.Time(testNow.Add(time.Hour)), 200
		}, pushOf(`{"app":"x"}`, values("y")), 204, ""},
		{"block_ingestion_status_code", func(l *tenant.Limits) {
			l.BlockIngestionUntil, l.BlockIngestionStatusCode = tenant.Time(testNow.Add(time.Hour)), 503
		}, pushOf(`{"app":"x"}`, values("y")), 503, "ingestion blocked for user 't1' until '2026-11-21T00:41:24Z' with status code '503'"},
	}
}

func queryCases() []limitCase {
	rangeQuery := func(expr, rest string) string {
		return "/loki/api/v1/query_range?query=" + url.QueryEscape(expr) + rest
	}
	instant := func(expr string) string { return "/loki/api/v1/query?query=" + url.QueryEscape(expr) }
	const window = "&start=1795000000&end=1795218084"
	day := func(l *tenant.Limits) { l.MaxQueryLength = tenant.Duration(24 * time.Hour) }
	const tooLong = "the query time range exceeds the limit (query length: 60h34m44s, limit: 1d)"
	return []limitCase{
		{"max_query_length", nil, rangeQuery(`{app="x"}`, "&start=1792000000&end=1795218084"), 400, "the query time range exceeds the limit (query length: 893h54m44s, limit: 30d1h)"},
		{"max_query_length", day, rangeQuery(`{app="x"}`, window), 400, tooLong},
		{"max_query_length", day, rangeQuery(`rate({app="x"}[23h])`, "&start=1795210884&end=1795218084&step=60"), 400, "the query time range exceeds the limit (query length: 25h0m0s, limit: 1d)"},
		{"max_query_length", day, "/loki/api/v1/labels?x" + window, 400, tooLong},
		{"max_query_length", day, "/loki/api/v1/series?x" + window, 400, tooLong},
		{"max_query_length", day, "/loki/api/v1/index/stats?query=%7Bapp%3D%22x%22%7D" + window, 400, tooLong},
		{"max_query_length", day, "/loki/api/v1/index/volume?query=%7Bapp%3D%22x%22%7D" + window, 400, tooLong},
		{"max_query_length", day, "/loki/api/v1/detected_labels?x" + window, 400, tooLong},
		{"max_query_length", day, "/loki/api/v1/detected_fields?query=%7Bapp%3D%22x%22%7D" + window, 400, tooLong},
		{"max_query_length", func(l *tenant.Limits) { l.MaxQueryLength = 0 }, rangeQuery(`{app="x"}`, "&start=0&end=1795218084"), 200, ""},
		{"max_query_lookback", func(l *tenant.Limits) { l.MaxQueryLookback = tenant.Duration(time.Hour) }, "/loki/api/v1/labels?start=1795000000&end=1795000060", 200, `{"status":"success"}` + "\n"},
		{"max_query_range", func(l *tenant.Limits) { l.MaxQueryRange = tenant.Duration(time.Minute) }, instant(`rate({app="x"}[5m])`), 400, "[interval] value exceeds limit: [5m] > [1m]"},
		{"max_query_series", func(l *tenant.Limits) { l.MaxQuerySeries = 1 }, instant(`count_over_time({app=~".+"}[1h])`), 400,
			"maximum number of series (1) reached for a single query; consider reducing query cardinality by adding more specific stream selectors, reducing the time range, or aggregating results with functions like sum(), count() or topk()"},
		{"max_query_series", func(l *tenant.Limits) { l.MaxQuerySeries = 1 }, instant(`sum(count_over_time({app=~".+"}[1h]))`), 200, ""},
		{"max_entries_limit_per_query", nil, rangeQuery(`{app="x"}`, "&limit=5001"), 400, "max entries limit per query exceeded, limit > max_entries_limit_per_query (5001 > 5000)"},
		{"max_entries_limit_per_query", nil, rangeQuery(`rate({app="x"}[1m])`, "&limit=5001"), 200, ""},
		{"max_entries_limit_per_query", nil, "/loki/api/v1/detected_fields?line_limit=5001&query=%7Bapp%3D%22x%22%7D", 400, "max entries limit per query exceeded, limit > max_entries_limit_per_query (5001 > 5000)"},
		{"max_entries_limit_per_query", func(l *tenant.Limits) { l.MaxEntriesLimitPerQuery = 0 }, rangeQuery(`{app="x"}`, "&limit=100000"), 200, ""},
		{"query_timeout", func(l *tenant.Limits) { l.QueryTimeout = 1 }, rangeQuery(`{app="x"}`, ""), 504,
			"request timed out, decrease the duration of the request or add more label matchers (prefer exact match over regex match) to reduce the amount of data processed"},
		{"max_streams_matchers_per_query", func(l *tenant.Limits) { l.MaxStreamsMatchersPerQuery = 1 }, rangeQuery(`{app="x",env="y"}`, ""), 400, "max streams matchers per query exceeded, matchers-count > limit (2 > 1)"},
		{"required_labels", func(l *tenant.Limits) { l.RequiredLabels = []string{"a", "app", "b"} }, rangeQuery(`{app="x",c="y"}`, ""), 400,
			"stream selector is missing required matchers [a, b], labels present in the query were [app, c]"},
		{"required_labels", func(l *tenant.Limits) { l.RequiredLabels = []string{"a"} }, instant(`rate({app="x"}[1m])`), 200, ""},
		{"required_labels", func(l *tenant.Limits) { l.RequiredLabels = []string{"a"} }, "/loki/api/v1/labels", 200, ""},
		{"minimum_labels_number", func(l *tenant.Limits) { l.MinimumLabelsNumber = 2 }, rangeQuery(`{app="x"}`, ""), 400,
			"stream selector has less label matchers than required: (present: [app], number_present: 1, required_number_label_matchers: 2)"},
		{"minimum_labels_number", func(l *tenant.Limits) { l.MinimumLabelsNumber = 2 }, rangeQuery(`{app="x",env!="y"}`, ""), 200, ""},
		{"minimum_labels_number", func(l *tenant.Limits) { l.MinimumLabelsNumber = 2 }, instant(`rate({app="x"}[1m])`), 200, ""},
		{"max_query_bytes_read", func(l *tenant.Limits) { l.MaxQueryBytesRead = 1024 }, rangeQuery(`{app="x"}`, ""), 400,
			"the query would read too many bytes (query: 2.0 KiB, limit: 1.0 KiB); consider adding more specific stream selectors or reduce the time range of the query"},
		{"max_querier_bytes_read", func(l *tenant.Limits) { l.MaxQuerierBytesRead = 1024 }, rangeQuery(`{app="x"}`, ""), 400,
			"query too large to execute on a single querier: (query: 2.0 KiB, limit: 1.0 KiB); consider adding more specific stream selectors, reduce the time range of the query, or adjust parallelization settings"},
		{"volume_enabled", func(l *tenant.Limits) { l.VolumeEnabled = false }, "/loki/api/v1/index/volume?query=%7Bapp%3D%22x%22%7D", 404, "not found"},
		{"volume_max_series", func(l *tenant.Limits) { l.VolumeMaxSeries = 1 }, "/loki/api/v1/index/volume?query=%7B%7D", 400, "the query hit the max number of series limit (limit: 1 series)"},
		{"blocked_queries", func(l *tenant.Limits) { l.BlockedQueries = []tenant.BlockedQuery{{Pattern: `{app="x"}`}} }, rangeQuery(`{app="x"}`, ""), 400, "query blocked by policy"},
		{"blocked_queries", func(l *tenant.Limits) { l.BlockedQueries = []tenant.BlockedQuery{{Pattern: `.*rate.*`, Regex: true}} }, instant(`rate({app="x"}[1m])`), 400, "query blocked by policy"},
		{"blocked_queries", func(l *tenant.Limits) {
			l.BlockedQueries = []tenant.BlockedQuery{{Pattern: `.*`, Regex: true, Types: []string{"metric"}}}
		}, rangeQuery(`{app="x"}`, ""), 200, ""},
		{"blocked_queries", func(l *tenant.Limits) { l.BlockedQueries = []tenant.BlockedQuery{{Hash: query.QueryHash(`{app="x"}`)}} }, rangeQuery(`{app="x"}`, ""), 400, "query blocked by policy"},
		{"max_concurrent_tail_requests", nil, "/loki/api/v1/tail?query=%7Bapp%3D%22x%22%7D", 404, "404 page not found\n"}, // the listener's tests have it
		{"fixed: points", nil, rangeQuery(`rate({app="x"}[1m])`, "&start=1795200000&end=1795218084&step=1"), 400,
			"exceeded maximum resolution of 11,000 points per time series. Try increasing the value of the step parameter"},
		{"fixed: length of a query", nil, rangeQuery(`{app="`+strings.Repeat("x", 131072)+`"}`, ""), 400, "parse error : input size too long (131080 > 131072)"},
	}
}

func (f *fixture) meet(tc limitCase) *httptest.ResponseRecorder {
	if strings.HasPrefix(tc.request, "/") {
		return f.get(tc.request)
	}
	return f.do(http.MethodPost, "/loki/api/v1/push", "application/json", tc.request)
}

// TestLimits holds every limit that a client can meet against status and text of the specification.
func TestLimits(t *testing.T) {
	for _, tc := range append(ingestionCases(), queryCases()...) {
		f := newFixture(t, nil)
		f.limits.DiscoverLogLevels = false
		f.push(`{"app":"x"}`, strings.Repeat("line", 256), strings.Repeat("line", 256))
		f.push(`{"app":"other"}`, "line")
		f.api = newAPI(f) // without what the pushes took from the rates
		if tc.change != nil {
			tc.change(&f.limits)
		}
		w := f.meet(tc)
		require.Equal(t, tc.status, w.Code, "%s: %s", tc.key, w.Body.String())
		if tc.text != "" {
			require.Equal(t, strings.TrimSuffix(tc.text, "\n"), strings.TrimSuffix(w.Body.String(), "\n"), tc.key)
		}
		requireRetryAfter(t, w, tc.key)
	}
}

func newAPI(f *fixture) *API {
	o := f.api.options
	o.Registerer = nil
	return New(o)
}

// requireRetryAfter: every refusal that a later attempt may pass says when, and no other.
func requireRetryAfter(t *testing.T, w *httptest.ResponseRecorder, what string) {
	t.Helper()
	again := w.Code == http.StatusTooManyRequests || w.Code == http.StatusServiceUnavailable
	require.Equal(t, again, w.Header().Get("Retry-After") != "", "%s: Retry-After of a %d is %q", what, w.Code, w.Header().Get("Retry-After"))
}

func TestTruncatedLines(t *testing.T) {
	f := newFixture(t, nil)
	f.limits.DiscoverLogLevels = false
	f.limits.MaxLineSize, f.limits.MaxLineSizeTruncate, f.limits.MaxLineSizeTruncateIdentifier = 10, true, "[cut]"
	f.push(`{"app":"x"}`, "0123456789", "0123456789a", "ééééééé")
	text := f.get("/loki/api/v1/query_range?direction=forward&query=%7Bapp%3D%22x%22%7D").Body.String()
	for _, line := range []string{`"0123456789"`, `"01234[cut]"`, `"éé\ufffd[cut]"`} {
		require.Contains(t, text, line)
	}
	metrics := f.get("/metrics").Body.String()
	require.Contains(t, metrics, `cambium_mutated_samples_total{reason="line_too_long",tenant="t1"} 2`)
	require.Contains(t, metrics, `cambium_mutated_bytes_total{reason="line_too_long",tenant="t1"} 5`)
}

func TestIncrementedTimestamps(t *testing.T) {
	f := newFixture(t, nil)
	f.limits.IncrementDuplicateTimestamp = true
	w := f.do(http.MethodPost, "/loki/api/v1/push", "application/json", pushOf(`{"app":"x"}`, values("a", "b", "c")))
	require.Equal(t, 204, w.Code)
	text := f.get("/loki/api/v1/query_range?direction=forward&end=" + at(60) + "&query=%7Bapp%3D%22x%22%7D").Body.String()
	ns := testNow.UnixNano()
	require.Contains(t, text, fmt.Sprintf(`[["%d","a"],["%d","b"],["%d","c"]]`, ns, ns+1, ns+2))
}

// TestRetryAfter: refusals of every family say when to come back.
func TestRetryAfter(t *testing.T) {
	for _, status := range []int{400, 422, 429, 500, 503, 504} {
		for _, f := range []family{familyQuery, familyLine, familyOTLP} {
			w := httptest.NewRecorder()
			(&Error{Status: status, Message: "x"}).write(w, f)
			requireRetryAfter(t, w, fmt.Sprint("family ", f))
		}
	}
	w := httptest.NewRecorder()
	asError(query.ErrTooMany).write(w, familyQuery)
	require.Equal(t, "1", w.Header().Get("Retry-After"))
	f := newFixture(t, nil)
	f.ready = fmt.Errorf("segments cannot be written")
	requireRetryAfter(t, f.get("/ready"), "ready")
}
