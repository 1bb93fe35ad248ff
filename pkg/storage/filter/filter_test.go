package filter

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/cambium-logs/cambium/internal/race"
)

func randomText(r *rand.Rand) []byte {
	var b []byte
	for range r.IntN(8) {
		switch r.IntN(4) {
		case 0:
			b = fmt.Appendf(b, "request id=%016x ", r.Uint64())
		case 1:
			b = fmt.Appendf(b, "took %d ms ", r.IntN(10000))
		case 2:
			b = append(b, "Connection closed by peer "...)
		default:
			for range r.IntN(20) {
				b = append(b, byte(r.Uint32()))
			}
		}
	}
	return b
}

func build(texts [][]byte) Chunk {
	var k Keys
	for _, t := range texts {
		k.AddLine(t)
	}
	return k.Chunk()
}

// Whatever is cut from a text that is in the chunk, in any case of its letters, may be in the chunk.
func TestNoFalseNegatives(t *testing.T) {
	for seed := range race.Cases(uint64(200)) {
		r := rand.New(rand.NewPCG(seed, 1))
		chunks := make([]Chunk, 1+r.IntN(20))
		texts := make([][][]byte, len(chunks))
		for i := range chunks {
			for range r.IntN(60) {
				texts[i] = append(texts[i], randomText(r))
			}
			chunks[i] = build(texts[i])
		}
		section := Encode(nil, chunks)
		got, err := Decode(section)
		require.NoError(t, err)
		require.Len(t, got, len(chunks))
		for i := range got {
			require.Equal(t, chunks[i].Precision, got[i].Precision)
			require.Equal(t, len(chunks[i].Hashes), len(got[i].Hashes))
			for k := range got[i].Hashes {
				require.Equal(t, chunks[i].Hashes[k], got[i].Hashes[k])
			}
		}
		h, err := ReadHeader(section)
		require.NoError(t, err)
		for i := range chunks {
			for _, text := range texts[i] {
				if len(text) < MinNeedle {
					continue
				}
				from := r.IntN(len(text) - MinNeedle + 1)
				needle := text[from : from+MinNeedle+r.IntN(len(text)-MinNeedle-from+1)]
				if r.IntN(2) == 0 {
					needle = asciiUpper(needle)
				}
				keys := Needle(needle)
				require.NotEmpty(t, keys)
				other := chunks[r.IntN(len(chunks))]
				union := chunks[i].Union(&other)
				candidates := make([]uint64, len(chunks)/64+1)
				for c := range chunks {
					candidates[c>>6] |= 1 << (c & 63)
				}
				for _, key := range keys {
					require.True(t, chunks[i].Has(key))
					require.True(t, union.Has(key))
					off, n := h.Range(key)
					require.NoError(t, h.Ask(key, section[off:off+n], candidates))
				}
				require.NotZero(t, candidates[i>>6]&(1<<(i&63)), "%q", needle)
			}
		}
	}
}

func asciiUpper(b []byte) []byte {
	out := bytes.Clone(b)
	for i, c := range out {
		if c >= 'a' && c <= 'z' {
			out[i] = c - 'a' + 'A'
		}
	}
	return out
}

// A filter that always says maybe would pass the test above.
func TestFewFalsePositives(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var texts [][]byte
	for i := range 5000 {
		texts = append(texts, fmt.Appendf(nil, "request %d trace=%016x%016x done", i, r.Uint64(), r.Uint64()))
	}
	c := build(texts)
	maybe := 0
	const asked = 5000
	for range asked {
		needle := fmt.Appendf(nil, "%016x", r.Uint64())
		all := true
		for _, key := range Needle(needle) {
			all = all && c.Has(key)
		}
		if all {
			maybe++
		}
	}
	require.Less(t, maybe, asked/50)
}

func TestShortNeedles(t *testing.T) {
	require.Empty(t, Needle([]byte("fifteen letters")))
	require.NotEmpty(t, Needle([]byte("sixteen letters!")))
}

func TestDamage(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	var chunks []Chunk
	for range 5 {
		var texts [][]byte
		for range 50 {
			texts = append(texts, randomText(r))
		}
		chunks = append(chunks, build(texts))
	}
	section := Encode(nil, chunks)
	for at := range section {
		bad := bytes.Clone(section)
		bad[at] ^= 1 << r.IntN(8)
		_, err := Decode(bad)
		require.ErrorIs(t, err, ErrCorrupt, "byte %d", at)
		_, err = Decode(section[:at])
		require.ErrorIs(t, err, ErrCorrupt)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(Encode(nil, []Chunk{build([][]byte{[]byte("a text of some length with 123456")}), {}}))
	f.Fuzz(func(t *testing.T, section []byte) {
		chunks, err := Decode(section)
		if err != nil {
			require.ErrorIs(t, err, ErrCorrupt)
			return
		}
		require.Equal(t, section, Encode(nil, chunks))
	})
}

func BenchmarkKeys(b *testing.B) {
	r := rand.New(rand.NewPCG(4, 4))
	var texts [][]byte
	size := 0
	if data, err := os.ReadFile(os.Getenv("FILTER_BENCH_FILE")); err == nil {
		texts = bytes.Split(data, []byte("\n"))
		size = len(data)
	} else {
		for i := range 5000 {
			t := fmt.Appendf(nil, `{"ts":"2026-11-01T00:00:00.%06dZ","level":"info","msg":"request served","n":%d,"trace_id":"%016x%016x"}`, r.IntN(1e6), i, r.Uint64(), r.Uint64())
			texts = append(texts, t)
			size += len(t)
		}
	}
	b.SetBytes(int64(size))
	var k Keys
	for b.Loop() {
		k.Reset()
		for _, t := range texts {
			k.AddLine(t)
		}
		k.Chunk()
	}
	section := Encode(nil, []Chunk{k.Chunk()})
	b.ReportMetric(100*float64(len(section))/float64(size), "%raw")
}
