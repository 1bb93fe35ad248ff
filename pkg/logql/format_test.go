package logql_test

import (
	"strings"
	"testing"

	"github.com/cambium-logs/cambium/pkg/logql"
)

func TestFormatLayout(t *testing.T) {
	for _, c := range []struct{ query, want string }{
		{
			`sum by (app) (rate({app="web",env="prod"} | json | line_format "{{.n}}" |= "foo bar baz qux and a long filter" [5m])) / sum(rate({app="web"}[5m]))`,
			`
  sum by (app)(
    rate(
      {app="web", env="prod"} | json | line_format "{{.n}}" |= "foo bar baz qux and a long filter" [5m]
    )
  )
/
  sum(rate({app="web"}[5m]))`,
		},
		{
			`{app="web",env="prod"} |= "a line filter that is rather long" != "another line filter of some length" |~ "and a third one, longer still" | json`,
			`
{app="web", env="prod"}
  |= "a line filter that is rather long"
  != "another line filter of some length"
  |~ "and a third one, longer still"
  | json`,
		},
		{
			`(rate({app="an application with a long name", env="prod"}[5m]) + rate({app="another application"}[5m])) * rate({app="web"}[5m])`,
			`
  (
      rate({app="an application with a long name", env="prod"}[5m])
    +
      rate({app="another application"}[5m])
  )
*
  rate({app="web"}[5m])`,
		},
	} {
		e, err := logql.Parse(c.query, logql.ParseOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if got, want := logql.Format(e), strings.TrimPrefix(c.want, "\n"); got != want {
			t.Errorf("%s\n got\n%s\nwant\n%s", c.query, got, want)
		}
	}
}
