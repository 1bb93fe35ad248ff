package pipeline

import (
	"encoding/json"
	"fmt"
	"reflect"
	"text/template"
)

// addFormatFuncs adds decoding and default values, and puts bounds on those builtin functions that make text.
func (x *execution) addFormatFuncs(m template.FuncMap) {
	m["fromJson"] = x.fromJSON
	m["default"] = defaultValue
	m["printf"] = x.printf
	m["print"] = func(args ...any) (string, error) { return x.bounded(args, fmt.Sprint) }
	m["println"] = func(args ...any) (string, error) { return x.bounded(args, fmt.Sprintln) }
	m["html"] = func(args ...any) (string, error) { return x.bounded(args, template.HTMLEscaper) }
	m["js"] = func(args ...any) (string, error) { return x.bounded(args, template.JSEscaper) }
	m["urlquery"] = func(args ...any) (string, error) { return x.bounded(args, template.URLQueryEscaper) }
}

func (x *execution) bounded(args []any, f func(...any) string) (string, error) {
	if err := x.charge(4 * sizeOf(args)); err != nil {
		return "", err
	}
	return x.result(f(args...))
}

// printf is the builtin with a bound: a verb gives at most its width and precision, and the text of the largest argument.
func (x *execution) printf(format string, args ...any) (string, error) {
	size := sizeOf(args)
	bound := len(format)
	for i := 0; i < len(format); i++ {
		if format[i] != '%' {
			continue
		}
		bound += size + 64
		number := 0
		for i++; i < len(format); i++ {
			c := format[i]
			if isDigit(c) {
				number = min(number*10+int(c-'0'), maxFormatWidth)
				continue
			}
			bound += number
			number = 0
			if c == '*' {
				bound += starWidth(args)
			} else if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '%' {
				break
			}
		}
		if bound > 16*maxTemplateOutput {
			return "", errTemplateOutput
		}
	}
	if err := x.charge(bound); err != nil {
		return "", err
	}
	return x.result(fmt.Sprintf(format, args...))
}

// maxFormatWidth is the largest width or precision that package fmt accepts.
const maxFormatWidth = 1_000_000

func starWidth(args []any) int {
	width := 0
	for _, a := range args {
		if n, ok := a.(int); ok && n <= maxFormatWidth && n >= -maxFormatWidth {
			width = max(width, n, -n)
		}
	}
	return width
}

// sizeOf estimates the length of the arguments as text.
func sizeOf(args []any) int {
	size := 0
	for _, a := range args {
		size += sizeOfValue(reflect.ValueOf(a), 0)
	}
	return size
}

func sizeOfValue(v reflect.Value, depth int) int {
	if depth > 64 {
		return 16
	}
	size := 16
	switch v.Kind() {
	case reflect.String:
		return v.Len()
	case reflect.Interface, reflect.Pointer:
		return sizeOfValue(v.Elem(), depth+1)
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			size += sizeOfValue(v.Index(i), depth+1)
		}
	case reflect.Map:
		for it := v.MapRange(); it.Next(); {
			size += sizeOfValue(it.Key(), depth+1) + sizeOfValue(it.Value(), depth+1)
		}
	}
	return size
}

// fromJSON decodes a JSON text; text that is none gives nil.
func (x *execution) fromJSON(s string) (any, error) {
	if err := x.charge(16 * len(s)); err != nil {
		return nil, err
	}
	var v any
	if err := json.Unmarshal([]byte(s), &v); err != nil {
		return nil, nil
	}
	return v, nil
}

// defaultValue returns given, or d when that is absent or the zero value of its type.
func defaultValue(d any, given ...any) any {
	if len(given) == 0 || isEmpty(given[0]) {
		return d
	}
	return given[0]
}

func isEmpty(given any) bool {
	v := reflect.ValueOf(given)
	switch v.Kind() {
	case reflect.Invalid:
		return true
	case reflect.Struct:
		return false
	case reflect.Slice, reflect.Map, reflect.Array, reflect.String:
		return v.Len() == 0
	}
	return v.IsZero()
}
