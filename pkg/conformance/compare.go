package conformance

import (
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
	"reflect"
	"slices"
	"strings"
)

// Verdict is how an answer compares. An empty Wrong means that status and body are right; TextWrong tells apart a right refusal
// with another text.
type Verdict struct {
	Wrong     string
	TextWrong string
	Refused   bool // the reference refused the request
}

// Compare judges an answer.
func Compare(want Answer, got Got) Verdict {
	v := Verdict{Refused: want.Status >= 400}
	if got.Status != want.Status && !slices.Contains(want.StatusAlso, got.Status) {
		v.Wrong = fmt.Sprintf("status %d, want %d", got.Status, want.Status)
		return v
	}
	switch {
	case want.Status >= 400:
		text, _ := want.Body.(string)
		if !want.TextVolatile && got.Status == want.Status && strings.TrimSpace(text) != strings.TrimSpace(string(got.Body)) {
			v.TextWrong = "text"
		}
	case want.Status == http.StatusOK:
		v.Wrong = compareOK(want, got)
	}
	return v
}

func compareOK(want Answer, got Got) string {
	wantType, _, _ := mime.ParseMediaType(want.ContentType)
	gotType, _, err := mime.ParseMediaType(got.ContentType)
	if err != nil || wantType != gotType {
		return fmt.Sprintf("content type %q, want %q", got.ContentType, want.ContentType)
	}
	if text, ok := want.Body.(string); ok {
		if text != string(got.Body) {
			return "text"
		}
		return ""
	}
	var body any
	if err := decode(got.Body, &body); err != nil {
		return "no JSON: " + err.Error()
	}
	return compareBody(want, dropStats(body))
}

// dropStats removes "stats" from the body and from its data.
func dropStats(body any) any {
	m, ok := body.(map[string]any)
	if !ok {
		return body
	}
	delete(m, "stats")
	if data, ok := m["data"].(map[string]any); ok {
		delete(data, "stats")
	}
	return m
}

func compareBody(want Answer, got any) string {
	switch want.Compare {
	case "shape":
		return differs(want.Body, shape(got), "shape")
	case "volume":
		return differs(volumeLabels(want.Body), volumeLabels(reduceVolume(got)), "volume")
	case "fields":
		return compareFields(want.Body, got)
	case "set":
		return differs(sortValues(want.Body), sortValues(got), "values")
	}
	if kind := resultType(want.Body); kind != "" {
		return compareResult(kind, want, got)
	}
	return differs(sortLists(want.Body), sortLists(got), "body")
}

func differs(want, got any, what string) string {
	if reflect.DeepEqual(normal(want), normal(got)) {
		return ""
	}
	return what
}

// normal makes numbers comparable whatever their spelling.
func normal(v any) any {
	switch v := v.(type) {
	case json.Number:
		f, err := v.Float64()
		if err != nil {
			return v.String()
		}
		return f
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, e := range v {
			out[k] = normal(e)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = normal(e)
		}
		return out
	}
	return v
}

// shape replaces values by their types, and lists by their first element.
func shape(v any) any {
	switch v := v.(type) {
	case json.Number:
		return "number"
	case string:
		return "string"
	case bool:
		return "bool"
	case map[string]any:
		out := map[string]any{}
		for k, e := range v {
			out[k] = shape(e)
		}
		return out
	case []any:
		if len(v) == 0 {
			return []any{}
		}
		return []any{shape(v[0])}
	}
	return v
}

// key is a text that orders values.
func key(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

func sortedByKey(list []any) []any {
	out := slices.Clone(list)
	slices.SortStableFunc(out, func(a, b any) int { return strings.Compare(key(a), key(b)) })
	return out
}

// sortLists sorts what has no order in answers without a result type.
func sortLists(body any) any {
	m, ok := body.(map[string]any)
	if !ok {
		return body
	}
	out := map[string]any{}
	for k, v := range m {
		out[k] = v
		list, ok := v.([]any)
		if !ok {
			continue
		}
		switch k {
		case "streams", "detectedLabels", "fields":
			out[k] = sortedByKey(list)
		case "data":
			if len(list) > 0 {
				if _, isObject := list[0].(map[string]any); isObject {
					out[k] = sortedByKey(list)
				}
			}
		}
	}
	return out
}

func sortValues(body any) any {
	m, ok := body.(map[string]any)
	if !ok {
		return body
	}
	out := map[string]any{}
	for k, v := range m {
		if list, ok := v.([]any); ok {
			v = sortedByKey(list)
		}
		out[k] = v
	}
	return out
}

func resultType(body any) string {
	if m, ok := body.(map[string]any); ok {
		if data, ok := m["data"].(map[string]any); ok {
			kind, _ := data["resultType"].(string)
			return kind
		}
	}
	return ""
}

// reduceVolume keeps the metric objects of a volume answer.
func reduceVolume(body any) any {
	m, ok := body.(map[string]any)
	if !ok {
		return body
	}
	data, ok := m["data"].(map[string]any)
	if !ok {
		return body
	}
	list, _ := data["result"].([]any)
	metrics := []any{}
	for _, element := range list {
		if e, ok := element.(map[string]any); ok {
			metrics = append(metrics, e["metric"])
		}
	}
	data["result"] = metrics
	return body
}

// volumeLabels gives what counts of a reduced volume answer: the label sets.
func volumeLabels(body any) any {
	m, ok := body.(map[string]any)
	if !ok {
		return body
	}
	data, ok := m["data"].(map[string]any)
	if !ok {
		return body
	}
	list, _ := data["result"].([]any)
	return []any{m["status"], sortedByKey(list)}
}

// compareFields compares detected fields: everything exactly but cardinality, which may differ by a tenth, at least by one.
func compareFields(want, got any) string {
	wantFields, wantRest := splitFields(want)
	gotFields, gotRest := splitFields(got)
	if d := differs(wantRest, gotRest, "body"); d != "" {
		return d
	}
	for name, w := range wantFields {
		g, ok := gotFields[name]
		if !ok {
			return "field " + name + " is missing"
		}
		wantN, gotN := number(w["cardinality"]), number(g["cardinality"])
		if tolerance := max(1, wantN/10); gotN < wantN-tolerance || gotN > wantN+tolerance {
			return fmt.Sprintf("cardinality of %s is %v, want %v", name, gotN, wantN)
		}
		for _, k := range []string{"type", "parsers", "jsonPath"} {
			if d := differs(sortAny(w[k]), sortAny(g[k]), fmt.Sprintf("%s of %s is %s, want %s", k, name, key(g[k]), key(w[k]))); d != "" {
				return d
			}
		}
	}
	for name := range gotFields {
		if _, ok := wantFields[name]; !ok {
			return "field " + name + " is too many"
		}
	}
	return ""
}

func sortAny(v any) any {
	if list, ok := v.([]any); ok {
		return sortedByKey(list)
	}
	return v
}

func splitFields(body any) (fields map[string]map[string]any, rest map[string]any) {
	fields, rest = map[string]map[string]any{}, map[string]any{}
	m, _ := body.(map[string]any)
	for k, v := range m {
		list, ok := v.([]any)
		if k != "fields" || !ok {
			rest[k] = v
			continue
		}
		for _, f := range list {
			if f, ok := f.(map[string]any); ok {
				fields[fmt.Sprint(f["label"])] = f
			}
		}
	}
	return fields, rest
}

func number(v any) float64 {
	if n, ok := v.(json.Number); ok {
		f, _ := n.Float64()
		return f
	}
	return 0
}
