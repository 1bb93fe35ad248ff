package chunk

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

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

// goldenLogs has lines for all kinds of columns.
func goldenLogs() (entries []Entry) {
	r := rand.New(rand.NewPCG(3, 4))
	for i := range 600 {
		ts := 1_790_000_000_000_000_000 + int64(i)*1_234_567_890
		at := time.Unix(0, ts).UTC()
		var line []byte
		switch n := r.IntN(20); {
		case n < 8:
			line = fmt.Appendf(nil, `{"ts":%q,"level":%q,"status":%d,"took":%d.%03d,"trace_id":"%016x%016x","size":%d}`,
				at.Format(time.RFC3339Nano), []string{"info", "warn"}[r.IntN(2)], 200+r.IntN(3), r.IntN(10), r.IntN(1000), r.Uint64(), r.Uint64(), 1000+7*i)
		case n < 14:
			line = fmt.Appendf(nil, "%s INFO [worker-%02d] 10.0.%d.%d: block blk_%d (0x%x)\tstored as %08x-%04x-%04x-%04x-%012x",
				at.Format("2006-01-02 15:04:05,000"), r.IntN(30), r.IntN(200), r.IntN(200), r.Int64(), r.Uint32(), r.Uint32(), r.IntN(1<<16), r.IntN(1<<16), r.IntN(1<<16), r.Int64N(1<<48))
		case n < 16:
			line = fmt.Appendf(nil, "rare event %d of kind-%c%c: \x00\x01\x07\x08\n %d of %08x", r.IntN(100), 'a'+r.IntN(26), 'a'+r.IntN(26), r.IntN(1000), r.Uint32())
		case n < 18:
			line = fmt.Appendf(nil, "%c%c%c%c", r.IntN(256), r.IntN(256), r.IntN(256), r.IntN(256))
		default:
			line = fmt.Appendf(nil, "user %s logged in", []string{"anna", "bert", "carl", "dora"}[r.IntN(4)])
		}
		entries = append(entries, Entry{Timestamp: ts, Line: line})
	}
	return entries
}

// The files were written by versions of the program that may be old. They are read for ever.
func TestGolden(t *testing.T) {
	for _, golden := range []struct {
		name     string
		encoding Encoding
		entries  []Entry
	}{
		{"plain-v1", EncodingPlain, goldenEntries()},
		{"columnar-v1", EncodingColumnar, goldenEntries()},
		{"columnar-v1-logs", EncodingColumnar, goldenLogs()},
		{"columnar-v2-logs", EncodingColumnar, goldenLogs()}, // with marks in the text of templates
	} {
		t.Run(golden.name, func(t *testing.T) {
			file := filepath.Join("testdata", golden.name)
			if os.Getenv("CAMBIUM_WRITE_GOLDEN") == golden.name {
				data, meta, err := Encode(nil, golden.encoding, golden.entries, 42)
				require.NoError(t, err)
				text, err := json.MarshalIndent(meta, "", "  ")
				require.NoError(t, err)
				require.NoError(t, os.WriteFile(file+".chunk", data, 0o644))
				require.NoError(t, os.WriteFile(file+".json", append(text, '\n'), 0o644))
			}
			data, err := os.ReadFile(file + ".chunk")
			require.NoError(t, err)
			text, err := os.ReadFile(file + ".json")
			require.NoError(t, err)
			var meta Meta
			require.NoError(t, json.Unmarshal(text, &meta))
			r, err := Open(data, meta)
			require.NoError(t, err)
			requireSameEntries(t, golden.entries, ReadAll(nil, r))
			r.Close()
		})
	}
}
