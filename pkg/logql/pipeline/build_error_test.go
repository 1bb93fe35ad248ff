package pipeline_test

import (
	"errors"
	"testing"

	"github.com/cambium-logs/cambium/pkg/logql"
	"github.com/cambium-logs/cambium/pkg/logql/pipeline"
)

func TestBuildErrors(t *testing.T) {
	for tail, want := range map[string]string{
		`| regexp "foo"`:                    `parse error : invalid regexp parser: at least one named capture must be supplied`,
		`| regexp "(?P<x>."`:                "parse error : invalid regexp parser: error parsing regexp: missing closing ): `(?P<x>.`",
		`| regexp "(?P<x>a)(?P<x>b)"`:       `parse error : invalid regexp parser: duplicate extracted label name 'x'`,
		`| pattern "foo"`:                   `parse error : invalid pattern parser: at least one capture is required`,
		`| pattern ""`:                      `parse error : invalid pattern parser: parse error at line 1, col 1: syntax error: unexpected $end, expecting IDENTIFIER or LITERAL`,
		`| pattern "<a><b>"`:                `parse error : invalid pattern parser: found consecutive capture '<a><b>': invalid expression`,
		`| pattern "<a> <a>"`:               `parse error : invalid pattern parser: duplicate capture name (a): invalid expression`,
		`| line_format "{{.x"`:              `parse error : stage '| line_format "{{.x"' : invalid line template: template: line:1: unclosed action`,
		`| label_format x="{{.y"`:           `parse error : stage '| label_format x="{{.y"' : invalid template for label 'x': template: label:1: unclosed action`,
		`| label_format x=y,x=z`:            `parse error : stage '| label_format x=y,x=z' : multiple label name 'x' not allowed in a single format operation`,
		`| label_format __error__="x"`:      `parse error : stage '| label_format __error__="x"' : __error__ cannot be formatted`,
		`| x=ip("abc")`:                     `parse error : stage '| x=ip("abc")' : ip: invalid pattern: "abc"`,
		`|= ip("x")`:                        `parse error : stage '|= ip("x")' : ip: invalid pattern: "x"`,
		`|= ip("10.0.0.1 - 10.0.0.9")`:      `parse error : stage '|= ip("10.0.0.1 - 10.0.0.9")' : ip: invalid pattern: "10.0.0.1 - 10.0.0.9"`,
		`|~ ip("1.2.3.4")`:                  `parse error : stage '|~ ip("1.2.3.4")' : ip: invalid operation`,
		`|> "<a>"`:                          `parse error : stage '|> "<a>"' : named captures are not allowed: found '<a>'`,
		`|> "<_><_>"`:                       `parse error : stage '|> "<_><_>"' : found consecutive capture '<_><_>': invalid expression`,
		`| json a="["`:                      `parse error : stage '| json a="["' : cannot parse expression [[]: syntax error: unexpected $end, expecting STRING or INDEX`,
		`| json a=""`:                       `parse error : stage '| json a=""' : cannot parse expression []: syntax error: unexpected $end, expecting LSB or FIELD`,
		`| json a="x..y"`:                   `parse error : stage '| json a="x..y"' : cannot parse expression [x..y]: syntax error: unexpected DOT, expecting FIELD`,
		`| json a="x-y"`:                    `parse error : stage '| json a="x-y"' : cannot parse expression [x-y]: unexpected char -`,
		`| logfmt a="b c"`:                  `parse error : stage '| logfmt a="b c"' : cannot parse expression [b c]: syntax error: unexpected KEY`,
		`| json | drop a="x", b=~"x{2000}"`: "parse error : error parsing regexp: invalid repeat count: `{2000}`",
	} {
		expr, err := logql.Parse(`{app="x"} `+tail, logql.ParseOptions{})
		if err == nil {
			_, err = pipeline.Compile(expr.(*logql.LogExpr).Stages, pipeline.Options{})
		}
		if err == nil || err.Error() != want {
			t.Errorf("%s\ngot  %v\nwant %s", tail, err, want)
		}
	}
	_, err := pipeline.Compile(stages(t, `| json a="["`), pipeline.Options{})
	var stage *pipeline.StageError
	if !errors.As(err, &stage) || stage.Stage != `| json a="["` {
		t.Errorf("not a StageError: %v", err)
	}
}
