package logql

import (
	"errors"
	"fmt"
	"strings"
)

// ParseError says why a text is not a query. Line and Col count from 1, Col in characters; both are 0 when the error
// has no place, and Line alone is 0 at the tokens for which LogQL reports no line.
type ParseError struct {
	Line, Col int
	Msg       string
}

// Error gives the message in the form that Loki's clients know.
func (e *ParseError) Error() string {
	if e.Line == 0 && e.Col == 0 {
		return "parse error : " + e.Msg
	}
	return fmt.Sprintf("parse error at line %d, col %d: %s", e.Line, e.Col, e.Msg)
}

// Errors for texts that are well-formed queries of a kind the caller cannot use.
var (
	ErrNotSelector = errors.New("only label matchers are supported")
	ErrNotLog      = errors.New("only log selector is supported")
)

const errEmptyMatchers = `queries require at least one regexp or equality matcher that does not have an empty-compatible value. ` +
	`For instance, app=~".*" does not meet this requirement, but app=~".+" will`

// errorf makes an error without a place.
func errorf(format string, args ...any) *ParseError {
	return &ParseError{Msg: fmt.Sprintf(format, args...)}
}

// unexpected refuses t. The expected tokens are listed where few enough are acceptable to be of help.
func unexpected(t token, expected ...string) error {
	if t.kind == tokError {
		return t.err
	}
	msg := "syntax error: unexpected " + t.name()
	if len(expected) > 0 {
		msg += ", expecting " + strings.Join(expected, " or ")
	}
	return &ParseError{Line: t.line, Col: t.col, Msg: msg}
}
