package httpapi

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/common/model"

	"github.com/cambium-logs/cambium/pkg/query"
)

// form reads the parameters of a request: the query string and, for POST, the form body, of which the values come first.
func (c *call) form() error {
	if c.r.Form != nil {
		return nil
	}
	if c.r.Body != nil {
		c.r.Body = http.MaxBytesReader(c.w, c.r.Body, c.api.options.MaxForm)
	}
	if err := c.r.ParseForm(); err != nil {
		return asFormError(err)
	}
	return nil
}

func asFormError(err error) error {
	if e := asError(err); e.Status == http.StatusRequestEntityTooLarge {
		return e
	}
	return badRequest("%s", err)
}

// value is a parameter, or "".
func (c *call) value(name string) string { return c.r.Form.Get(name) }

// parseTime reads a time parameter, in nanoseconds; empty gives fallback.
func parseTime(text string, fallback int64) (int64, error) {
	if text == "" {
		return fallback, nil
	}
	if strings.Contains(text, ".") {
		if t, err := strconv.ParseFloat(text, 64); err == nil {
			seconds, fraction := math.Modf(t)
			if math.Abs(seconds) > math.MaxInt64/1e9-1 || math.IsNaN(t) {
				return 0, fmt.Errorf("time %q is out of range", text)
			}
			return int64(seconds)*int64(time.Second) + int64(math.Round(fraction*1000))*int64(time.Millisecond), nil
		}
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		if t, bad := time.Parse(time.RFC3339Nano, text); bad == nil {
			return t.UnixNano(), nil
		}
		return 0, err
	}
	if len(text) <= 10 {
		return n * int64(time.Second), nil
	}
	return n, nil
}

// parseRange reads start, end and since. It does not compare them.
func (c *call) parseRange() (start, end int64, err error) {
	now := c.now.UnixNano()
	since := int64(time.Hour)
	if text := c.value("since"); text != "" {
		d, err := model.ParseDuration(text)
		if err != nil {
			return 0, 0, badRequest("could not parse 'since' parameter: %s", err)
		}
		since = int64(d)
	}
	if end, err = parseTime(c.value("end"), now); err != nil {
		return 0, 0, badRequest("could not parse 'end' parameter: %s", err)
	}
	if start, err = parseTime(c.value("start"), min(end, now)-since); err != nil {
		return 0, 0, badRequest("could not parse 'start' parameter: %s", err)
	}
	return start, end, nil
}

var errStartAfterEnd = badRequest("end timestamp must not be before or equal to start time")

// parseOrderedRange is parseRange for routes that refuse a start behind the end.
func (c *call) parseOrderedRange() (start, end int64, err error) {
	if start, end, err = c.parseRange(); err == nil && start > end {
		err = errStartAfterEnd
	}
	return start, end, err
}

// parsePositive reads a count that must be more than zero.
func (c *call) parsePositive(name string, fallback int) (int, error) {
	n, err := c.parseInt(name, fallback)
	if err == nil && n <= 0 {
		err = badRequest("limit must be a positive value")
	}
	return n, err
}

func (c *call) parseInt(name string, fallback int) (int, error) {
	text := c.value(name)
	if text == "" {
		return fallback, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		return 0, badRequest("%s", err)
	}
	return n, nil
}

// parseSpan reads seconds as a number, or a Prometheus duration.
func parseSpan(text string) (int64, error) {
	if seconds, err := strconv.ParseFloat(text, 64); err == nil {
		ns := seconds * float64(time.Second)
		if ns > math.MaxInt64 || ns < math.MinInt64 {
			return 0, badRequest("cannot parse %q to a valid duration. It overflows int64", text)
		}
		if math.IsNaN(ns) {
			return 0, badRequest("cannot parse %q to a valid duration", text)
		}
		return int64(ns), nil
	}
	if d, err := model.ParseDuration(text); err == nil {
		return int64(d), nil
	}
	return 0, badRequest("cannot parse %q to a valid duration", text)
}

// defaultStep is the step for a range where none is asked for, in nanoseconds.
func defaultStep(start, end int64) int64 {
	seconds := math.Floor(float64(query.Span(start, end)) / 250 / float64(time.Second))
	return int64(max(seconds, 1)) * int64(time.Second)
}

// parseStep reads step and checks how many points it gives.
func (c *call) parseStep(start, end int64) (int64, error) {
	step := defaultStep(start, end)
	if text := c.value("step"); text != "" {
		var err error
		if step, err = parseSpan(text); err != nil {
			return 0, err
		}
	}
	if step <= 0 {
		return 0, badRequest("zero or negative query resolution step widths are not accepted. Try a positive integer")
	}
	if query.Span(start, end)/step > query.MaxPoints {
		return 0, badRequest("exceeded maximum resolution of 11,000 points per time series. Try increasing the value of the step parameter")
	}
	return step, nil
}

// parseInterval reads interval, the least distance of the entries of a log query.
func (c *call) parseInterval() (int64, error) {
	text := c.value("interval")
	if text == "" {
		return 0, nil
	}
	interval, err := parseSpan(text)
	if err == nil && interval < 0 {
		err = badRequest("interval must be >= 0")
	}
	return interval, err
}

// checkShards refuses shards that a sender of internal requests would not write. Their value has no effect.
func (c *call) checkShards() error {
	for _, text := range c.r.Form["shards"] {
		if text == "" || isShardLabel(text) {
			continue
		}
		var shard struct{}
		if err := json.Unmarshal([]byte(text), &shard); err != nil {
			return &Error{Status: http.StatusInternalServerError,
				Message: fmt.Sprintf("failed to parse shard: 2 errors: Invalid ShardLabel value: [%s]; %s", text, err)}
		}
	}
	return nil
}

// isShardLabel reports whether text is of the form 0_of_16.
func isShardLabel(text string) bool {
	shard, of, ok := strings.Cut(text, "_of_")
	if !ok {
		return false
	}
	_, err1 := strconv.ParseUint(shard, 10, 32)
	_, err2 := strconv.ParseUint(of, 10, 32)
	return err1 == nil && err2 == nil
}

// queryTags reads the header X-Query-Tags: k=v pairs, separated by commas.
func (c *call) queryTags() map[string]string {
	header := c.r.Header.Get("X-Query-Tags")
	if header == "" {
		return nil
	}
	tags := map[string]string{}
	for pair := range strings.SplitSeq(strings.Map(tagRune, header), ",") {
		if k, v, ok := strings.Cut(pair, "="); ok {
			tags[strings.TrimSpace(k)] = strings.TrimSpace(v)
		}
	}
	return tags
}

func tagRune(r rune) rune {
	switch {
	case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', strings.ContainsRune("-=.@, ", r):
		return r
	}
	return '_'
}
