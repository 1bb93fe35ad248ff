package cli

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/common/model"
)

// timeLayouts are tried in order; without a zone they are UTC.
var timeLayouts = []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05.999999999", "2006-01-02T15:04", "2006-01-02 15:04", "2006-01-02"}

// ParseTime reads a time: RFC 3339 and shortened forms of it, seconds or nanoseconds since the epoch, "now", or "now-1h30m".
// It gives nanoseconds since the epoch.
func ParseTime(text string, now time.Time) (int64, error) {
	if rest, ok := strings.CutPrefix(text, "now"); ok {
		if rest == "" {
			return now.UnixNano(), nil
		}
		d, err := model.ParseDuration(strings.TrimSpace(rest[1:]))
		if err == nil && rest[0] == '-' {
			return now.Add(-time.Duration(d)).UnixNano(), nil
		}
		if err == nil && rest[0] == '+' {
			return now.Add(time.Duration(d)).UnixNano(), nil
		}
	}
	for _, layout := range timeLayouts {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UnixNano(), nil
		}
	}
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		if len(strings.TrimPrefix(text, "-")) <= 10 {
			return n * int64(time.Second), nil
		}
		return n, nil
	}
	if s, err := strconv.ParseFloat(text, 64); err == nil && math.Abs(s) < math.MaxInt64/1e9 {
		whole, fraction := math.Modf(s)
		return int64(whole)*int64(time.Second) + int64(math.Round(fraction*1e6))*int64(time.Microsecond), nil
	}
	return 0, fmt.Errorf("%q is not a time; write 2006-01-02T15:04:05Z, 2006-01-02, seconds since the epoch, now, or now-1h", text)
}

// Duration is a flag in the notation of Prometheus, such as 90s, 1h30m or 7d.
type Duration time.Duration

// String implements flag.Value.
func (d *Duration) String() string { return model.Duration(*d).String() }

// Set implements flag.Value.
func (d *Duration) Set(text string) error {
	parsed, err := model.ParseDuration(text)
	if err != nil {
		return fmt.Errorf("write 90s, 1h30m or 7d")
	}
	*d = Duration(parsed)
	return nil
}

// shownTime has a fixed width.
const shownTime = "2006-01-02T15:04:05.000000000Z07:00"

// Time shows nanoseconds since the epoch in a fixed width.
func Time(ns int64, zone *time.Location) string { return time.Unix(0, ns).In(zone).Format(shownTime) }

// ShortTime shows nanoseconds since the epoch to the millisecond, in UTC.
func ShortTime(ns int64) string { return time.Unix(0, ns).UTC().Format("2006-01-02T15:04:05.000Z") }
