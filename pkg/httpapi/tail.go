package httpapi

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/coder/websocket"

	"github.com/cambium-logs/cambium/pkg/logql"
	"github.com/cambium-logs/cambium/pkg/query"
)

// TailParams is one tail: a log query, and what it shows of the past.
type TailParams struct {
	Tenant  string
	Expr    string
	Limits  query.Limits
	Since   int64 // nanoseconds; no entry of the past is older
	History int   // newest entries of the past
}

// Tail gives the entries that are accepted after it began.
type Tail interface {
	// Next waits for entries and gives those that are there, with the number of entries that were lost because nobody took them.
	Next(ctx context.Context) (entries []query.Entry, dropped int64, err error)
	Close()
}

// Tailer begins tails. Past and Tail are cut at one instant: every entry is in one of them, and in one only. The past is in ascending time.
type Tailer interface {
	Tail(ctx context.Context, p TailParams) (past []query.Entry, live Tail, err error)
}

const (
	tailHistory  = 100
	maxTailDelay = 5               // seconds
	tailPeriod   = time.Second / 2 // between frames
	tailPing     = time.Second
	tailPatience = 30 * time.Second // for a frame or a pong
	tailGoodbye  = time.Second      // for what is being written when the tail ends
	tailFrame    = 100              // entries of a frame
)

// tail serves /loki/api/v1/tail.
func (c *call) tail() error {
	return c.serveTail(&tailFrames{categorized: wantsCategories(c.r), flags: encodingFlags(c.r)})
}

// legacyTail serves /api/prom/tail.
func (c *call) legacyTail() error { return c.serveTail(&tailFrames{legacy: true}) }

func wantsCategories(r *http.Request) bool {
	for _, flag := range encodingFlags(r) {
		if flag == flagCategorize {
			return true
		}
	}
	return false
}

func (c *call) serveTail(frames *tailFrames) error {
	if err := c.form(); err != nil {
		return err
	}
	p, delay, err := c.tailParams()
	if err != nil {
		return err
	}
	if !strings.EqualFold(c.r.Header.Get("Upgrade"), "websocket") {
		return badRequest("Bad Request")
	}
	c.w.status = http.StatusSwitchingProtocols // from here on the answer is the websocket's
	conn, err := websocket.Accept(c.w.ResponseWriter, c.r, nil)
	if err != nil {
		return nil // Accept has answered
	}
	release, err := c.api.tails.enter(c.tenant, c.limits.MaxConcurrentTailRequests)
	if err == nil {
		defer release()
		err = c.runTail(conn, p, delay, frames)
	}
	closeTail(conn, err) // does nothing where the tail has closed it
	return nil
}

func (c *call) tailParams() (p TailParams, delay time.Duration, err error) {
	p = TailParams{Tenant: c.tenant, Expr: c.value("query"), Limits: c.queryLimits()}
	if _, err = logql.Parse(p.Expr, logql.ParseOptions{}); err != nil {
		return p, 0, err
	}
	if p.Since, err = parseTime(c.value("start"), c.now.Add(-time.Hour).UnixNano()); err != nil {
		return p, 0, badRequest("could not parse 'start' parameter: %s", err)
	}
	if p.History, err = c.parsePositive("limit", tailHistory); err != nil {
		return p, 0, err
	}
	if text := c.value("delay_for"); text != "" {
		seconds, err := strconv.Atoi(text)
		if err != nil {
			return p, 0, badRequest("%s", err)
		}
		if seconds > maxTailDelay {
			return p, 0, badRequest("delay_for can't be greater than %d", maxTailDelay)
		}
		delay = time.Duration(max(seconds, 0)) * time.Second
	}
	return p, delay, nil
}

// errTailEnd is why a tail ends that has lived as long as it may.
var errTailEnd = errors.New("reached tail max duration limit")

// errTailGone is why a tail ends whose client has gone.
var errTailGone = errors.New("the client has gone")

// closeTail says goodbye. The reason of a close frame is short.
func closeTail(conn *websocket.Conn, err error) {
	switch {
	case err == nil || errors.Is(err, errTailGone):
		_ = conn.Close(websocket.StatusNormalClosure, "")
	case errors.Is(err, context.Canceled):
		_ = conn.Close(websocket.StatusGoingAway, "the server stops")
	default:
		const longestReason = 120
		reason := err.Error()
		_ = conn.Close(websocket.StatusInternalError, strings.ToValidUTF8(reason[:min(len(reason), longestReason)], ""))
	}
}

// runTail sends what is there and then what comes, until the client goes, the server stops, or the tail is too old. The error says which.
func (c *call) runTail(conn *websocket.Conn, p TailParams, delay time.Duration, frames *tailFrames) error {
	ctx, cancel := context.WithCancelCause(c.ctx())
	past, live, err := c.api.options.Tailer.Tail(ctx, p)
	if err != nil {
		cancel(err)
		return err
	}
	life := time.AfterFunc(c.api.options.TailMaxDuration, func() { cancel(errTailEnd) })
	queue := newTailQueue(delay)
	queue.put(past, 0, c.api.options.Now().Add(-delay))
	// A websocket whose reader is cancelled is cut off without a goodbye, so the reader goes on until the connection is closed.
	reading, stopReading := context.WithCancel(context.WithoutCancel(ctx))
	var work sync.WaitGroup
	work.Go(func() { cancel(discardMessages(reading, conn)) })
	work.Go(func() { cancel(pingClient(ctx, conn)) })
	work.Go(func() { cancel(fillQueue(ctx, live, queue, c.api.options.Now)) })
	sendFrames(ctx, conn, queue, frames, cancel, c.api.options.Now)

	err = context.Cause(ctx)
	life.Stop()
	closeTail(conn, err)
	stopReading()
	_ = conn.CloseNow()
	work.Wait()
	live.Close()
	return err
}

// discardMessages reads what the client says, which means nothing, until it goes.
func discardMessages(ctx context.Context, conn *websocket.Conn) error {
	for {
		if _, _, err := conn.Read(ctx); err != nil {
			return errTailGone
		}
	}
}

// tailWrite gives the context of one write or ping. It outlives the tail by a moment: a websocket whose write is cancelled is cut off
// without a goodbye.
func tailWrite(tail context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(tail), tailPatience)
	stop := context.AfterFunc(tail, func() { time.AfterFunc(tailGoodbye, cancel) })
	return ctx, func() { stop(); cancel() }
}

func pingClient(ctx context.Context, conn *websocket.Conn) error {
	ticker := time.NewTicker(tailPing)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
		}
		patience, cancel := tailWrite(ctx)
		err := conn.Ping(patience)
		cancel()
		if err != nil {
			return errTailGone
		}
	}
}

func fillQueue(ctx context.Context, live Tail, queue *tailQueue, now func() time.Time) error {
	for {
		entries, dropped, err := live.Next(ctx)
		if err != nil {
			return err
		}
		queue.put(entries, dropped, now())
	}
}

// sendFrames sends what the queue holds until ctx ends. It ends ctx when the client takes nothing.
func sendFrames(ctx context.Context, conn *websocket.Conn, queue *tailQueue, frames *tailFrames, end context.CancelCauseFunc, now func() time.Time) {
	ticker := time.NewTicker(tailPeriod)
	defer ticker.Stop()
	for {
		for ctx.Err() == nil {
			entries, dropped := queue.take(now(), tailFrame)
			if len(entries) == 0 && len(dropped) == 0 {
				break
			}
			patience, cancel := tailWrite(ctx)
			err := conn.Write(patience, websocket.MessageText, frames.encode(entries, dropped))
			cancel()
			if err != nil {
				end(errTailGone)
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}
