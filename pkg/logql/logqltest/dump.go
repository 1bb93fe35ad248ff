package logqltest

import (
	"fmt"
	"math"
	"reflect"
	"strings"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/cambium-logs/cambium/pkg/logql"
)

// Equal tells whether two trees are the same. All NaNs are equal, and so are a nil list and an empty one.
func Equal(a, b logql.Expr) bool { return Dump(a) == Dump(b) }

// Dump writes every node and field of a tree, for failure messages and comparison.
func Dump(e logql.Expr) string {
	var b strings.Builder
	dump(&b, reflect.ValueOf(e), 0)
	return b.String()
}

func dump(b *strings.Builder, v reflect.Value, level int) {
	if !v.IsValid() {
		b.WriteString("nil")
		return
	}
	if m, ok := v.Interface().(*labels.Matcher); ok && m != nil {
		fmt.Fprintf(b, "%s %s %q", m.Name, m.Type, m.Value)
		return
	}
	switch v.Kind() {
	case reflect.Interface, reflect.Pointer:
		if v.IsNil() {
			b.WriteString("nil")
			return
		}
		dump(b, v.Elem(), level)
	case reflect.Struct:
		b.WriteString(v.Type().Name())
		for i := range v.NumField() {
			b.WriteString("\n" + strings.Repeat("  ", level+1) + v.Type().Field(i).Name + ": ")
			dump(b, v.Field(i), level+1)
		}
	case reflect.Slice:
		for i := range v.Len() {
			b.WriteString("\n" + strings.Repeat("  ", level+1) + "- ")
			dump(b, v.Index(i), level+1)
		}
	case reflect.Float64:
		if math.IsNaN(v.Float()) {
			b.WriteString("NaN")
			return
		}
		fmt.Fprintf(b, "%x", v.Float())
	case reflect.String:
		fmt.Fprintf(b, "%q", v.String())
	default:
		fmt.Fprintf(b, "%v", v.Interface())
	}
}
