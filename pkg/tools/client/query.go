package client

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/prometheus/model/labels"
)

// Request is one query. Times are nanoseconds since the epoch.
type Request struct {
	Expr       string
	Instant    bool // a metric query at Time; else from Start to End
	Time       int64
	Start, End int64         // a log query reads [Start, End)
	Step       time.Duration // 0: the server chooses
	Limit      int
	Forward    bool // oldest entries first
}

// Kind names what a Result holds.
type Kind string

// Kinds of results, as the API names them.
const (
	KindStreams Kind = "streams"
	KindMatrix  Kind = "matrix"
	KindVector  Kind = "vector"
	KindScalar  Kind = "scalar"
)

// Entry is one log line with all its labels.
type Entry struct {
	Timestamp int64
	Line      string
	Labels    labels.Labels
}

// Point is a value at a time, as the server spelled it.
type Point struct {
	Timestamp int64
	Value     string
}

// Series is a label set with its points in ascending time.
type Series struct {
	Labels labels.Labels
	Points []Point
}

// Result is the answer to a query.
type Result struct {
	Kind     Kind
	Entries  []Entry  // in the order that was asked for
	Series   []Series // of the other kinds, in the server's order; a scalar is one without labels
	Warnings []string
}

// Query asks the server.
func (c *Client) Query(ctx context.Context, r Request) (*Result, error) {
	params := url.Values{"query": {r.Expr}}
	path := "/loki/api/v1/query_range"
	if r.Instant {
		path = "/loki/api/v1/query"
		params.Set("time", nanoseconds(r.Time))
	} else {
		params.Set("start", nanoseconds(r.Start))
		params.Set("end", nanoseconds(r.End))
	}
	if r.Step > 0 {
		params.Set("step", strconv.FormatFloat(r.Step.Seconds(), 'f', -1, 64))
	}
	if r.Limit > 0 {
		params.Set("limit", strconv.Itoa(r.Limit))
	}
	params.Set("direction", "backward")
	if r.Forward {
		params.Set("direction", "forward")
	}
	answer, cancel, err := c.do(ctx, http.MethodPost, path, nil, "application/x-www-form-urlencoded", strings.NewReader(params.Encode()))
	if err != nil {
		return nil, err
	}
	defer cancel()
	defer answer.Body.Close()
	var body queryAnswer
	if err := json.NewDecoder(answer.Body).Decode(&body); err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, fmt.Errorf("the server's answer cannot be read: %w. Check that -addr is what /loki/api/v1 follows", err)
	}
	return body.result(r.Forward)
}

// nanoseconds writes a time so that the server does not take it for seconds, which short numbers are.
func nanoseconds(t int64) string {
	if text := strconv.FormatInt(t, 10); len(text) > 10 {
		return text
	}
	return time.Unix(0, t).UTC().Format(time.RFC3339Nano)
}

type queryAnswer struct {
	Status   string   `json:"status"`
	Warnings []string `json:"warnings"`
	Data     struct {
		Type   Kind            `json:"resultType"`
		Result json.RawMessage `json:"result"`
	} `json:"data"`
}

// streamAnswer is a stream of a query or of a tail.
type streamAnswer struct {
	Stream map[string]string `json:"stream"`
	Values []entryAnswer     `json:"values"`
}

// entryAnswer is [time, line] with perhaps more after it.
type entryAnswer struct {
	time int64
	line string
}

// UnmarshalJSON implements json.Unmarshaler.
func (e *entryAnswer) UnmarshalJSON(b []byte) error {
	var parts []json.RawMessage
	if err := json.Unmarshal(b, &parts); err != nil {
		return err
	}
	if len(parts) < 2 {
		return fmt.Errorf("an entry has %d parts", len(parts))
	}
	var text string
	err := json.Unmarshal(parts[0], &text)
	if err == nil {
		e.time, err = strconv.ParseInt(text, 10, 64)
	}
	if err == nil {
		err = json.Unmarshal(parts[1], &e.line)
	}
	return err
}

// milliseconds is the number from which on a point's time has that unit: scalars come so.
const milliseconds = 1e11

// pointAnswer is [seconds, value].
type pointAnswer Point

// UnmarshalJSON implements json.Unmarshaler.
func (p *pointAnswer) UnmarshalJSON(b []byte) error {
	var seconds json.Number
	if err := json.Unmarshal(b, &[2]any{&seconds, &p.Value}); err != nil {
		return err
	}
	whole, fraction, _ := strings.Cut(seconds.String(), ".")
	s, err := strconv.ParseInt(whole, 10, 64)
	if err != nil {
		return err
	}
	if s >= milliseconds {
		p.Timestamp = s * int64(time.Millisecond)
		return nil
	}
	p.Timestamp = s * int64(time.Second)
	if fraction != "" {
		n, err := strconv.ParseInt((fraction + "000000000")[:9], 10, 64)
		if err != nil {
			return err
		}
		p.Timestamp += n
	}
	return nil
}

type seriesAnswer struct {
	Metric map[string]string `json:"metric"`
	Value  *pointAnswer      `json:"value"`
	Values []pointAnswer     `json:"values"`
}

func (b *queryAnswer) result(forward bool) (*Result, error) {
	r := &Result{Kind: b.Data.Type, Warnings: b.Warnings}
	var err error
	switch b.Data.Type {
	case KindStreams:
		var streams []streamAnswer
		err = json.Unmarshal(b.Data.Result, &streams)
		r.Entries = flatten(streams, forward)
	case KindMatrix, KindVector:
		var series []seriesAnswer
		err = json.Unmarshal(b.Data.Result, &series)
		for _, s := range series {
			if s.Value != nil {
				s.Values = append(s.Values, *s.Value)
			}
			points := make([]Point, len(s.Values))
			for i, p := range s.Values {
				points[i] = Point(p)
			}
			r.Series = append(r.Series, Series{Labels: labels.FromMap(s.Metric), Points: points})
		}
	case KindScalar:
		var p pointAnswer
		err = json.Unmarshal(b.Data.Result, &p)
		r.Series = []Series{{Points: []Point{Point(p)}}}
	default:
		err = fmt.Errorf("it has a result of the unknown type %q", b.Data.Type)
	}
	if err != nil {
		return nil, fmt.Errorf("the server's answer cannot be read: %w", err)
	}
	return r, nil
}

// flatten puts the entries of all streams into one order.
func flatten(streams []streamAnswer, forward bool) []Entry {
	var out []Entry
	for _, s := range streams {
		ls := labels.FromMap(s.Stream)
		for _, e := range s.Values {
			out = append(out, Entry{e.time, e.line, ls})
		}
	}
	slices.SortStableFunc(out, func(a, b Entry) int {
		switch {
		case a.Timestamp == b.Timestamp:
			return 0
		case (a.Timestamp < b.Timestamp) == forward:
			return -1
		}
		return 1
	})
	return out
}
