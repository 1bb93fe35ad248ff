package logql

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestParseDelete(t *testing.T) {
	for _, text := range []string{`{}`, `{app=~".*"}`, `{app="x"}`, `{app=~".*"} |= "x" | json`} {
		log, err := ParseDelete(text)
		require.NoError(t, err, text)
		require.Equal(t, text, log.String())
	}
	for _, text := range []string{``, `{`, `{a="b"} |= `, `{a="b"} | json x=`} {
		_, err := ParseDelete(text)
		var refused *ParseError
		require.ErrorAs(t, err, &refused, text)
	}
	_, err := ParseDelete(`rate({app="x"}[1m])`)
	require.ErrorIs(t, err, ErrNotLog)
}
