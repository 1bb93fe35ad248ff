package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"time"

	"github.com/coder/websocket"
)

// TailRequest asks for entries as they arrive.
type TailRequest struct {
	Expr  string
	Start int64         // of the history that comes first, nanoseconds since the epoch
	Limit int           // of the history
	Delay time.Duration // whole seconds that the server waits for entries that come out of order
}

// Frame is what a tail says at a time.
type Frame struct {
	Entries []Entry
	Dropped int // entries that were lost because this reader was slow
}

// maxFrame bounds a frame: a hundred lines, escaped.
const maxFrame = 256 << 20

// Errors of a tail that the server ended: it may be begun again, or the server will not have it.
var (
	ErrTailEnded   = errors.New("the server ended the tail")
	ErrTailRefused = errors.New("the server refuses the tail")
)

// tooOld is what a server says that ends a tail for its age alone.
const tooOld = "reached tail max duration limit"

// Tail calls started once the server has accepted, then handle with every frame, until the context ends, handle gives an error, or the connection ends.
func (c *Client) Tail(ctx context.Context, r TailRequest, started func(), handle func(Frame) error) error {
	params := url.Values{"query": {r.Expr}, "start": {nanoseconds(r.Start)}, "limit": {strconv.Itoa(r.Limit)}}
	if r.Delay > 0 {
		params.Set("delay_for", strconv.Itoa(int(r.Delay/time.Second)))
	}
	dialing, cancel := ctx, context.CancelFunc(func() {})
	if c.opts.Timeout > 0 {
		dialing, cancel = context.WithTimeout(ctx, c.opts.Timeout)
	}
	conn, answer, err := websocket.Dial(dialing, c.url("/loki/api/v1/tail", params), &websocket.DialOptions{HTTPClient: c.http, HTTPHeader: c.header()})
	cancel()
	if err != nil {
		if answer != nil && answer.StatusCode/100 != 1 {
			e := newError(answer)
			_ = answer.Body.Close()
			return e
		}
		return c.explain(err)
	}
	defer conn.CloseNow()
	conn.SetReadLimit(maxFrame)
	if started != nil {
		started()
	}
	for {
		_, message, err := conn.Read(ctx)
		if err != nil {
			return tailError(ctx, conn, err)
		}
		var body struct {
			Streams []streamAnswer `json:"streams"`
			Dropped []struct{}     `json:"dropped_entries"`
		}
		if err := json.Unmarshal(message, &body); err != nil {
			return fmt.Errorf("the server's frame cannot be read: %w", err)
		}
		if err := handle(Frame{Entries: inOrder(body.Streams), Dropped: len(body.Dropped)}); err != nil {
			_ = conn.Close(websocket.StatusNormalClosure, "")
			return err
		}
	}
}

// inOrder keeps the order in which the server sent the entries.
func inOrder(streams []streamAnswer) []Entry {
	var out []Entry
	for i := range streams {
		out = append(out, flatten(streams[i:i+1], true)...)
	}
	return out
}

func tailError(ctx context.Context, conn *websocket.Conn, err error) error {
	if ctx.Err() != nil {
		_ = conn.Close(websocket.StatusNormalClosure, "")
		return ctx.Err()
	}
	var closed websocket.CloseError
	if !errors.As(err, &closed) {
		return fmt.Errorf("the connection broke: %w", err)
	}
	if closed.Code == websocket.StatusInternalError && closed.Reason != tooOld {
		return fmt.Errorf("%w: %s", ErrTailRefused, closed.Reason)
	}
	if closed.Reason == "" {
		return fmt.Errorf("%w (%s)", ErrTailEnded, closed.Code)
	}
	return fmt.Errorf("%w: %s", ErrTailEnded, closed.Reason)
}
