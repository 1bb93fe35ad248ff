package logql

import (
	"time"

	"github.com/prometheus/prometheus/model/labels"
)

// Expr is a node of a query: *LogExpr, or one of the metric expressions.
// String gives the canonical text, which parses back to an equal tree.
type Expr interface {
	String() string
	isExpr()
}

// MetricExpr is an expression that evaluates to samples.
type MetricExpr interface {
	Expr
	isMetricExpr()
}

// LogExpr is a log query: a stream selector and the stages behind it, in written order.
type LogExpr struct {
	Matchers []*labels.Matcher
	Stages   []Stage
}

// Stage is one step of a pipeline.
type Stage interface {
	String() string
	isStage()
}

// LineFilterOp is the operator of a line filter.
type LineFilterOp int

// Operators of line filters.
const (
	LineContains    LineFilterOp = iota // |=
	LineNotContains                     // !=
	LineMatches                         // |~
	LineNotMatches                      // !~
	LinePattern                         // |>
	LineNotPattern                      // !>
)

// LineFilter is one operator with its operands joined by "or". A negated operator has one operand: the parser makes a
// filter for each operand of a negated chain.
type LineFilter struct {
	Op       LineFilterOp
	Operands []LineFilterOperand
}

// LineFilterOperand is a string, a regex, a pattern (by the filter's operator), or an ip() pattern.
type LineFilterOperand struct {
	Text string
	IP   bool
}

// Extraction asks a parser for one label: Name="Path". Path equals Name where only the name is written.
type Extraction struct {
	Name string
	Path string
}

// JSONParser is "| json", with or without extractions.
type JSONParser struct{ Extractions []Extraction }

// LogfmtParser is "| logfmt".
type LogfmtParser struct {
	Strict      bool
	KeepEmpty   bool
	Extractions []Extraction
}

// RegexpParser is "| regexp".
type RegexpParser struct{ Pattern string }

// PatternParser is "| pattern".
type PatternParser struct{ Pattern string }

// UnpackParser is "| unpack".
type UnpackParser struct{}

// LineFormat is "| line_format".
type LineFormat struct{ Template string }

// LabelAssignment is one item of label_format: a rename (Dst=Src) or a template (Dst="…").
type LabelAssignment struct {
	Dst      string
	Src      string // set when Rename
	Template string // set when !Rename
	Rename   bool
}

// LabelFormat is "| label_format".
type LabelFormat struct{ Assignments []LabelAssignment }

// Decolorize is "| decolorize".
type Decolorize struct{}

// LabelSelector is one item of drop and keep: a bare name, or a matcher (then Matcher is set and Name is its name).
type LabelSelector struct {
	Name    string
	Matcher *labels.Matcher
}

// DropLabels is "| drop".
type DropLabels struct{ Selectors []LabelSelector }

// KeepLabels is "| keep".
type KeepLabels struct{ Selectors []LabelSelector }

// LabelFilter is a stage that keeps entries by their labels.
type LabelFilter struct{ Predicate LabelPredicate }

// LabelPredicate is the tree inside a label filter.
type LabelPredicate interface {
	String() string
	isLabelPredicate()
}

// CompareOp compares numbers, durations and byte quantities.
type CompareOp int

// Comparison operators of label filters.
const (
	CmpEqual CompareOp = iota // = and ==
	CmpNotEqual
	CmpGreater
	CmpGreaterEqual
	CmpLess
	CmpLessEqual
)

// StringPredicate compares a label with a string or an anchored regex.
type StringPredicate struct{ Matcher *labels.Matcher }

// NumberPredicate compares a label's value as a float.
type NumberPredicate struct {
	Name  string
	Op    CompareOp
	Value float64
}

// DurationPredicate compares a label's value as a Go duration.
type DurationPredicate struct {
	Name  string
	Op    CompareOp
	Value time.Duration
}

// BytesPredicate compares a label's value as a byte quantity.
type BytesPredicate struct {
	Name  string
	Op    CompareOp
	Value uint64
}

// IPPredicate keeps entries whose label holds an address in the pattern (or none, when Negated).
type IPPredicate struct {
	Name    string
	Negated bool
	Pattern string
}

// LogicalPredicate joins two predicates by and, or by or.
type LogicalPredicate struct {
	Or          bool
	Left, Right LabelPredicate
}

// Unwrap turns a label into the sample value. Conversion is "", "bytes", "duration" or "duration_seconds".
type Unwrap struct {
	Label       string
	Conversion  string
	PostFilters []LabelPredicate
}

// LogRange is the operand of a range aggregation.
type LogRange struct {
	Log    *LogExpr
	Unwrap *Unwrap // nil without unwrap
	Range  time.Duration
	Offset time.Duration
}

// Grouping is "by (…)" or "without (…)".
type Grouping struct {
	Without bool
	Labels  []string
}

// RangeAggregation is count_over_time, rate, quantile_over_time, …; Op is the lower-case function name.
type RangeAggregation struct {
	Op       string
	Param    *float64 // quantile_over_time only
	Range    *LogRange
	Grouping *Grouping // nil without grouping
}

// VectorAggregation is sum, topk, sort, approx_topk, …; Op is the lower-case name.
type VectorAggregation struct {
	Op       string
	Param    *int // topk, bottomk, approx_topk
	Grouping *Grouping
	Expr     MetricExpr
}

// MatchCardinality is the cardinality of a vector match.
type MatchCardinality int

// Cardinalities of vector matching.
const (
	OneToOne  MatchCardinality = iota
	ManyToOne                  // group_left
	OneToMany                  // group_right
)

// VectorMatching is the modifier of a binary operation between two vectors.
type VectorMatching struct {
	On      bool // on(…); else ignoring(…)
	Labels  []string
	Card    MatchCardinality
	Include []string
}

// BinaryExpr is Left Op Right. Op is the operator as written in lower case.
type BinaryExpr struct {
	Op          string
	ReturnBool  bool
	Matching    *VectorMatching // nil: match on all labels
	Left, Right MetricExpr
}

// Literal is a number. Operations between literals are folded while parsing.
type Literal struct{ Value float64 }

// VectorExpr is vector(n).
type VectorExpr struct{ Value float64 }

// LabelReplace is label_replace(Expr, Dst, Replacement, Src, Regex).
type LabelReplace struct {
	Expr                         MetricExpr
	Dst, Replacement, Src, Regex string
}

// The nodes below exist only with ParseOptions.Extensions: they are PromQL's, and no LogQL query contains them.

// FunctionCall is a PromQL function or parameterised aggregation over metric expressions, numbers and strings, such as abs(…) or histogram_quantile(0.9, …).
type FunctionCall struct {
	Name     string
	Args     []Expr    // MetricExpr or *StringLiteral
	Grouping *Grouping // of the aggregations quantile, group and count_values; nil without grouping
}

// StringLiteral is a string argument of a FunctionCall.
type StringLiteral struct{ Value string }

// Subquery is Expr[Range:Step] with PromQL's modifiers. Step 0 is the query's step.
type Subquery struct {
	Expr        MetricExpr
	Range, Step time.Duration
	Offset      time.Duration
	At          *At
}

// At is the "@" modifier: a time in milliseconds, or "start" or "end" of the query.
type At struct {
	Millis int64
	Bound  string // "", "start" or "end"
}

// AtExpr evaluates a range aggregation at a fixed time.
type AtExpr struct {
	Expr MetricExpr
	At   At
}

func (*LogExpr) isExpr()           {}
func (*RangeAggregation) isExpr()  {}
func (*VectorAggregation) isExpr() {}
func (*BinaryExpr) isExpr()        {}
func (*Literal) isExpr()           {}
func (*VectorExpr) isExpr()        {}
func (*LabelReplace) isExpr()      {}
func (*FunctionCall) isExpr()      {}
func (*StringLiteral) isExpr()     {}
func (*Subquery) isExpr()          {}
func (*AtExpr) isExpr()            {}

func (*RangeAggregation) isMetricExpr()  {}
func (*VectorAggregation) isMetricExpr() {}
func (*BinaryExpr) isMetricExpr()        {}
func (*Literal) isMetricExpr()           {}
func (*VectorExpr) isMetricExpr()        {}
func (*LabelReplace) isMetricExpr()      {}
func (*FunctionCall) isMetricExpr()      {}
func (*Subquery) isMetricExpr()          {}
func (*AtExpr) isMetricExpr()            {}

func (*LineFilter) isStage()    {}
func (*JSONParser) isStage()    {}
func (*LogfmtParser) isStage()  {}
func (*RegexpParser) isStage()  {}
func (*PatternParser) isStage() {}
func (*UnpackParser) isStage()  {}
func (*LineFormat) isStage()    {}
func (*LabelFormat) isStage()   {}
func (*Decolorize) isStage()    {}
func (*DropLabels) isStage()    {}
func (*KeepLabels) isStage()    {}
func (*LabelFilter) isStage()   {}

func (*StringPredicate) isLabelPredicate()   {}
func (*NumberPredicate) isLabelPredicate()   {}
func (*DurationPredicate) isLabelPredicate() {}
func (*BytesPredicate) isLabelPredicate()    {}
func (*IPPredicate) isLabelPredicate()       {}
func (*LogicalPredicate) isLabelPredicate()  {}
