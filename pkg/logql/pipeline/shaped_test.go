package pipeline

import (
	"testing"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/stretchr/testify/require"

	"github.com/cambium-logs/cambium/pkg/logql"
)

// numbersBetween is a skeleton whose variables are numbers.
type numbersBetween []string

func (s numbersBetween) Pieces() [][]byte {
	var out [][]byte
	for _, piece := range s {
		out = append(out, []byte(piece))
	}
	return out
}
func (s numbersBetween) Only(_ int, ok func(b byte) bool) bool {
	for b := byte('0'); b <= '9'; b++ {
		if !ok(b) {
			return false
		}
	}
	return true
}
func (s numbersBetween) Numeric(int) bool                              { return true }
func (s numbersBetween) Distinct(int) [][]byte                         { return nil }
func (s numbersBetween) Append(dst []byte, slot, _ int) []byte         { return append(dst, byte('1'+slot)) }
func (s numbersBetween) Codes(int) ([]uint64, int)                     { return nil, 0 }
func (s numbersBetween) Numbers(int) func(at int) (v float64, ok bool) { return nil }

// What stands in a skeleton is never taken for one of its variables, even where it looks like the stand-in for one.
func TestSkeletonsMayHoldStandIns(t *testing.T) {
	for _, of := range []struct {
		parser logql.Stage
		pieces numbersBetween
	}{
		{&logql.LogfmtParser{}, numbersBetween{"fixed=" + probe(1) + " a=", " b=", ""}},
		{&logql.LogfmtParser{}, numbersBetween{"a=", " b=", " fixed=" + probe(0)}},
		{&logql.JSONParser{}, numbersBetween{`{"fixed":` + probe(1) + `,"a":`, `,"b":`, `}`}},
		{&logql.JSONParser{}, numbersBetween{`{"a":`, `,"b":`, `,"fixed":"` + probe(1) + `"}`}},
	} {
		x := NewExtractor(of.parser, labels.EmptyLabels())
		list, _ := x.Extractions(of.pieces) // none: such lines are parsed themselves
		for _, l := range list {
			require.Equal(t, l.Name == "fixed", l.Slot < 0, "%s in %q", l.Name, of.pieces)
		}
	}
}

// codedNumbers are numbersBetween with so many values for so many lines.
type codedNumbers struct {
	numbersBetween
	values, lines int
}

func (s codedNumbers) Codes(int) ([]uint64, int) { return make([]uint64, s.lines), s.values }

// Outcomes are remembered only where there are not many for each line.
func TestOutcomesAreNotManyForEachLine(t *testing.T) {
	agg, err := logql.Parse(`sum by (a, b) (count_over_time({app="a"} | json [1m]))`, logql.ParseOptions{})
	require.NoError(t, err)
	sum := agg.(*logql.VectorAggregation)
	inner := sum.Expr.(*logql.RangeAggregation)
	sampler, err := CompileSamples(inner, NeededBy(sum, inner))
	require.NoError(t, err)
	for lines, remembered := range map[int]bool{8: false, 99: false, 200: true} {
		shaped := sampler.ForStream(labels.EmptyLabels()).Shape(codedNumbers{numbersBetween{`{"a":`, `,"b":`, `}`}, 20, lines})
		require.NotNil(t, shaped)
		require.Equal(t, remembered, shaped.Outcomes(nil) != nil, "%d lines", lines)
	}
}
