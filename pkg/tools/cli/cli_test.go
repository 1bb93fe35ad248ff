package cli

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestReadTakesFlagsAndArgumentsInAnyOrder(t *testing.T) {
	for _, c := range []struct {
		command string
		args    []string
		n       int
	}{
		{"-n 1 a b", []string{"a", "b"}, 1},
		{"a -n 2 b", []string{"a", "b"}, 2},
		{"a b -n=3", []string{"a", "b"}, 3},
		{"a -- -n 4", []string{"a", "-n", "4"}, 0},
		{"-n 5 -- -x", []string{"-x"}, 5},
		{"-", []string{"-"}, 0},
		{"", nil, 0},
	} {
		f := NewFlags("verb", "", "")
		n := f.Int("n", 0, "")
		var out, errs bytes.Buffer
		args, _, done := f.Read(strings.Fields(c.command), &out, &errs)
		require.False(t, done, c.command)
		require.Equal(t, c.args, args, c.command)
		require.Equal(t, c.n, *n, c.command)
		require.Empty(t, out.String()+errs.String())
	}
}

func TestParseTime(t *testing.T) {
	now := time.Date(2026, 11, 21, 3, 0, 0, 0, time.UTC)
	for text, want := range map[string]string{
		"now":                            "2026-11-21T03:00:00Z",
		"now-1h30m":                      "2026-11-21T01:30:00Z",
		"now+1d":                         "2026-11-22T03:00:00Z",
		"2026-11-20":                     "2026-11-20T00:00:00Z",
		"2026-11-20 10:11":               "2026-11-20T10:11:00Z",
		"2026-11-20T10:11:12.5+01:00":    "2026-11-20T09:11:12.5Z",
		"1795214520":                     "2026-11-20T22:42:00Z",
		"1795214520.25":                  "2026-11-20T22:42:00.25Z",
		"1795214520000000001":            "2026-11-20T22:42:00.000000001Z",
		"2026-11-20T10:11:12.123456789Z": "2026-11-20T10:11:12.123456789Z",
	} {
		got, err := ParseTime(text, now)
		require.NoError(t, err, text)
		require.Equal(t, want, time.Unix(0, got).UTC().Format(time.RFC3339Nano), text)
	}
	for _, text := range []string{"", "yesterday", "now-", "now1h", "2026-13-01", "NaN", "1e300"} {
		_, err := ParseTime(text, now)
		require.Error(t, err, text)
	}
}

func TestPrintable(t *testing.T) {
	for text, want := range map[string]string{
		"plain\ttext":         "plain\ttext",
		"ünïcode 日本":          "ünïcode 日本",
		"\x1b[31mred\x00\x7f": `\x1b[31mred\x00\x7f`,
		"a\nb\r":              `a\nb\r`,
		"\xff\u009b1m":        `\xff\u009b1m`,
		"\u202etxt":           `\u202etxt`,
	} {
		require.Equal(t, want, Printable(text))
	}
}

func TestTable(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, Table(&out, []string{"NAME", ">N", "LAST"}, [][]string{{"ünï", "1", "x"}, {"b", "1,000", ""}}))
	require.Equal(t, "NAME      N  LAST\nünï       1  x\nb     1,000\n", out.String())
}

func TestPalette(t *testing.T) {
	env := func(pairs ...string) func(string) string {
		return func(name string) string {
			for i := 0; i < len(pairs); i += 2 {
				if pairs[i] == name {
					return pairs[i+1]
				}
			}
			return ""
		}
	}
	for _, c := range []struct {
		when     string
		terminal bool
		env      func(string) string
		want     Palette
	}{
		{"auto", true, env(), true},
		{"auto", false, env(), false},
		{"auto", true, env("NO_COLOR", "1"), false},
		{"auto", true, env("TERM", "dumb"), false},
		{"always", false, env("NO_COLOR", "1"), true},
		{"never", true, env(), false},
	} {
		got, err := ParsePalette(c.when, c.terminal, c.env)
		require.NoError(t, err)
		require.Equal(t, c.want, got)
	}
	require.Equal(t, "x", Palette(false).Paint(Red, "x"))
	require.Equal(t, "\x1b[31mx\x1b[0m", Palette(true).Paint(Red, "x"))
}
