package chunk

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestTemplates holds the list against the lines: every line is spelled by one of the templates, and the rows add up.
func TestTemplates(t *testing.T) {
	for name, line := range map[string]func(i int) string{
		"one":     func(int) string { return "the same" },
		"few":     func(i int) string { return fmt.Sprintf("shard %d is full", i%7) },
		"numbers": func(i int) string { return fmt.Sprintf("level=info took=%dms path=/a/%d", i*37, i) },
		"two": func(i int) string {
			return []string{"started worker %d", "stopped worker %d now"}[i%2] + fmt.Sprint(i*i)
		},
		"anything": func(i int) string { return string(bytes.Repeat([]byte{byte(i), byte(i * 7), byte(i * 31)}, i%50)) },
	} {
		t.Run(name, func(t *testing.T) {
			var entries []Entry
			for i := range 500 {
				entries = append(entries, Entry{Timestamp: int64(i), Line: []byte(line(i))})
			}
			data, meta, err := Encode(nil, EncodingColumnar, entries, 0)
			require.NoError(t, err)
			r, err := Open(data, meta)
			require.NoError(t, err)
			defer r.Close()
			list := Templates(r)
			if list == nil {
				return
			}
			rows := 0
			for _, tpl := range list {
				rows += tpl.Rows
			}
			require.Equal(t, len(entries), rows)
			for _, e := range entries {
				require.True(t, spelled(e.Line, list), "%q", e.Line)
			}
		})
	}
	data, meta, err := Encode(nil, EncodingPlain, []Entry{{Line: []byte("x")}}, 0)
	require.NoError(t, err)
	r, err := Open(data, meta)
	require.NoError(t, err)
	defer r.Close()
	require.Nil(t, Templates(r))
}

func spelled(line []byte, list []Template) bool {
	for _, tpl := range list {
		last := len(tpl.Pieces) - 1
		if last == 0 {
			if bytes.Equal(line, tpl.Pieces[0]) {
				return true
			}
			continue
		}
		rest, ok := bytes.CutPrefix(line, tpl.Pieces[0])
		for _, p := range tpl.Pieces[1:last] {
			at := bytes.Index(rest, p)
			if ok = ok && at >= 0; !ok {
				break
			}
			rest = rest[at+len(p):]
		}
		if ok && bytes.HasSuffix(rest, tpl.Pieces[last]) {
			return true
		}
	}
	return false
}
