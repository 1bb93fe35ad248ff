package query

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/cambium-logs/cambium/pkg/logql"
	"github.com/cambium-logs/cambium/pkg/logql/pipeline"
	"github.com/cambium-logs/cambium/pkg/storage/segment"
)

// Error is a query error that is meant for the client, with the HTTP status that it is answered with.
type Error struct {
	Status  int
	Message string
}

func (e *Error) Error() string { return e.Message }

// StatusClientClosed is the status of a query whose client went away.
const StatusClientClosed = 499

// Errors that end a query from outside.
var (
	ErrTimeout = &Error{http.StatusGatewayTimeout,
		"request timed out, decrease the duration of the request or add more label matchers (prefer exact match over regex match) to reduce the amount of data processed"}
	ErrCanceled    = &Error{StatusClientClosed, "the request was cancelled by the client"}
	ErrTooMany     = &Error{http.StatusTooManyRequests, "too many outstanding requests"}
	ErrLogInstant  = &Error{http.StatusBadRequest, "log queries are not supported as an instant query type, please change your query to a range query type"}
	ErrNotLogQuery = &Error{http.StatusBadRequest, "only log selector is supported"}
	ErrBlocked     = &Error{http.StatusBadRequest, "query blocked by policy"}
)

func badRequest(format string, args ...any) *Error {
	return &Error{http.StatusBadRequest, fmt.Sprintf(format, args...)}
}

func internal(format string, args ...any) *Error {
	return &Error{http.StatusInternalServerError, fmt.Sprintf(format, args...)}
}

// damageHelp says what to do about stored data that is damaged. Queries that need it fail: they do not answer without it.
const damageHelp = ". `gpx_cambium verify` tells what is damaged, and with -repair moves it out of the way of queries"

// asError turns any error of a query into an *Error: errors of parsing, of stages and of entries are the client's, context errors have their own
// texts, damage has one that helps, everything else is internal.
func asError(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	var own *Error
	if errors.As(err, &own) {
		return own
	}
	for _, target := range []any{new(*logql.ParseError), new(*pipeline.StageError), new(*pipeline.ParserError), new(*pipeline.Error)} {
		if errors.As(err, target) {
			return badRequest("%s", err.Error())
		}
	}
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return ErrTimeout
	}
	if errors.Is(err, context.Canceled) || errors.Is(ctx.Err(), context.Canceled) {
		return ErrCanceled
	}
	if segment.IsCorrupt(err) {
		return &Error{http.StatusInternalServerError, err.Error() + damageHelp}
	}
	return &Error{http.StatusInternalServerError, err.Error()}
}
