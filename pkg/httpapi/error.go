package httpapi

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/cambium-logs/cambium/pkg/ingest"
	"github.com/cambium-logs/cambium/pkg/logql"
	"github.com/cambium-logs/cambium/pkg/query"
)

// Error is an answer that is no success: its status and text.
type Error struct {
	Status     int
	Message    string
	RetryAfter time.Duration // > 0: told in the header Retry-After; every 429 and 503 has one, by default of defaultRetry
	Challenge  string        // not empty: told in the header WWW-Authenticate
}

// Error implements error.
func (e *Error) Error() string { return e.Message }

func badRequest(format string, args ...any) *Error {
	return &Error{Status: http.StatusBadRequest, Message: fmt.Sprintf(format, args...)}
}

// refusal is what an error of the store may tell of itself: that it cannot take data now, and when it may.
type refusal interface {
	error
	HTTPStatus() int
	RetryAfter() time.Duration
}

// asError gives the status and text with which err is answered.
func asError(err error) *Error {
	var (
		own     *Error
		queried *query.Error
		refused *ingest.Error
		parse   *logql.ParseError
		store   refusal
		tooBig  *http.MaxBytesError
	)
	switch {
	case errors.As(err, &own):
		return own
	case errors.As(err, &queried):
		return &Error{Status: queried.Status, Message: queried.Message}
	case errors.As(err, &refused):
		return &Error{Status: refused.Status, Message: refused.Message, RetryAfter: refused.RetryAfter}
	case errors.As(err, &store):
		return &Error{Status: store.HTTPStatus(), Message: err.Error(), RetryAfter: store.RetryAfter()}
	case errors.As(err, &parse), errors.Is(err, logql.ErrNotSelector), errors.Is(err, logql.ErrNotLog):
		return badRequest("%s", err)
	case errors.As(err, &tooBig):
		return &Error{Status: http.StatusRequestEntityTooLarge, Message: fmt.Sprintf("request body too large: more than %d bytes", tooBig.Limit)}
	case errors.Is(err, context.Canceled):
		return &Error{Status: query.ErrCanceled.Status, Message: query.ErrCanceled.Message}
	case errors.Is(err, context.DeadlineExceeded):
		return &Error{Status: query.ErrTimeout.Status, Message: query.ErrTimeout.Message}
	}
	return &Error{Status: http.StatusInternalServerError, Message: err.Error()}
}

// defaultRetry is when a client may try again what was refused for now, where nobody knows better.
const defaultRetry = time.Second

// family is how the errors of a route look.
type family int

const (
	familyQuery family = iota // text without a newline at its end
	familyLine                // text with one
	familyOTLP                // protobuf google.rpc.Status
)

// write answers with the error.
func (e *Error) write(w http.ResponseWriter, f family) {
	h := w.Header()
	status := e.Status
	if f == familyOTLP && status == http.StatusInternalServerError {
		status = http.StatusServiceUnavailable
	}
	wait := e.RetryAfter
	if wait <= 0 && (status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable) {
		wait = defaultRetry
	}
	if wait > 0 {
		h.Set("Retry-After", strconv.FormatInt(int64(math.Ceil(wait.Seconds())), 10))
	}
	if e.Challenge != "" {
		h.Set("WWW-Authenticate", e.Challenge)
	}
	body := []byte(e.Message)
	switch f {
	case familyLine:
		body = append(body, '\n')
	case familyOTLP:
		h.Set("Content-Type", "application/octet-stream")
		body = appendRPCStatus(nil, e.Message)
	}
	if f != familyOTLP {
		h.Set("Content-Type", "text/plain; charset=utf-8")
		h.Set("X-Content-Type-Options", "nosniff")
	}
	h.Del("Content-Encoding")
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

// appendRPCStatus encodes a google.rpc.Status that has a message only.
func appendRPCStatus(out []byte, message string) []byte {
	out = append(out, 2<<3|2)
	for n := uint64(len(message)); ; n >>= 7 {
		if n < 0x80 {
			out = append(out, byte(n))
			break
		}
		out = append(out, byte(n)|0x80)
	}
	return append(out, message...)
}
