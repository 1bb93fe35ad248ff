package conformance

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
)

// compareResult compares answers that hold streams, a matrix, a vector or a scalar.
func compareResult(kind string, want Answer, got any) string {
	if resultType(got) != kind {
		return fmt.Sprintf("result type %q, want %q", resultType(got), kind)
	}
	wantRest, wantResult := splitResult(want.Body)
	gotRest, gotResult := splitResult(got)
	if d := differs(wantRest, gotRest, "envelope"); d != "" {
		return d
	}
	switch kind {
	case "streams":
		return compareStreams(wantResult, gotResult)
	case "scalar":
		return comparePoint(wantResult, gotResult, true)
	}
	return compareSeries(wantResult, gotResult, want.Compare == "ordered")
}

// splitResult takes data.result out of a body.
func splitResult(body any) (rest any, result any) {
	m, _ := body.(map[string]any)
	top := map[string]any{}
	for k, v := range m {
		top[k] = v
	}
	data, _ := m["data"].(map[string]any)
	inner := map[string]any{}
	for k, v := range data {
		switch k {
		case "result":
			result = v
		case "encodingFlags":
			inner[k] = sortAny(v)
		default:
			inner[k] = v
		}
	}
	top["data"] = inner
	return top, result
}

// byLabels indexes the elements of a result by their labels, under "stream" or "metric".
func byLabels(result any, name string) (map[string]map[string]any, string) {
	list, ok := result.([]any)
	if !ok {
		return nil, "result is no list"
	}
	out := map[string]map[string]any{}
	for _, e := range list {
		element, ok := e.(map[string]any)
		if !ok {
			return nil, "element is no object"
		}
		k := key(element[name])
		if _, twice := out[k]; twice {
			return nil, "twice: " + k
		}
		out[k] = element
	}
	return out, ""
}

func compareStreams(want, got any) string {
	wants, bad := byLabels(want, "stream")
	if bad != "" {
		return "want: " + bad
	}
	gots, bad := byLabels(got, "stream")
	if bad != "" {
		return bad
	}
	for k, w := range wants {
		g, ok := gots[k]
		if !ok {
			return "stream is missing: " + k
		}
		if !reflect.DeepEqual(normal(w["values"]), normal(g["values"])) {
			return "entries of " + k + ": " + firstDifference(w["values"], g["values"])
		}
	}
	for k := range gots {
		if _, ok := wants[k]; !ok {
			return "stream is too many: " + k
		}
	}
	return ""
}

func firstDifference(want, got any) string {
	w, _ := want.([]any)
	g, _ := got.([]any)
	for i := range min(len(w), len(g)) {
		if !reflect.DeepEqual(normal(w[i]), normal(g[i])) {
			return fmt.Sprintf("at %d want %s, got %s", i, key(w[i]), key(g[i]))
		}
	}
	return fmt.Sprintf("want %d, got %d", len(w), len(g))
}

func compareSeries(want, got any, ordered bool) string {
	wants, bad := byLabels(want, "metric")
	if bad != "" {
		return "want: " + bad
	}
	gots, bad := byLabels(got, "metric")
	if bad != "" {
		return bad
	}
	for k, w := range wants {
		g, ok := gots[k]
		if !ok {
			return "series is missing: " + k
		}
		if bad := comparePoints(w, g); bad != "" {
			return k + ": " + bad
		}
	}
	for k := range gots {
		if _, ok := wants[k]; !ok {
			return "series is too many: " + k
		}
	}
	if ordered {
		return compareOrder(want, got)
	}
	return ""
}

// compareOrder holds the sequence of values of a sorted vector.
func compareOrder(want, got any) string {
	w, _ := want.([]any)
	g, _ := got.([]any)
	value := func(v any) any {
		m, _ := v.(map[string]any)
		return m["value"]
	}
	for i := range w {
		if i >= len(g) {
			return "order"
		}
		if bad := comparePoint(value(w[i]), value(g[i]), false); bad != "" {
			return fmt.Sprintf("order at %d: %s", i, bad)
		}
	}
	return ""
}

func comparePoints(want, got map[string]any) string {
	if v, ok := want["value"]; ok {
		return comparePoint(v, got["value"], false)
	}
	w, _ := want["values"].([]any)
	g, _ := got["values"].([]any)
	for i := range min(len(w), len(g)) {
		if bad := comparePoint(w[i], g[i], false); bad != "" {
			return fmt.Sprintf("point %d: %s", i, bad)
		}
	}
	if len(w) != len(g) {
		return fmt.Sprintf("%d points, want %d", len(g), len(w))
	}
	return ""
}

// comparePoint compares [time, "value"]. The time of a scalar may be in seconds or in milliseconds.
func comparePoint(want, got any, scalar bool) string {
	w, _ := want.([]any)
	g, _ := got.([]any)
	if len(w) != 2 || len(g) != 2 {
		return fmt.Sprintf("got %s, want %s", key(got), key(want))
	}
	wantTime, gotTime := number(w[0]), number(g[0])
	times := []float64{wantTime}
	if scalar {
		times = append(times, wantTime/1000, wantTime*1000)
	}
	if !slices.ContainsFunc(times, func(t float64) bool { return math.Abs(t-gotTime) <= 0.0005001 }) {
		return fmt.Sprintf("time %v, want %v", gotTime, wantTime)
	}
	wantText, _ := w[1].(string)
	gotText, _ := g[1].(string)
	if !equalValues(wantText, gotText) {
		return fmt.Sprintf("value %q, want %q", gotText, wantText)
	}
	return ""
}

func equalValues(want, got string) bool {
	w, err1 := strconv.ParseFloat(want, 64)
	g, err2 := strconv.ParseFloat(got, 64)
	switch {
	case err1 != nil || err2 != nil:
		return want == got
	case math.IsNaN(w) || math.IsNaN(g):
		return math.IsNaN(w) && math.IsNaN(g)
	case math.IsInf(w, 0) || math.IsInf(g, 0):
		return w == g
	}
	return math.Abs(w-g) <= max(1e-15, 1e-9*max(math.Abs(w), math.Abs(g)))
}
