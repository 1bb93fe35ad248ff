package loggen

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestLines: what is made is about as much as asked for, in order, the same every time, with the planted texts as rare as they are said to be.
func TestLines(t *testing.T) {
	begin := time.Unix(1_700_000_000, 0)
	make := func() (lines []Line, needle string) {
		needle, err := Each(Options{Bytes: 8 << 20, Begin: begin, End: begin.Add(time.Hour)}, func(l Line) error {
			lines = append(lines, l)
			return nil
		})
		require.NoError(t, err)
		return lines, needle
	}
	lines, needle := make()
	again, _ := make()
	require.Equal(t, lines, again)
	size, found, rare, common := 0, 0, 0, 0
	last := begin
	for _, l := range lines {
		require.False(t, l.Time.Before(last))
		last = l.Time
		size += len(l.Text)
		found += strings.Count(l.Text, needle)
		rare += strings.Count(l.Text, RareWord)
		common += strings.Count(l.Text, CommonWord)
		if l.System == "web-json" {
			require.True(t, json.Valid([]byte(l.Text)), l.Text)
		}
	}
	require.Equal(t, 1, found)
	require.InEpsilon(t, 8<<20, size, 0.1)
	require.InDelta(t, len(lines)/10000, rare, 10)
	require.InEpsilon(t, len(lines)/10, common, 0.1)
}
