package plugin

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/stretchr/testify/require"

	"github.com/cambium-logs/cambium/pkg/query"
)

const sampled = `{"expr":"sum by (app) (count_over_time({env=\"x\"} |= \"e\" [5m] offset 1m)) > 1","queryType":"instant","sampleLine":true}`

func TestSampleLines(t *testing.T) {
	end := frameTime.Add(-time.Minute).UnixNano() + 1
	db := &fakeDB{answer: func(p query.Params) (*query.Result, error) {
		if p.Instant {
			return &query.Result{Type: query.ResultVector, Vector: []query.Sample{
				{Labels: labels.FromStrings("app", `a"b`), Point: query.Point{Timestamp: p.Time, Value: 2}},
				{Labels: labels.FromStrings("app", "none"), Point: query.Point{Timestamp: p.Time, Value: 3}},
			}}, nil
		}
		require.Equal(t, []int64{end - (5 * time.Minute).Nanoseconds(), end, 1}, []int64{p.Start, p.End, int64(p.Limit)})
		result := &query.Result{Type: query.ResultStreams}
		if p.Expr == `{env="x"} |= "e" | app="a\"b"` {
			result.Entries = []query.Entry{{Line: strings.Repeat("é", 200)}}
		}
		return result, nil
	}}
	response := ask(t, db, sampled)
	require.NoError(t, response.Error)
	require.Len(t, response.Frames, 2)
	line := response.Frames[0].Fields[1].Labels[sampleLabel]
	require.Equal(t, strings.Repeat("é", 128)+"…", line)
	require.NotContains(t, response.Frames[1].Fields[1].Labels, sampleLabel)
}

func TestSampleLinesMayFail(t *testing.T) {
	db := &fakeDB{answer: func(p query.Params) (*query.Result, error) {
		if !p.Instant {
			return nil, errors.New("chunk 3")
		}
		return &query.Result{Type: query.ResultVector, Vector: []query.Sample{{Labels: labels.FromStrings("app", "a")}}}, nil
	}}
	response := ask(t, db, sampled)
	require.NoError(t, response.Error)
	require.Contains(t, response.Frames[0].Meta.Notices[0].Text, "chunk 3")
}
