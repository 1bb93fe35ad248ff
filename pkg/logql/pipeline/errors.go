package pipeline

import (
	"fmt"

	"github.com/cambium-logs/cambium/pkg/logql"
)

// Labels that carry the error of an entry.
const (
	ErrorLabel        = "__error__"
	ErrorDetailsLabel = "__error_details__"
)

// Values of __error__ that stages set.
const (
	ErrJSONParser       = "JSONParserErr"
	ErrLogfmtParser     = "LogfmtParserErr"
	ErrLabelFilter      = "LabelFilterErr"
	ErrSampleExtraction = "SampleExtractionErr"
	ErrTemplateFormat   = "TemplateFormatErr"
)

// StageError says why a stage cannot be built. Its text is that of a parse error: the request is at fault (status 400).
type StageError struct {
	Stage string // canonical text
	Err   error
}

func (e *StageError) Error() string {
	return fmt.Sprintf("parse error : stage '%s' : %s", e.Stage, e.Err)
}

// Unwrap returns the cause.
func (e *StageError) Unwrap() error { return e.Err }

// ParserError says why a regexp or pattern parser, or a regex of a label filter, cannot be built. The request is at fault (status 400).
type ParserError struct {
	Parser string // "regexp", "pattern", or empty for a label matcher
	Err    error
}

func (e *ParserError) Error() string {
	if e.Parser == "" {
		return fmt.Sprintf("parse error : %s", e.Err)
	}
	return fmt.Sprintf("parse error : invalid %s parser: %s", e.Parser, e.Err)
}

// Unwrap returns the cause.
func (e *ParserError) Unwrap() error { return e.Err }

func stageError(s logql.Stage, err error) error {
	return &StageError{Stage: s.String(), Err: err}
}

// Error fails a metric query because a sample carries a pipeline error. The request is answered with status 400.
type Error struct {
	Kind   string // value of __error__
	Series string // canonical label set
}

func (e *Error) Error() string {
	return fmt.Sprintf("pipeline error: '%[1]s' for series: '%[2]s'.\n"+
		"Use a label filter to intentionally skip this error. (e.g | __error__!=\"%[1]s\").\n"+
		"To skip all potential errors you can match empty errors.(e.g __error__=\"\")\n"+
		"The label filter can also be specified after unwrap. (e.g | unwrap latency | __error__=\"\" )\n", e.Kind, e.Series)
}
