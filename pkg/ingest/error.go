package ingest

import (
	"fmt"
	"net/http"
	"time"
)

// Error is a refusal that the sender is told of: the HTTP status, the text, and, where a later attempt may succeed, when.
type Error struct {
	Status     int
	Message    string
	RetryAfter time.Duration // 0: say nothing
}

// Error implements error.
func (e *Error) Error() string { return e.Message }

func badRequest(format string, args ...any) *Error {
	return &Error{Status: http.StatusBadRequest, Message: fmt.Sprintf(format, args...)}
}

func tooLarge(format string, args ...any) *Error {
	return &Error{Status: http.StatusRequestEntityTooLarge, Message: "request body too large: " + fmt.Sprintf(format, args...)}
}

func errNoStreams() *Error {
	return &Error{Status: http.StatusUnprocessableEntity, Message: "error at least one valid stream is required for ingestion"}
}
