package ci

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestReadTestEvents(t *testing.T) {
	events := `{"Action":"run","Package":"a","Test":"TestOne"}
{"Action":"output","Package":"a","Test":"TestOne","Output":"=== RUN   TestOne\n"}
{"Action":"pass","Package":"a","Test":"TestOne","Elapsed":0.1}
{"Action":"output","Package":"a","Test":"TestTwo","Output":"    two_test.go:7: shared/ is missing\n"}
{"Action":"output","Package":"a","Test":"TestTwo","Output":"--- SKIP: TestTwo (0.00s)\n"}
{"Action":"skip","Package":"a","Test":"TestTwo","Elapsed":0}
{"Action":"pass","Package":"a","Elapsed":1.2}
{"Action":"output","Package":"b","Test":"TestThree","Output":"    three_test.go:9: want 1, got 2\n"}
{"Action":"fail","Package":"b","Test":"TestThree","Elapsed":0}
{"Action":"fail","Package":"b","Elapsed":0.2}
{"Action":"build-output","ImportPath":"c","Output":"c.go:1:1: syntax error\n"}
{"Action":"build-fail","ImportPath":"c"}
{"Action":"fail","Package":"c","Elapsed":0}
{"Action":"skip","Package":"d","Elapsed":0}
`
	var out strings.Builder
	tally := readTestEvents(strings.NewReader(events), &out)
	require.Equal(t, Tally{Passed: 1, Failed: 2, Skipped: 1}, tally)
	require.Equal(t, `skip TestTwo: two_test.go:7: shared/ is missing
ok   a 1.2s
    three_test.go:9: want 1, got 2
FAIL b 0.2s
c.go:1:1: syntax error
FAIL c 0.0s
`, out.String())
}

func TestClosingLine(t *testing.T) {
	require.Equal(t, "3 passed, 0 failed, 1 skipped", Tally{Passed: 3, Skipped: 1}.String())

	tally, ok := closingLine("noise\n12 passed, 1 failed, 2 skipped\nbye\n")
	require.True(t, ok)
	require.Equal(t, Tally{Passed: 12, Failed: 1, Skipped: 2}, tally)

	tally, ok = closingLine("4 passed, 0 failed\n")
	require.True(t, ok)
	require.Equal(t, Tally{Passed: 4}, tally)

	_, ok = closingLine("nothing here\n")
	require.False(t, ok)
}
