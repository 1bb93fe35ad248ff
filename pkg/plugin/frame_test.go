package plugin

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/grafana/grafana-plugin-sdk-go/data"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/stretchr/testify/require"

	"github.com/cambium-logs/cambium/pkg/query"
)

var update = flag.Bool("update", false, "write the golden files")

// golden compares a value's JSON with testdata/<name>.json.
func golden(t *testing.T, name string, value any) {
	t.Helper()
	raw, err := json.Marshal(value)
	require.NoError(t, err)
	var text bytes.Buffer
	require.NoError(t, json.Indent(&text, raw, "", "  "))
	text.WriteByte('\n')
	path := filepath.Join("testdata", name+".json")
	if *update {
		require.NoError(t, os.WriteFile(path, text.Bytes(), 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(want), text.String())
}

var frameTime = time.Date(2026, 11, 1, 2, 0, 0, 123456789, time.UTC)

// ask runs one query of an editor over a fake database and gives its response.
func ask(t *testing.T, db *fakeDB, model string, change ...func(*backend.QueryDataRequest)) backend.DataResponse {
	t.Helper()
	instance := NewInstance(NewDatabases(func(context.Context, Location) (Database, error) { return db, nil }), backend.DataSourceInstanceSettings{})
	request := &backend.QueryDataRequest{
		PluginContext: backend.PluginContext{OrgID: 7, User: &backend.User{Role: "Viewer"}},
		Queries: []backend.DataQuery{{
			RefID: "A", JSON: json.RawMessage(model), Interval: time.Minute,
			TimeRange: backend.TimeRange{From: frameTime.Add(-time.Hour), To: frameTime},
		}},
	}
	for _, c := range change {
		c(request)
	}
	response, err := instance.QueryData(context.Background(), request)
	require.NoError(t, err)
	return response.Responses["A"]
}

func TestLogFrame(t *testing.T) {
	at := frameTime.UnixNano()
	web := &query.EntryLabels{
		Stream:   labels.FromStrings("app", "web", "service_name", "web"),
		Metadata: labels.FromStrings("detected_level", "error", "trace_id", "abc"),
		Parsed:   labels.FromStrings("status", "502", "level", "warn"),
	}
	api := &query.EntryLabels{Stream: labels.FromStrings("app", "api", "odd", "a\"b\\c\n\xff")}
	db := &fakeDB{answer: func(query.Params) (*query.Result, error) {
		return &query.Result{
			Type: query.ResultStreams,
			Entries: []query.Entry{
				{Timestamp: at, Line: `{"status":502}`, Labels: web},
				{Timestamp: at, Line: `{"status":502}`, Labels: web},
				{Timestamp: at - 1, Line: "bad \xff byte and \x1b[31mcolour\x1b[0m", Labels: api},
				{Timestamp: at - 2, Line: "", Labels: api},
			},
			Stats:    query.Stats{ExecTime: 250 * time.Millisecond, BytesProcessed: 1000, LinesProcessed: 40, LinesMatched: 4, Streams: 2},
			Warnings: []string{"something was cut"},
		}, nil
	}}
	response := ask(t, db, "{\"expr\":\"{app=~\\\"web|api\\\"} |= \\\"a.b\\\" |~ `x+` != \\\"no\\\" | json\",\"maxLines\":10}")
	require.NoError(t, response.Error)
	golden(t, "logs", response.Frames)
	params := db.queries[0]
	require.Equal(t, "org-7", params.Tenant)
	require.Equal(t, 10, params.Limit)
	require.False(t, params.Instant)
}

func TestSeriesFrames(t *testing.T) {
	at := frameTime.Truncate(time.Minute).UnixNano()
	minute := time.Minute.Nanoseconds()
	db := &fakeDB{answer: func(query.Params) (*query.Result, error) {
		return &query.Result{Type: query.ResultMatrix, Matrix: []query.Series{
			{Labels: labels.FromStrings("app", "web", "env", "prod"), Points: []query.Point{{Timestamp: at - minute, Value: 1.5}, {Timestamp: at, Value: math.NaN()}}},
			{Labels: labels.EmptyLabels(), Points: []query.Point{{Timestamp: at, Value: math.Inf(1)}}},
		}}, nil
	}}
	response := ask(t, db, `{"expr":"sum by (app, env) (rate({app=\"web\"}[$__auto]))","legendFormat":"{{app}} in {{ env }}{{none}}"}`)
	require.NoError(t, response.Error)
	golden(t, "series", response.Frames)
	require.Equal(t, time.Minute.Nanoseconds(), db.queries[0].Step)
	require.Contains(t, db.queries[0].Expr, "[1m]")
}

func TestNumberFrames(t *testing.T) {
	db := &fakeDB{answer: func(p query.Params) (*query.Result, error) {
		return &query.Result{Type: query.ResultVector, Vector: []query.Sample{
			{Labels: labels.FromStrings("app", "web"), Point: query.Point{Timestamp: p.Time, Value: 42}},
			{Labels: labels.FromStrings("app", "api"), Point: query.Point{Timestamp: p.Time, Value: 0}},
		}}, nil
	}}
	response := ask(t, db, `{"expr":"sum by (app) (count_over_time({app=~\".+\"}[5m]))","queryType":"instant"}`, func(r *backend.QueryDataRequest) {
		r.PluginContext.User = nil
		r.Headers = map[string]string{backend.FromAlertHeaderName: "true"}
	})
	require.NoError(t, response.Error)
	golden(t, "numbers", response.Frames)
	require.True(t, db.queries[0].Instant)
	require.Equal(t, frameTime.UnixNano(), db.queries[0].Time)
}

func TestEmptyAnswersHaveAFrame(t *testing.T) {
	for _, c := range []struct {
		kind  query.ResultType
		model string
		want  data.FrameType
	}{
		{query.ResultMatrix, `{"expr":"rate({a=\"b\"}[1m])"}`, data.FrameTypeTimeSeriesMulti},
		{query.ResultVector, `{"expr":"rate({a=\"b\"}[1m])","queryType":"instant"}`, data.FrameTypeNumericMulti},
		{query.ResultStreams, `{"expr":"{a=\"b\"}"}`, data.FrameTypeLogLines},
	} {
		response := ask(t, &fakeDB{answer: func(query.Params) (*query.Result, error) { return &query.Result{Type: c.kind}, nil }}, c.model)
		require.NoError(t, response.Error)
		require.Len(t, response.Frames, 1)
		require.Equal(t, c.want, response.Frames[0].Meta.Type)
		require.NotEmpty(t, response.Frames[0].Meta.ExecutedQueryString)
		require.NotEmpty(t, response.Frames[0].Meta.Stats)
	}
}

func TestErrorsOfLinesAreTold(t *testing.T) {
	failed := &query.EntryLabels{Stream: labels.FromStrings("app", "web"), Parsed: labels.FromStrings("__error__", "JSONParserErr")}
	sound := &query.EntryLabels{Stream: labels.FromStrings("app", "web")}
	require.Empty(t, lineErrors([]query.Entry{{Labels: sound}}))
	require.Contains(t, lineErrors([]query.Entry{{Labels: sound}, {Labels: failed}, {Labels: failed}}), "(JSONParserErr)")
}

func TestExplainedQueries(t *testing.T) {
	plan := &query.Plan{Reads: []query.Read{{
		Expression: "rate({app=\"web\"} |= \"x\" [1m])", Matchers: `{app="web"}`, Literals: []string{"x"}, Stages: []string{`|= "x"`},
		Folded: "sum by (app)", Labels: []string{"app"}, Strategy: "partials",
	}}, PromQL: "a / b", Notes: []string{"nothing else"}}
	for _, kind := range []query.ResultType{query.ResultMatrix, query.ResultStreams} {
		db := &fakeDB{answer: func(p query.Params) (*query.Result, error) {
			require.True(t, p.Explain)
			return &query.Result{Type: kind, Plan: plan}, nil
		}}
		response := ask(t, db, `{"expr":"{app=\"web\"}","explain":true}`)
		require.NoError(t, response.Error)
		meta := response.Frames[0].Meta
		for _, text := range []string{"Read 1 of 1: rate(", `must contain: "x"`, "sum by (app)", "[app]", "how: partials", "a / b", "nothing else"} {
			require.Contains(t, meta.ExecutedQueryString, text)
		}
		custom, err := json.Marshal(meta.Custom)
		require.NoError(t, err)
		require.Contains(t, string(custom), `"plan":{`)
	}
}

func TestVolumeFrames(t *testing.T) {
	first := frameTime.Add(-time.Hour).Truncate(time.Minute).Add(time.Minute).UnixNano()
	minute := time.Minute.Nanoseconds()
	db := &fakeDB{answer: func(query.Params) (*query.Result, error) {
		return &query.Result{Type: query.ResultMatrix, Matrix: []query.Series{
			{Labels: labels.FromStrings("detected_level", "info"), Points: []query.Point{{Timestamp: first, Value: 5}, {Timestamp: first + minute, Value: 6}}},
			{Labels: labels.FromStrings("level", "INFO"), Points: []query.Point{{Timestamp: first, Value: 1}}},
			{Labels: labels.FromStrings("detected_level", "error", "level", "warn"), Points: []query.Point{{Timestamp: first + 2*minute, Value: 2}}},
			{Labels: labels.EmptyLabels(), Points: []query.Point{{Timestamp: first, Value: 9}}},
		}}, nil
	}}
	response := ask(t, db, `{"expr":"{app=\"web\"} | json","queryType":"volume"}`)
	require.NoError(t, response.Error)
	golden(t, "volume", response.Frames)
	params := db.queries[0]
	require.Equal(t, first, params.Start, "the first bucket holds the start of the range")
	require.Equal(t, frameTime.Truncate(time.Minute).Add(time.Minute).UnixNano(), params.End)
	require.Equal(t, `sum by (detected_level,level,severity,severity_text,lvl)(count_over_time({app="web"} | json | drop __error__,__error_details__[1m]))`, params.Expr)
}

func TestQueryErrors(t *testing.T) {
	alert := func(r *backend.QueryDataRequest) { r.Headers = map[string]string{backend.FromAlertHeaderName: "true"} }
	for _, c := range []struct {
		name, model string
		answer      error
		change      func(*backend.QueryDataRequest)
		status      int
		source      backend.ErrorSource
		text        string
	}{
		{name: "parse error", model: `{"expr":"{app=}"}`, status: 400, source: backend.ErrorSourceDownstream, text: "parse error at line 1, col"},
		{name: "volume of a metric query", model: `{"expr":"rate({a=\"b\"}[1m])","queryType":"volume"}`, status: 400, source: backend.ErrorSourceDownstream, text: "log queries only"},
		{name: "alert on lines", model: `{"expr":"{app=\"web\"}"}`, change: alert, status: 400, source: backend.ErrorSourceDownstream, text: "wrap it"},
		{name: "limit", model: `{"expr":"{app=\"web\"}"}`, answer: &query.Error{Status: 400, Message: "too much"}, status: 400, source: backend.ErrorSourceDownstream, text: "too much"},
		{name: "timeout", model: `{"expr":"{app=\"web\"}"}`, answer: query.ErrTimeout, status: 504, source: backend.ErrorSourceDownstream, text: "timed out"},
		{name: "damage", model: `{"expr":"{app=\"web\"}"}`, answer: &query.Error{Status: 500, Message: "read chunk 3 of x.seg: checksum"}, status: 500, source: backend.ErrorSourcePlugin, text: "chunk 3"},
	} {
		t.Run(c.name, func(t *testing.T) {
			db := &fakeDB{}
			if c.answer != nil {
				db.answer = func(query.Params) (*query.Result, error) { return nil, c.answer }
			}
			var changes []func(*backend.QueryDataRequest)
			if c.change != nil {
				changes = append(changes, c.change)
			}
			response := ask(t, db, c.model, changes...)
			require.ErrorContains(t, response.Error, c.text)
			require.Equal(t, backend.Status(c.status), response.Status)
			require.Equal(t, c.source, response.ErrorSource)
		})
	}
}

func TestRowIDs(t *testing.T) {
	one, two := newRowIDs(), newRowIDs()
	a, b, c := one.id(1, 2, "x"), one.id(1, 2, "x"), one.id(1, 2, "y")
	require.NotEqual(t, a, b, "equal rows of one answer")
	require.NotEqual(t, a, c)
	require.Equal(t, a, two.id(1, 2, "x"), "stable over answers")
	require.NotEqual(t, a, two.id(2, 2, "x"))
	require.NotEqual(t, a, two.id(1, 3, "x"))
}
