package pipeline_test

import "testing"

func TestLabelFilters(t *testing.T) {
	filterError := func(details, rest string) string {
		return `{__error__="LabelFilterErr", __error_details__=` + details + `, ` + rest + `}`
	}
	checkParsers(t, []parserCase{
		{`| logfmt | n>4`, `n=5`, `{n="5"}`},
		{`| logfmt | n=5`, `n=5.0`, `{n="5.0"}`},
		{`| logfmt | n!=5`, `n=5`, `-`},
		{`| logfmt | n!=1`, `m=5`, `-`},
		{`| logfmt | n>1`, `n=abc`, filterError(`"strconv.ParseFloat: parsing \"abc\": invalid syntax"`, `n="abc"`)},
		{`| logfmt --keep-empty | n>1`, `n`, filterError(`"strconv.ParseFloat: parsing \"\": invalid syntax"`, `n=""`)},
		{`| logfmt | n>1`, `n=NaN`, `-`},
		{`| logfmt | n!=1`, `n=NaN`, `{n="NaN"}`},
		{`| logfmt | d==90m`, `d=1h30m`, `{d="1h30m"}`},
		{`| logfmt | d>1h`, `d=2d`, filterError(`"time: unknown unit \"d\" in duration \"2d\""`, `d="2d"`)},
		{`| logfmt | d>1s`, `d=5`, filterError(`"time: missing unit in duration \"5\""`, `d="5"`)},
		{`| logfmt | b==1500B`, `b=1.5KB`, `{b="1.5KB"}`},
		{`| logfmt | b>1KB`, `b=abc`, filterError(`"strconv.ParseFloat: parsing \"\": invalid syntax"`, `b="abc"`)},
		{`| logfmt | b=1KiB`, `b=1kB`, `{b="1kB"}`},
		{`| logfmt | s>1 or n>1`, `s=abc n=5`, filterError(`"strconv.ParseFloat: parsing \"abc\": invalid syntax"`, `n="5", s="abc"`)},
		{`| logfmt | n>1 and m<3`, `n=abc m=5`, `-`},
		{`| json | n>3`, `nothing`, `-`},
		{`| miss=""`, ``, `{}`},
		{`| miss!="x"`, ``, `{}`},
		{`| miss=~".+"`, ``, `-`},
		{`| logfmt | x=~"foo"`, `x=afoob`, `-`},
		{`| logfmt | x=~"fo+"`, `x=afoob`, `-`},
		{`| logfmt | x=~"foo.*"`, `x=afoob`, `{x="afoob"}`},
		{`| logfmt | x=~"^foo.*"`, `x=afoob`, `-`},
		{`| logfmt | x=~"(?i)FOO|bar"`, `x=foo`, `{x="foo"}`},
		{`| logfmt | x=~"a|b", y!~"1.", z="" `, `x=b y=2`, `{x="b", y="2"}`},
		{`| logfmt | x="1" or y="2" and z="3"`, `x=1`, `{x="1"}`},
		{`| logfmt | x="1", y="2" or z="3"`, `x=1 z=3`, `{x="1", z="3"}`},
		{`| logfmt | a=ip("10.0.0.0/8")`, `a=x10.0.0.1y`, `{a="x10.0.0.1y"}`},
		{`| logfmt | a!=ip("10.0.0.0/8")`, `b=1`, `-`},
	})
}

func TestDropAndKeep(t *testing.T) {
	checkParsers(t, []parserCase{
		{`| logfmt | drop a, b="2", c=~"x", d!="4"`, `a=1 b=2 c=xy d=4`, `{c="xy", d="4"}`},
		{`| logfmt | keep app, a, b="3"`, `a=1 b=2 c=3`, `{a="1"}`},
		{`| json | keep app`, `x`, jsonError(`"Value looks like object, but can't find closing '}' symbol"`)},
		{`| json | drop __error__, __error_details__`, `x`, `{}`},
		{`| json | drop __error__="LabelFilterErr"`, `x`, jsonError(`"Value looks like object, but can't find closing '}' symbol"`)},
		{`| json | drop __error__ | __error__=""`, `{"a":1,"b":x}`, `{__error_details__="Unknown value type", a="1"}`},
		{`| decolorize`, "\x1b[31mX\x1b[0m \x1b]0;t\x07y", `X y {}`},
		{`| decolorize |= "31m"`, "\x1b[31mX\x1b[0m", `X {}`},
		{`| decolorize | app="x" |= "31m"`, "\x1b[31mX\x1b[0m", `-`},
	})
}
