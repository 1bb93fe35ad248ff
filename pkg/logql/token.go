package logql

import "time"

// kind is the class of a token. The zero kind is the end of the text.
type kind int

const (
	tokEOF kind = iota
	tokError
	tokIdent
	tokString
	tokNumber
	tokDuration
	tokBytes
	tokRange
	tokSubquery // "[range:step]", extension grammar only
	tokFlag

	tokOpenBrace
	tokCloseBrace
	tokOpenParen
	tokCloseParen
	tokComma
	tokDot
	tokPipe

	tokEqual          // =
	tokNotEqual       // !=
	tokRegex          // =~
	tokNotRegex       // !~ (line filters use it too)
	tokPipeExact      // |=
	tokPipeMatch      // |~
	tokPipePattern    // |>
	tokNotPattern     // !>
	tokCompareEqual   // ==
	tokGreater        // >
	tokGreaterOrEqual // >=
	tokLess           // <
	tokLessOrEqual    // <=
	tokAdd
	tokSub
	tokMul
	tokDiv
	tokMod
	tokPow

	// Words that are reserved everywhere.
	tokBy
	tokWithout
	tokBool
	tokOffset
	tokOn
	tokIgnoring
	tokGroupLeft
	tokGroupRight
	tokOr
	tokAnd
	tokUnless
	tokJSON
	tokLogfmt
	tokRegexp
	tokUnpack
	tokPattern
	tokLabelFormat
	tokLineFormat
	tokDecolorize
	tokDrop
	tokKeep
	tokUnwrap

	// Words that are tokens only in front of an opening parenthesis.
	tokRangeOp
	tokVectorOp
	tokVector
	tokLabelReplace
	tokConversion
	tokIP
)

// token is one lexeme with the position of its first character. Line is 0 for the tokens whose errors are
// reported on line 0: ranges, flags, durations, byte quantities and operators of two characters.
type token struct {
	kind      kind
	text      string // as written; the unquoted value of a string; lower case for function words
	line, col int

	duration time.Duration // tokDuration, tokRange, tokSubquery
	step     time.Duration // tokSubquery
	bytes    uint64        // tokBytes
	stray    bool          // a character that begins no token: it stands for an identifier in messages, but names nothing
	err      *ParseError   // tokError
}

var keywords = map[string]kind{
	"by": tokBy, "without": tokWithout, "bool": tokBool, "offset": tokOffset, "on": tokOn, "ignoring": tokIgnoring,
	"group_left": tokGroupLeft, "group_right": tokGroupRight, "or": tokOr, "and": tokAnd, "unless": tokUnless,
	"json": tokJSON, "logfmt": tokLogfmt, "regexp": tokRegexp, "unpack": tokUnpack, "pattern": tokPattern,
	"label_format": tokLabelFormat, "line_format": tokLineFormat, "decolorize": tokDecolorize,
	"drop": tokDrop, "keep": tokKeep, "unwrap": tokUnwrap,
}

var functionWords = map[string]kind{
	"count_over_time": tokRangeOp, "rate": tokRangeOp, "rate_counter": tokRangeOp, "bytes_rate": tokRangeOp,
	"bytes_over_time": tokRangeOp, "absent_over_time": tokRangeOp, "sum_over_time": tokRangeOp,
	"avg_over_time": tokRangeOp, "min_over_time": tokRangeOp, "max_over_time": tokRangeOp,
	"first_over_time": tokRangeOp, "last_over_time": tokRangeOp, "stddev_over_time": tokRangeOp,
	"stdvar_over_time": tokRangeOp, "quantile_over_time": tokRangeOp,

	"sum": tokVectorOp, "avg": tokVectorOp, "min": tokVectorOp, "max": tokVectorOp, "count": tokVectorOp,
	"stddev": tokVectorOp, "stdvar": tokVectorOp, "topk": tokVectorOp, "bottomk": tokVectorOp,
	"sort": tokVectorOp, "sort_desc": tokVectorOp, "approx_topk": tokVectorOp,

	"vector": tokVector, "label_replace": tokLabelReplace, "ip": tokIP,
	"bytes": tokConversion, "duration": tokConversion, "duration_seconds": tokConversion,
}

// symbols are the texts of operators and punctuation.
var symbols = map[kind]string{
	tokOpenBrace: "{", tokCloseBrace: "}", tokOpenParen: "(", tokCloseParen: ")", tokComma: ",", tokDot: ".", tokPipe: "|",
	tokEqual: "=", tokNotEqual: "!=", tokRegex: "=~", tokNotRegex: "!~", tokPipeExact: "|=", tokPipeMatch: "|~",
	tokPipePattern: "|>", tokNotPattern: "!>", tokCompareEqual: "==", tokGreater: ">", tokGreaterOrEqual: ">=",
	tokLess: "<", tokLessOrEqual: "<=", tokAdd: "+", tokSub: "-", tokMul: "*", tokDiv: "/", tokMod: "%", tokPow: "^",
}

var oneRuneTokens = map[rune]kind{
	'{': tokOpenBrace, '}': tokCloseBrace, '(': tokOpenParen, ')': tokCloseParen, ',': tokComma, '.': tokDot, '|': tokPipe,
	'=': tokEqual, '>': tokGreater, '<': tokLess, '+': tokAdd, '-': tokSub, '*': tokMul, '/': tokDiv, '%': tokMod, '^': tokPow,
}

var twoByteTokens = map[string]kind{
	"|=": tokPipeExact, "|~": tokPipeMatch, "|>": tokPipePattern, "!=": tokNotEqual, "!~": tokNotRegex, "!>": tokNotPattern,
	"=~": tokRegex, "==": tokCompareEqual, ">=": tokGreaterOrEqual, "<=": tokLessOrEqual,
}

// name is how the token is called in "unexpected …" messages.
func (t token) name() string {
	switch t.kind {
	case tokEOF:
		return "$end"
	case tokIdent:
		return "IDENTIFIER"
	case tokString:
		return "STRING"
	case tokNumber:
		return "NUMBER"
	case tokDuration:
		return "DURATION"
	case tokBytes:
		return "BYTES"
	case tokRange, tokSubquery:
		return "RANGE"
	case tokFlag:
		return "FUNCTION_FLAG"
	case tokRangeOp, tokVectorOp, tokVector, tokLabelReplace:
		return upper(t.text)
	case tokConversion:
		return upper(t.text) + "_CONV"
	}
	if s, ok := symbols[t.kind]; ok {
		return s
	}
	return t.text
}

func upper(word string) string {
	b := []byte(word)
	for i, c := range b {
		if 'a' <= c && c <= 'z' {
			b[i] = c - 'a' + 'A'
		}
	}
	return string(b)
}
