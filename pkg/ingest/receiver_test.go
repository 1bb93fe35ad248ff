package ingest

import (
	"context"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/stretchr/testify/require"

	"github.com/cambium-logs/cambium/pkg/storage/chunk"
	"github.com/cambium-logs/cambium/pkg/tenant"
)

// memorySink keeps copies of what it is given.
type memorySink struct {
	streams map[string][]chunk.Entry
	err     error
}

func (s *memorySink) Append(_ context.Context, _ string, streams []Stream) error {
	if s.err != nil {
		return s.err
	}
	for _, stream := range streams {
		text := stream.Labels.String()
		for _, e := range stream.Entries {
			e.Line = []byte(string(e.Line))
			var metadata []labels.Label
			for _, l := range e.Metadata {
				metadata = append(metadata, labels.Label{Name: strings.Clone(l.Name), Value: strings.Clone(l.Value)})
			}
			e.Metadata = metadata
			s.streams[text] = append(s.streams[text], e)
		}
	}
	return nil
}

func (s *memorySink) ActiveStreams(string) int { return len(s.streams) }

func (s *memorySink) HasStream(_ string, stream labels.Labels) bool {
	_, ok := s.streams[stream.String()]
	return ok
}

var now = time.Date(2026, 11, 20, 23, 41, 24, 0, time.UTC)

type harness struct {
	t        *testing.T
	sink     *memorySink
	receiver *Receiver
	limits   *tenant.Limits
	clock    time.Time
}

func newHarness(t *testing.T, change func(*tenant.Limits)) *harness {
	limits := tenant.DefaultLimits()
	if change != nil {
		change(&limits)
	}
	h := &harness{t: t, sink: &memorySink{streams: map[string][]chunk.Entry{}}, limits: &limits, clock: now}
	h.receiver = NewReceiver(h.sink, Options{Limits: func(string) *tenant.Limits { return h.limits }, Now: func() time.Time { return h.clock }})
	return h
}

// push sends JSON; "@5" stands for a timestamp of now + 5 s.
func (h *harness) push(body string) error {
	h.t.Helper()
	for s := -700000; strings.Contains(body, "@"); {
		at := strings.Index(body, "@")
		end := at + 1
		for end < len(body) && (body[end] == '-' || body[end] >= '0' && body[end] <= '9') {
			end++
		}
		_, err := fmt.Sscan(body[at+1:end], &s)
		require.NoError(h.t, err)
		body = body[:at] + fmt.Sprint(now.Add(time.Duration(s)*time.Second).UnixNano()) + body[end:]
	}
	b := NewBatch(Bounds{})
	defer b.Release()
	require.NoError(h.t, DecodeJSON([]byte(body), b))
	return h.receiver.Receive(h.t.Context(), "t1", b)
}

func (h *harness) refused(err error, status int, message string) {
	h.t.Helper()
	var refusal *Error
	require.ErrorAs(h.t, err, &refusal)
	require.Equal(h.t, message, refusal.Message)
	require.Equal(h.t, status, refusal.Status)
}

func (h *harness) lines(stream string) []string {
	var out []string
	for _, e := range h.sink.streams[stream] {
		out = append(out, string(e.Line))
	}
	return out
}

func stream(labels string, values ...string) string {
	return `{"streams":[{"stream":` + labels + `,"values":[` + strings.Join(values, ",") + `]}]}`
}

func TestReceiveNormalises(t *testing.T) {
	h := newHarness(t, nil)
	require.NoError(t, h.push(stream(`{"env":"prod","app":"web","gone":""}`,
		`["@0","plain"]`, `["@1","level=warn x",{"a-b":"1","1c":"2","a..b":"3","empty":"","__x__":"4","__y":"5"}]`)))
	entries := h.sink.streams[`{app="web", env="prod", service_name="web"}`]
	require.Len(t, entries, 2)
	require.Equal(t, `detected_level="unknown"`, showPairs(entries[0].Metadata))
	require.Equal(t, `__x__="4",_y="5",a_b="3",detected_level="warn",key_1c="2"`, showPairs(entries[1].Metadata))

	require.NoError(t, h.push(stream(`{}`, `["@0","x"]`)))
	require.Contains(t, h.sink.streams, `{service_name="unknown_service"}`)
	require.NoError(t, h.push(stream(`{"service_name":"mine","app":"x"}`, `["@0","x"]`)))
	require.Contains(t, h.sink.streams, `{app="x", service_name="mine"}`)
	h.refused(h.push(`{"streams":[]}`), 422, "error at least one valid stream is required for ingestion")
	require.NoError(t, h.push(`{"streams":[{}]}`))
}

func TestReceiveMixed(t *testing.T) {
	h := newHarness(t, nil)
	long := strings.Repeat("x", 262145)
	err := h.push(`{"streams":[
		{"stream":{"app":"m1"},"values":[["@0","fine"],["@660","new"],["@720","newer"],["@-608400","old"]]},
		{"stream":{"app":"m2"},"values":[["@0","` + long + `"],["@0","fine too"]]}]}`)
	h.refused(err, 400, `1 errors like: entry for stream '{app="m1", service_name="m1"}' has timestamp too new: 2026-11-20T23:52:24Z; `+
		`1 errors like: entry for stream '{app="m1", service_name="m1"}' has timestamp too new: 2026-11-20T23:53:24Z; `+
		`1 errors like: entry for stream '{app="m1", service_name="m1"}' has timestamp too old: 2026-11-13T22:41:24Z, oldest acceptable timestamp is: 2026-11-13T23:41:24Z; `+
		`1 errors like: max entry size '262144' bytes exceeded for stream '{app="m2", service_name="m2"}' while adding an entry with length '262145' bytes`)
	require.Equal(t, []string{"fine"}, h.lines(`{app="m1", service_name="m1"}`))
	require.Equal(t, []string{"fine too"}, h.lines(`{app="m2", service_name="m2"}`))
	err = h.push(stream(`{"app":"a"}`, `["@-700000","x"]`, `["@-700000","y"]`, `["@-700000","z"]`))
	h.refused(err, 400, `3 errors like: entry for stream '{app="a", service_name="a"}' has timestamp too old: 2026-11-12T21:14:44Z, oldest acceptable timestamp is: 2026-11-13T23:41:24Z`)
}

func TestReceiveRefuses(t *testing.T) {
	many := func(n int) string {
		var pairs []string
		for i := range n {
			pairs = append(pairs, fmt.Sprintf(`"a%d":"a"`, i))
		}
		return "{" + strings.Join(pairs, ",") + "}"
	}
	ok := `["@0","x"]`
	for name, tc := range map[string]struct {
		change  func(*tenant.Limits)
		body    string
		status  int
		message string
	}{
		"15 labels": {nil, stream(many(15), ok), 0, ""},
		"16 labels": {nil, stream(many(16), ok), 400,
			`entry for stream '{a0="a", a1="a", a10="a", a11="a", a12="a", a13="a", a14="a", a15="a", a2="a", a3="a", a4="a", a5="a", a6="a", a7="a", a8="a", a9="a", service_name="unknown_service"}' has 16 label names; limit 15`},
		"no labels":  {func(l *tenant.Limits) { l.DiscoverServiceName = nil }, stream(`{"app":""}`, ok), 400, "error at least one label pair is required per stream"},
		"label name": {nil, stream(`{"a-b":"x"}`, ok), 400, `couldn't parse labels: 1:3: parse error: unexpected character inside braces: '-'`},
		"long name":  {func(l *tenant.Limits) { l.MaxLabelNameLength = 4 }, stream(`{"abcde":"x","app":"y","service_name":"z"}`, ok), 400, `stream '{abcde="x", app="y", service_name="z"}' has label name too long: 'abcde'`},
		"long value": {func(l *tenant.Limits) { l.MaxLabelValueLength = 2 }, stream(`{"app":"abc"}`, ok), 400, `stream '{app="abc", service_name="abc"}' has label value too long: 'abc'`},
		"no metadata": {func(l *tenant.Limits) { l.AllowStructuredMetadata = false }, stream(`{"app":"a"}`, `["@0","x",{"k":"v"}]`), 400,
			"stream '{app=\"a\", service_name=\"a\"}' includes structured metadata, but this feature is disallowed. Please see `limits_config.allow_structured_metadata` or contact your Loki administrator to enable it"},
		"much metadata": {func(l *tenant.Limits) { l.MaxStructuredMetadataSize = 3 }, stream(`{"app":"a"}`, `["@0","x",{"k":"vvv"}]`), 400,
			"stream '{app=\"a\", service_name=\"a\"}' has structured metadata too large: '4' bytes, limit: '3' bytes. Please see `limits_config.max_structured_metadata_size` or contact your Loki administrator to increase it"},
		"many metadata": {func(l *tenant.Limits) { l.MaxStructuredMetadataEntriesCount = 1 }, stream(`{"app":"a"}`, `["@0","x",{"k":"v","l":"v"}]`), 400,
			"stream '{app=\"a\", service_name=\"a\"}' has too many structured metadata labels: '2', limit: '1'. Please see `limits_config.max_structured_metadata_entries_count` or contact your Loki administrator to increase it"},
		"bad metadata name": {nil, stream(`{"app":"a"}`, `["@0","x",{"é":"v"}]`), 500, `normalization for label name "é" resulted in invalid name "_"`},
		"no metadata name":  {nil, stream(`{"app":"a"}`, `["@0","x",{"":"v"}]`), 500, `label name is empty`},
		"enforced":          {func(l *tenant.Limits) { l.EnforcedLabels = []string{"env"} }, stream(`{"app":"x"}`, ok), 400, `missing required labels 'env' for user 't1' for stream '{app="x", service_name="x"}' (policy: '')`},
		"blocked": {func(l *tenant.Limits) { l.BlockIngestionUntil = tenant.Time(now.Add(time.Hour)) }, stream(`{"app":"x"}`, ok), 260,
			`ingestion blocked for user 't1' until '2026-11-21T00:41:24Z' with status code '260'`},
		"rate": {func(l *tenant.Limits) { l.IngestionBurstSizeMB = 1.0 / (1 << 20) }, stream(`{"app":"x"}`, `["@0","xy"]`, `["@0","z"]`), 429,
			"ingestion rate limit exceeded for user t1 (limit: 4194304 bytes/sec) while attempting to ingest '2' lines totaling '3' bytes, reduce log volume or contact your Loki administrator to see if the limit can be increased"},
		"streams": {func(l *tenant.Limits) { l.MaxGlobalStreamsPerUser = 1 }, `{"streams":[{"stream":{"app":"x"},"values":[["@0","x"]]},{"stream":{"app":"y"},"values":[["@0","x"]]}]}`, 429,
			`maximum active stream limit exceeded when trying to create stream {app="y", service_name="y"}, reduce the number of active streams (reduce labels or reduce label values), or contact your Loki administrator to see if the limit can be increased, user: 't1'`},
		"stream rate": {func(l *tenant.Limits) { l.PerStreamRateLimit, l.PerStreamRateLimitBurst = 1, 1 }, stream(`{"app":"x"}`, `["@0","xy"]`), 429,
			"entry with timestamp 2026-11-20 23:41:24 +0000 UTC ignored, reason: 'Per stream rate limit exceeded (limit: 1B/sec) while attempting to ingest for stream '{app=\"x\", service_name=\"x\"}' totaling 2B, consider splitting a stream via additional labels or contact your Loki administrator to see if the limit can be increased',\n" +
				"user 't1', total ignored: 1 out of 1 for stream: {app=\"x\", service_name=\"x\"}"},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHarness(t, tc.change)
			err := h.push(tc.body)
			if tc.status == 0 {
				require.NoError(t, err)
				return
			}
			h.refused(err, tc.status, tc.message)
			if name == "streams" {
				require.Len(t, h.sink.streams, 1)
			} else {
				require.Empty(t, h.sink.streams)
			}
		})
	}
}

func TestReceiveDuplicateLabel(t *testing.T) {
	h := newHarness(t, nil)
	b := NewBatch(Bounds{})
	require.Nil(t, b.beginStream())
	require.Nil(t, b.addEntry(chunk.Entry{Timestamp: now.UnixNano()}))
	b.endStream(`{app="x", app="y"}`)
	h.refused(h.receiver.Receive(t.Context(), "t1", b), 400, `stream '{app="x", app="y", service_name="x"}' has duplicate label name: 'app'`)
}

func TestReceiveTruncates(t *testing.T) {
	h := newHarness(t, func(l *tenant.Limits) {
		l.MaxLineSize, l.MaxLineSizeTruncate, l.MaxLineSizeTruncateIdentifier = 8, true, "…"
	})
	require.NoError(t, h.push(stream(`{"app":"x"}`, `["@0","123456789"]`, `["@1","12345678"]`)))
	require.Equal(t, []string{"12345…", "12345678"}, h.lines(`{app="x", service_name="x"}`))
	h.limits.MaxLineSizeTruncateIdentifier = "longer than the limit"
	require.Error(t, h.push(stream(`{"app":"x"}`, `["@0","123456789"]`)))
}

func TestReceiveIncrementsDuplicateTimestamps(t *testing.T) {
	h := newHarness(t, func(l *tenant.Limits) { l.IncrementDuplicateTimestamp = true })
	require.NoError(t, h.push(stream(`{"app":"x"}`, `["@0","a"]`, `["@0","b"]`, `["@0","b"]`)))
	var offsets []int64
	for _, e := range h.sink.streams[`{app="x", service_name="x"}`] {
		offsets = append(offsets, e.Timestamp-now.UnixNano())
	}
	require.Equal(t, []int64{0, 1, 0}, offsets)
	h = newHarness(t, func(l *tenant.Limits) { l.IncrementDuplicateTimestamp = true })
	require.NoError(t, h.push(stream(`{"app":"x"}`, `["@0","a"]`, `["@0","b"]`, `["@0","c"]`, `["@1","d"]`, `["@1","e"]`)))
	offsets = nil
	for _, e := range h.sink.streams[`{app="x", service_name="x"}`] {
		offsets = append(offsets, e.Timestamp-now.UnixNano())
	}
	require.Equal(t, []int64{0, 1, 2, 1e9, 1e9 + 1}, offsets, "three at one time stay in order")
}

func TestReceiveRateRefills(t *testing.T) {
	h := newHarness(t, func(l *tenant.Limits) { l.IngestionRateMB, l.IngestionBurstSizeMB = 1, 1 })
	body := stream(`{"app":"x"}`, `["@0","`+strings.Repeat("x", 200<<10)+`"]`)
	for range 5 {
		require.NoError(t, h.push(body))
	}
	var refusal *Error
	require.ErrorAs(t, h.push(body), &refusal)
	require.Equal(t, 429, refusal.Status)
	require.Positive(t, refusal.RetryAfter)
	h.clock = h.clock.Add(refusal.RetryAfter)
	require.NoError(t, h.push(body), "after RetryAfter the same request passes")
}

func TestReceiveFollowsChangedLimits(t *testing.T) {
	h := newHarness(t, nil)
	require.NoError(t, h.push(stream(`{"app":"x"}`, `["@0","a"]`)))
	changed := *h.limits
	changed.DiscoverServiceName = nil
	h.limits = &changed
	require.NoError(t, h.push(stream(`{"app":"x"}`, `["@0","a"]`)))
	require.Contains(t, h.sink.streams, `{app="x"}`)
}

// TestLevels holds detection against the counts that the reference server gave for the same lines.
func TestLevels(t *testing.T) {
	h := newHarness(t, nil)
	for line, want := range map[string]string{
		`{"level":"info"}`: "info", `{"level":"WARN"}`: "warn", `{"level":"Err"}`: "error", `{"level":"dbg"}`: "debug", `{"level":"E"}`: "unknown",
		`{"level":"custom"}`: "unknown", `{"level":30}`: "unknown", `{"level":null}`: "unknown", `{"log.level":"error"}`: "error",
		`{"a":{"level":"wrn"}}`: "warn", `{"a":{"b":{"level":"wrn"}}}`: "unknown", `{"msg":"an error occurred"}`: "error",
		`{"level":"info","msg":"an error occurred"}`: "info", `{"severity":"warn","level":"info"}`: "warn", `{"level":"info"`: "info",
		`{"a":["level","wrn"],"level":"inf"}`: "info", `{"a":"level","level":"inf"}`: "info", `{"a":"\"level\":","level":"inf"}`: "info",
		`level=WARN`: "warn", `level="error"`: "error", `lvl=dbug`: "unknown", `msg="all fine" level=error`: "error",
		`msg="error in text" other=1`: "error", `LEVEL=ERROR`: "error", `level=`: "unknown", `err=nil`: "error", `msg="level=wrn" x=1`: "unknown",
		`an error happened`: "error", `ERROR: boom`: "error", `[WARN] disk`: "warn", `WARNING disk`: "warn", `Warning: disk`: "warn",
		`panic: x`: "unknown", `errors everywhere`: "unknown", `terror`: "unknown", `no warnings`: "unknown", `level:error`: "unknown",
		`x error y warn z info`: "error", `x info y error`: "info", ``: "unknown", `{"message":"level=error"}`: "error", `{"severity_number":17}`: "unknown",
		`CRITICAL x`: "critical", `fatal: x`: "fatal", `I0101 00:00:00 klog info`: "info", `information`: "unknown", `inform`: "unknown",
	} {
		detector := newLevelDetector(h.limits)
		require.Equal(t, want, detector.detect("", nil, []byte(line)), line)
	}
	detector := newLevelDetector(h.limits)
	meta := func(name, value string) []labels.Label { return []labels.Label{{Name: name, Value: value}} }
	require.Equal(t, "info", detector.detect("", meta("level", "info"), []byte("error text")))
	require.Equal(t, "error", detector.detect("", meta("severity", "ERROR"), nil))
	require.Equal(t, "error", detector.detect("", meta("severity_number", "17"), nil))
	require.Equal(t, "unknown", detector.detect("", meta("severity_number", "99"), []byte("sev99 error")))
	require.Equal(t, "weird", detector.detect("", meta("level", "weird"), nil))
	require.Equal(t, "notice", detector.detect(detector.ofLabels(labels.FromStrings("level", "notice")), nil, []byte("error")))
}

func TestNormalizeName(t *testing.T) {
	for in, want := range map[string]string{
		"a-b": "a_b", "1c": "key_1c", "a..b": "a_b", "__y": "_y", "__x__": "__x__", "a..b--c": "a_b_c", "1abc": "key_1abc", "_u": "_u",
		"a_": "a_", "é1": "_1", "sp ace": "sp_ace", "log.level": "log_level",
	} {
		got, err := normalizeName(in)
		require.NoError(t, err, in)
		require.Equal(t, want, got)
		again, err := normalizeName(got)
		require.NoError(t, err)
		require.Equal(t, got, again, "normalising twice changes nothing")
	}
	for _, in := range []string{"", "--", "é", "_", "__"} {
		_, err := normalizeName(in)
		require.Error(t, err, in)
	}
}

func TestReceiveErrorOfSink(t *testing.T) {
	h := newHarness(t, nil)
	h.sink.err = fmt.Errorf("disk full")
	require.ErrorIs(t, h.push(stream(`{"app":"x"}`, `["@0","a"]`)), h.sink.err)
}

func TestZeroTimestampIsTooOld(t *testing.T) {
	require.Less(t, int64(zeroTime), now.UnixNano())
	require.Equal(t, int64(math.MinInt64), int64(zeroTime))
}
