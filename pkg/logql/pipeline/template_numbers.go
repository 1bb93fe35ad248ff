package pipeline

import (
	"errors"
	"math"
	"reflect"
	"strconv"
	"text/template"
	"time"
)

var errDivideByZero = errors.New("runtime error: integer divide by zero")

// addNumberFuncs adds arithmetic. Arguments are numbers or texts of numbers; other texts are 0.
func addNumberFuncs(m template.FuncMap) {
	m["int"] = func(v any) int { return int(toInt64(v)) }
	m["float64"] = toFloat64
	m["bytes"] = func(s string) (float64, error) {
		n, err := parseBytes(s)
		return float64(n), err
	}
	m["duration"] = parseDuration
	m["duration_seconds"] = parseDuration
	m["add"] = func(vs ...any) int64 {
		var sum int64
		for _, v := range vs {
			sum += toInt64(v)
		}
		return sum
	}
	m["sub"] = func(a, b any) int64 { return toInt64(a) - toInt64(b) }
	m["mul"] = func(a any, vs ...any) int64 {
		product := toInt64(a)
		for _, v := range vs {
			product *= toInt64(v)
		}
		return product
	}
	m["div"] = func(a, b any) (int64, error) {
		d := toInt64(b)
		if d == 0 {
			return 0, errDivideByZero
		}
		return toInt64(a) / d, nil
	}
	m["mod"] = func(a, b any) (int64, error) {
		d := toInt64(b)
		if d == 0 {
			return 0, errDivideByZero
		}
		return toInt64(a) % d, nil
	}
	m["max"] = func(a any, vs ...any) int64 {
		n := toInt64(a)
		for _, v := range vs {
			n = max(n, toInt64(v))
		}
		return n
	}
	m["min"] = func(a any, vs ...any) int64 {
		n := toInt64(a)
		for _, v := range vs {
			n = min(n, toInt64(v))
		}
		return n
	}
	m["maxf"] = func(a any, vs ...any) float64 {
		n := toFloat64(a)
		for _, v := range vs {
			n = math.Max(n, toFloat64(v))
		}
		return n
	}
	m["minf"] = func(a any, vs ...any) float64 {
		n := toFloat64(a)
		for _, v := range vs {
			n = math.Min(n, toFloat64(v))
		}
		return n
	}
	m["addf"] = addDecimals
	m["subf"] = subDecimals
	m["mulf"] = mulDecimals
	m["divf"] = divDecimals
	m["ceil"] = func(v any) float64 { return math.Ceil(toFloat64(v)) }
	m["floor"] = func(v any) float64 { return math.Floor(toFloat64(v)) }
	m["round"] = round
}

func parseDuration(s string) (float64, error) {
	d, err := time.ParseDuration(s)
	return d.Seconds(), err
}

// round rounds to a number of decimal places. A fraction of roundOn or more, by default 0.5, goes up.
func round(v any, places int, roundOn ...float64) float64 {
	on := 0.5
	if len(roundOn) > 0 {
		on = roundOn[0]
	}
	pow := math.Pow(10, float64(places))
	digit := pow * toFloat64(v)
	if _, fraction := math.Modf(digit); fraction >= on {
		return math.Ceil(digit) / pow
	}
	return math.Floor(digit) / pow
}

func toInt64(v any) int64 {
	rv := reflect.Indirect(reflect.ValueOf(v))
	switch {
	case !rv.IsValid():
		return 0
	case rv.CanInt():
		return rv.Int()
	case rv.CanUint():
		return int64(min(rv.Uint(), math.MaxInt64))
	case rv.CanFloat():
		return truncate(rv.Float())
	case rv.Kind() == reflect.Bool && rv.Bool():
		return 1
	case rv.Kind() == reflect.String:
		if n, err := strconv.ParseInt(rv.String(), 10, 64); err == nil {
			return n
		}
		f, _ := strconv.ParseFloat(rv.String(), 64)
		return truncate(f)
	}
	return 0
}

// truncate is the conversion to an integer, with the same outcome on every machine.
func truncate(f float64) int64 {
	switch {
	case f != f:
		return 0
	case f >= math.MaxInt64:
		return math.MaxInt64
	case f <= math.MinInt64:
		return math.MinInt64
	}
	return int64(f)
}

func toFloat64(v any) float64 {
	rv := reflect.Indirect(reflect.ValueOf(v))
	switch {
	case !rv.IsValid():
		return 0
	case rv.CanInt():
		return float64(rv.Int())
	case rv.CanUint():
		return float64(rv.Uint())
	case rv.CanFloat():
		return rv.Float()
	case rv.Kind() == reflect.Bool && rv.Bool():
		return 1
	case rv.Kind() == reflect.String:
		f, err := strconv.ParseFloat(rv.String(), 64)
		if err != nil {
			return 0
		}
		return f
	}
	return 0
}
