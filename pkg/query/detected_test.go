package query_test

import (
	"context"
	"encoding/json"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/stretchr/testify/require"

	"github.com/cambium-logs/cambium/pkg/query"
	"github.com/cambium-logs/cambium/pkg/storage/chunk"
	"github.com/cambium-logs/cambium/pkg/storage/storagetest"
	"github.com/cambium-logs/cambium/pkg/tenant"
)

// TestDetectedFieldsConformance runs the recorded requests for detected fields and their values.
func TestDetectedFieldsConformance(t *testing.T) {
	dir := filepath.Join(sharedDir(t), "conformance")
	engine := query.New(query.Options{Source: corpusStore(t, dir, 50)})
	for _, c := range corpusCases(t, dir) {
		if c.Status != 200 || c.Group != "detected_fields" && c.Group != "detected_field_values" {
			continue
		}
		number := func(name string) int64 {
			s, _ := c.Params[name].(string)
			n, _ := strconv.ParseInt(s, 10, 64)
			return n
		}
		p := query.FieldsParams{LineLimit: int(number("line_limit")), FieldLimit: int(number("limit"))}
		p.Expr, _ = c.Params["query"].(string)
		p.Start, p.End = number("start"), number("end")
		p.Limits = query.LimitsOf(tenant.DefaultLimits())
		var want struct {
			Fields []struct {
				Label, Type string
				Cardinality int
				Parsers     []string
				JSONPath    []string
			}
			Values []string
		}
		require.NoError(t, json.Unmarshal(c.Body, &want))
		if c.Group == "detected_field_values" {
			name := strings.Split(c.Path, "/")[5]
			got, err := engine.DetectedFieldValues(context.Background(), p, name)
			require.NoError(t, err)
			slices.Sort(want.Values)
			require.Equal(t, want.Values, got, "%s of %s", name, p.Expr)
			continue
		}
		got, err := engine.DetectedFields(context.Background(), p)
		require.NoError(t, err)
		require.Len(t, got, len(want.Fields), p.Expr)
		for _, w := range want.Fields {
			at := slices.IndexFunc(got, func(f query.DetectedField) bool { return f.Label == w.Label })
			require.GreaterOrEqual(t, at, 0, "%s of %s", w.Label, p.Expr)
			require.Equal(t, w.Type, got[at].Type, "%s of %s", w.Label, p.Expr)
			require.Equal(t, w.Parsers, got[at].Parsers, "%s of %s", w.Label, p.Expr)
			require.Equal(t, w.JSONPath, got[at].JSONPath, "%s of %s", w.Label, p.Expr)
			require.InDelta(t, w.Cardinality, got[at].Cardinality, 1+float64(w.Cardinality)/10, "%s of %s", w.Label, p.Expr)
		}
	}
}

func entry(second int64, line string) chunk.Entry {
	return chunk.Entry{Timestamp: second * 1e9, Line: []byte(line)}
}

func TestMetadata(t *testing.T) {
	m := &storagetest.Memory{ChunkRows: 10}
	for i := range int64(40) {
		m.Add(labels.FromStrings("app", "a", "pod", "7"), entry(i, "0123456789"))
		m.Add(labels.FromStrings("app", "b", "id", strconv.Itoa(int(i%3))), entry(i, "01234"))
	}
	engine := query.New(query.Options{Source: m})
	ctx := context.Background()
	all := query.Selection{End: 39 * 1e9}
	some := all
	some.Matchers = []*labels.Matcher{labels.MustNewMatcher(labels.MatchRegexp, "app", "a|b")}

	names, err := engine.Labels(ctx, all)
	require.NoError(t, err)
	require.Equal(t, []string{"app", "id", "pod"}, names)
	values, err := engine.LabelValues(ctx, all, "app")
	require.NoError(t, err)
	require.Equal(t, []string{"a", "b"}, values)
	sets, err := engine.Series(ctx, all, [][]*labels.Matcher{some.Matchers, some.Matchers})
	require.NoError(t, err)
	require.Len(t, sets, 4)

	stats, err := engine.IndexStats(ctx, all)
	require.NoError(t, err)
	require.Equal(t, query.IndexStats{Streams: 4, Chunks: 10, Bytes: 600, Entries: 80}, stats)

	found, err := engine.DetectedLabels(ctx, all)
	require.NoError(t, err)
	require.Equal(t, []query.DetectedLabel{{"app", 2}, {"pod", 1}}, found, "id holds only numbers; pod is always shown")

	volume, err := engine.Volume(ctx, query.VolumeParams{Selection: some})
	require.NoError(t, err)
	require.Equal(t, "{app=\"a\"} 400\n{app=\"b\"} 200", samples(volume))
	volume, err = engine.Volume(ctx, query.VolumeParams{Selection: some, Limit: 1, ByLabels: true})
	require.NoError(t, err)
	require.Len(t, volume.Vector, 1)
	require.Equal(t, "app", first(volume.Vector[0].Labels))
	volume, err = engine.Volume(ctx, query.VolumeParams{Selection: some, TargetLabels: []string{"nope"}})
	require.NoError(t, err)
	require.Empty(t, volume.Vector)

	ranged, err := engine.VolumeRange(ctx, query.VolumeParams{Selection: some, TargetLabels: []string{"pod"}, Step: 15 * 1e9})
	require.NoError(t, err)
	require.Len(t, ranged.Matrix, 1)
	total := 0.0
	var ends []int64
	for _, p := range ranged.Matrix[0].Points {
		total += p.Value
		ends = append(ends, p.Timestamp)
	}
	require.InDelta(t, 400, total, 2)
	require.Equal(t, []int64{15*1e9 - 1e6, 30*1e9 - 1e6, 39 * 1e9}, ends)

	all.Limits.MaxQueryLength = 1
	_, err = engine.Labels(ctx, all)
	require.ErrorContains(t, err, "the query time range exceeds the limit")
	_, err = engine.Volume(ctx, query.VolumeParams{Selection: query.Selection{End: 39e9, Matchers: some.Matchers, Limits: query.Limits{VolumeMaxSeries: 1}}})
	require.ErrorContains(t, err, "the query hit the max number of series limit (limit: 1 series)")
}

func samples(r *query.Result) string {
	var out []string
	for _, s := range r.Vector {
		out = append(out, s.Labels.String()+" "+strconv.FormatFloat(s.Value, 'f', -1, 64))
	}
	return strings.Join(out, "\n")
}

func first(ls labels.Labels) (name string) {
	ls.Range(func(l labels.Label) { name = l.Name })
	return name
}

func TestPatterns(t *testing.T) {
	m := &storagetest.Memory{}
	for i := range int64(60) {
		n := strconv.Itoa(int(i))
		m.Add(labels.FromStrings("app", "a"), entry(i, "level=info msg=\"user "+n+" logged in\" took="+n+"ms"))
		if i%2 == 0 {
			e := entry(i, "connection from 10.0.0."+n+" refused")
			e.Metadata = []labels.Label{{Name: "detected_level", Value: "error"}}
			m.Add(labels.FromStrings("app", "a"), e)
		}
	}
	engine := query.New(query.Options{Source: m})
	found, err := engine.Patterns(context.Background(), query.PatternParams{Selection: query.Selection{End: 59e9}, Step: 30e9})
	require.NoError(t, err)
	require.Equal(t, []query.Pattern{
		{Pattern: `level=info msg="user <_> logged in" took=<_>`, Points: []query.Point{{Timestamp: 0, Value: 30}, {Timestamp: 30e9, Value: 30}}},
		{Pattern: `connection from <_> refused`, Level: "error", Points: []query.Point{{Timestamp: 0, Value: 15}, {Timestamp: 30e9, Value: 15}}},
	}, found)
}
