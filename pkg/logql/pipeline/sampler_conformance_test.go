package pipeline_test

import (
	"encoding/json"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/cambium-logs/cambium/pkg/logql"
	"github.com/cambium-logs/cambium/pkg/logql/pipeline"
)

// TestConformanceOfSamples runs the recorded instant queries that are one range aggregation, or the sum of one, and compares their
// series and values with those the reference gave.
func TestConformanceOfSamples(t *testing.T) {
	dir := sharedDir(t, "conformance")
	streams := loadDataset(t, dir)
	cases := make(map[string]conformanceCase)
	readJSONLines(t, filepath.Join(dir, "queries.jsonl"), func(raw json.RawMessage) {
		var c conformanceCase
		if err := json.Unmarshal(raw, &c); err != nil {
			t.Fatal(err)
		}
		cases[c.ID] = c
	})
	ran := 0
	readJSONLines(t, filepath.Join(dir, "answers.jsonl"), func(raw json.RawMessage) {
		var a struct {
			conformanceAnswer
			TextVolatile bool `json:"text_volatile"`
		}
		if err := json.Unmarshal(raw, &a); err != nil {
			t.Fatal(err)
		}
		c := cases[a.ID]
		if !strings.HasSuffix(c.Path, "/query") || a.Quirk != nil {
			return
		}
		query := param(c.Params, "query")
		expr, err := logql.Parse(query, logql.ParseOptions{})
		if err != nil {
			return
		}
		agg, outer := rangeAggregation(expr)
		if agg == nil {
			return
		}
		at := param(c.Params, "time")
		if len(at) != 19 {
			return
		}
		end, _ := strconv.ParseInt(at, 10, 64)
		got, err := runSamples(streams, agg, outer, end)
		if a.Status != 200 {
			var want string
			if json.Unmarshal(a.Body, &want) == nil && strings.Contains(want, "pipeline error") {
				ran++
				if err == nil {
					t.Errorf("%s: %s: no error", a.ID, query)
				} else if !a.TextVolatile && strings.TrimSpace(err.Error()) != strings.TrimSpace(want) {
					t.Errorf("%s: %s\ngot  %s\nwant %s", a.ID, query, err, want)
				}
			}
			return
		}
		if err != nil {
			t.Errorf("%s: %s: %v", a.ID, query, err)
			return
		}
		ran++
		var answer struct {
			Data struct {
				Result []struct {
					Metric map[string]string
					Value  [2]any
				}
			}
		}
		if err := json.Unmarshal(a.Body, &answer); err != nil {
			t.Fatal(err)
		}
		want := make(map[string]float64)
		for _, r := range answer.Data.Result {
			want[labels.FromMap(r.Metric).String()], _ = strconv.ParseFloat(r.Value[1].(string), 64)
		}
		var diff []string
		for k, v := range want {
			if g, ok := got[k]; !ok || math.Abs(g-v) > 1e-9*math.Abs(v)+1e-12 && !(g != g && v != v) {
				diff = append(diff, fmt.Sprintf("want %s %v, got %v (%v)", k, v, g, ok))
			}
			delete(got, k)
		}
		for k, v := range got {
			diff = append(diff, fmt.Sprintf("unexpected %s %v", k, v))
		}
		if diff != nil {
			t.Errorf("%s: %s\n%s", a.ID, query, strings.Join(diff, "\n"))
		}
	})
	if ran < 80 {
		t.Errorf("only %d cases ran", ran)
	}
}

// rangeAggregation returns the aggregation that this test can evaluate, and the sum around it.
func rangeAggregation(e logql.Expr) (agg *logql.RangeAggregation, outer *logql.VectorAggregation) {
	if v, ok := e.(*logql.VectorAggregation); ok && v.Op == "sum" {
		outer = v
		e = v.Expr
	}
	agg, ok := e.(*logql.RangeAggregation)
	if !ok || !slices.Contains([]string{"count_over_time", "rate", "bytes_over_time", "bytes_rate", "sum_over_time", "min_over_time", "max_over_time"}, agg.Op) {
		return nil, nil
	}
	return agg, outer
}

func runSamples(streams []*testStream, agg *logql.RangeAggregation, outer *logql.VectorAggregation, end int64) (map[string]float64, error) {
	s, err := pipeline.CompileSamples(agg, pipeline.NeededBy(outer, agg))
	if err != nil {
		return nil, err
	}
	end -= agg.Range.Offset.Nanoseconds()
	start := end - agg.Range.Range.Nanoseconds()
	type series struct {
		labels labels.Labels
		value  float64
	}
	all := make(map[string]*series)
	for _, st := range streams {
		if !matchesAll(agg.Range.Log.Matchers, st.labels) {
			continue
		}
		sp := s.ForStream(st.labels)
		for _, e := range st.entries {
			if e.ts <= start || e.ts > end {
				continue
			}
			v, res, keep := sp.Process(e.ts, []byte(e.line), e.meta)
			if !keep {
				continue
			}
			if err := res.Error(); err != nil {
				return nil, err
			}
			x := all[res.Merged.String()]
			if x == nil {
				x = &series{labels: res.Merged, value: v}
				all[res.Merged.String()] = x
				continue
			}
			switch agg.Op {
			case "min_over_time":
				if v < x.value || x.value != x.value {
					x.value = v
				}
			case "max_over_time":
				if v > x.value || x.value != x.value {
					x.value = v
				}
			default:
				x.value += v
			}
		}
	}
	out := make(map[string]float64)
	for key, x := range all {
		v := x.value
		if strings.Contains(agg.Op, "rate") {
			v /= agg.Range.Range.Seconds()
		}
		if outer != nil {
			g := outer.Grouping
			switch {
			case g == nil:
				key = "{}"
			case g.Without:
				key = labels.NewBuilder(x.labels).Del(g.Labels...).Labels().String()
			default:
				key = labels.NewBuilder(x.labels).Keep(g.Labels...).Labels().String()
			}
			// Labels that the sampler keeps with an empty value stay.
			if g != nil && !g.Without && pipeline.NeededBy(outer, agg).Known {
				key = x.labels.String()
			}
		}
		out[key] += v
	}
	return out, nil
}
