package pipeline

import (
	"fmt"
	"strconv"
	"text/template"
	"time"
)

// addTimeFuncs adds the functions on times. The local zone is UTC.
func addTimeFuncs(m template.FuncMap) {
	m["now"] = func() time.Time { return time.Now().UTC() }
	m["date"] = formatDate
	m["toDate"] = func(layout, s string) time.Time {
		t, _ := time.ParseInLocation(layout, s, time.UTC)
		return t
	}
	m["toDateInZone"] = toDateInZone
	m["unixEpoch"] = func(t time.Time) string { return strconv.FormatInt(t.Unix(), 10) }
	m["unixEpochMillis"] = func(t time.Time) string { return strconv.FormatInt(t.UnixMilli(), 10) }
	m["unixEpochNanos"] = func(t time.Time) string { return strconv.FormatInt(t.UnixNano(), 10) }
	m["unixToTime"] = unixToTime
}

// formatDate formats a time, or seconds since the Unix epoch; anything else stands for now.
func formatDate(layout string, v any) string {
	t := time.Now()
	switch v := v.(type) {
	case time.Time:
		t = v
	case *time.Time:
		t = *v
	case int64:
		t = time.Unix(v, 0)
	case int:
		t = time.Unix(int64(v), 0)
	case int32:
		t = time.Unix(int64(v), 0)
	}
	return t.UTC().Format(layout)
}

// toDateInZone parses a time in a named zone; an unknown zone is UTC.
func toDateInZone(layout, zone, s string) time.Time {
	loc, err := time.LoadLocation(zone)
	if err != nil {
		loc = time.UTC
	}
	t, _ := time.ParseInLocation(layout, s, loc)
	return t
}

// unixToTime reads an epoch whose unit follows from its length: 5 digits are days, 10 seconds, 13 milliseconds, 16 microseconds,
// 19 nanoseconds.
func unixToTime(s string) (time.Time, error) {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return time.Time{}, fmt.Errorf("unable to parse time '%s': %w", s, err)
	}
	switch len(s) {
	case 5:
		return time.Unix(n*24*60*60, 0).UTC(), nil
	case 10:
		return time.Unix(n, 0).UTC(), nil
	case 13:
		return time.UnixMilli(n).UTC(), nil
	case 16:
		return time.UnixMicro(n).UTC(), nil
	case 19:
		return time.Unix(0, n).UTC(), nil
	}
	return time.Time{}, fmt.Errorf("unable to parse time '%s': its length is none of 5, 10, 13, 16 and 19", s)
}
