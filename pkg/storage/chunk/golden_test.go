package chunk

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"testing"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/stretchr/testify/require"
)

func goldenEntries() (entries []Entry) {
	r := rand.New(rand.NewPCG(1, 2))
	for i := range 200 {
		e := Entry{Timestamp: 1_790_000_000_000_000_000 + int64(i/3)*1_000_000, Line: fmt.Appendf(nil, "level=info msg=\"request %d done\" status=%d\r\n\x00\xff", i, 200+r.IntN(300))}
		if i%4 == 0 {
			e.Metadata = []labels.Label{{Name: "pod", Value: fmt.Sprintf("pod-%d", r.IntN(3))}, {Name: "trace_id", Value: fmt.Sprintf("%016x", r.Uint64())}}
		}
		entries = append(entries, e)
	}
	return append(entries, Entry{Timestamp: entries[199].Timestamp + 1e12})
}

// The file was written by the first version of the format and is read for ever.
func TestGoldenPlain(t *testing.T) {
	entries := goldenEntries()
	if os.Getenv("CAMBIUM_WRITE_GOLDEN") != "" {
		data, meta, err := Encode(nil, EncodingPlain, entries, 42)
		require.NoError(t, err)
		text, err := json.MarshalIndent(meta, "", "  ")
		require.NoError(t, err)
		require.NoError(t, os.MkdirAll("testdata", 0o755))
		require.NoError(t, os.WriteFile("testdata/plain-v1.chunk", data, 0o644))
		require.NoError(t, os.WriteFile("testdata/plain-v1.json", append(text, '\n'), 0o644))
	}
	data, err := os.ReadFile("testdata/plain-v1.chunk")
	require.NoError(t, err)
	text, err := os.ReadFile("testdata/plain-v1.json")
	require.NoError(t, err)
	var meta Meta
	require.NoError(t, json.Unmarshal(text, &meta))
	r, err := Open(data, meta)
	require.NoError(t, err)
	requireSameEntries(t, entries, ReadAll(nil, r))
	r.Close()
}
