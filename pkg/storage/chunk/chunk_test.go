package chunk

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/stretchr/testify/require"

	"github.com/cambium-logs/cambium/internal/race"

	"github.com/cambium-logs/cambium/pkg/internal/cursor"
)

// randomEntries makes any mix that a push may bring: any bytes, equal times, extremes, duplicates, with and without metadata.
func randomEntries(r *rand.Rand, n int) []Entry {
	entries := make([]Entry, 0, n)
	spread := []int64{1, 10, 1e3, 1e9, 1e15}[r.IntN(5)]
	base := []int64{0, -5, 1_790_000_000_000_000_000, math.MinInt64, math.MaxInt64 - 1e16}[r.IntN(5)]
	maxLine := []int{0, 3, 80, 5000}[r.IntN(4)]
	text := r.IntN(2) == 0
	withMetadata := r.IntN(3)
	for range n {
		if len(entries) > 0 && r.IntN(10) == 0 {
			entries = append(entries, entries[r.IntN(len(entries))])
			continue
		}
		e := Entry{Timestamp: base + r.Int64N(spread)}
		e.Line = make([]byte, r.IntN(maxLine+1))
		for i := range e.Line {
			if text {
				e.Line[i] = "abc 01=\n\x00\xff"[r.IntN(10)]
			} else {
				e.Line[i] = byte(r.Uint32())
			}
		}
		if withMetadata > 0 && r.IntN(withMetadata) == 0 {
			for k := range r.IntN(4) {
				e.Metadata = append(e.Metadata, labels.Label{Name: fmt.Sprintf("n%d", k), Value: fmt.Sprint(r.IntN(1 << (3 * k)))})
			}
		}
		entries = append(entries, e)
	}
	return entries
}

func requireSameEntries(t testing.TB, want, got []Entry) {
	t.Helper()
	require.Len(t, got, len(want))
	for i := range want {
		require.True(t, want[i].Equal(&got[i]), "entry %d: want %v, got %v", i, want[i], got[i])
	}
}

// encodings are those that a stored chunk may have.
var encodings = [2]Encoding{EncodingPlain, EncodingColumnar}

func TestRoundTrip(t *testing.T) {
	for seed := range race.Cases(uint64(300)) {
		r := rand.New(rand.NewPCG(seed, 1))
		entries := Normalize(randomEntries(r, 1+r.IntN(400)))
		prefix := []byte("prefix")
		encoding := encodings[seed%2]
		data, meta, err := Encode(slices.Clone(prefix), encoding, entries, seed)
		require.NoError(t, err)
		require.True(t, bytes.HasPrefix(data, prefix))
		data = data[len(prefix):]
		require.Equal(t, encoding, meta.Encoding)
		require.Equal(t, seed, meta.Order)
		require.EqualValues(t, len(data), meta.StoredBytes)
		again, _, err := Encode(nil, encoding, entries, seed)
		require.NoError(t, err)
		require.Equal(t, data, again, "encoding is deterministic")

		reader, err := Open(data, meta)
		require.NoError(t, err, "seed %d", seed)
		requireSameEntries(t, entries, ReadAll(nil, reader))
		reader.Close()
		reader.Close()
	}
}

// Every entry that went in is there once, in time order, and equal times keep their arrival order.
func TestNormalize(t *testing.T) {
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 2))
		in := randomEntries(r, r.IntN(200))
		var want []Entry
		for i := range in {
			if !slices.ContainsFunc(want, func(e Entry) bool { return e.Equal(&in[i]) }) {
				want = append(want, in[i])
			}
		}
		slices.SortStableFunc(want, func(a, b Entry) int {
			if a.Timestamp < b.Timestamp {
				return -1
			}
			if a.Timestamp > b.Timestamp {
				return 1
			}
			return 0
		})
		requireSameEntries(t, want, Normalize(slices.Clone(in)))
	}
}

func TestEncodeRefusesWhatIsNotNormal(t *testing.T) {
	for name, entries := range map[string][]Entry{
		"nothing":           nil,
		"unsorted":          {{Timestamp: 2}, {Timestamp: 1}},
		"empty name":        {{Metadata: []labels.Label{{Value: "x"}}}},
		"empty value":       {{Metadata: []labels.Label{{Name: "x"}}}},
		"unsorted metadata": {{Metadata: []labels.Label{{Name: "b", Value: "1"}, {Name: "a", Value: "1"}}}},
		"double metadata":   {{Metadata: []labels.Label{{Name: "a", Value: "1"}, {Name: "a", Value: "2"}}}},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := Encode(nil, EncodingPlain, entries, 0)
			require.Error(t, err)
		})
	}
	_, _, err := Encode(nil, Encoding(77), []Entry{{}}, 0)
	require.ErrorContains(t, err, "unknown(77)")
}

func TestDamage(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	var entries []Entry
	for i := range 60 {
		e := Entry{Timestamp: int64(i) * 1e9, Line: fmt.Appendf(nil, "level=info msg=\"request %d\" took=%dms", i, r.IntN(1000))}
		e.Metadata = []labels.Label{{Name: "trace", Value: fmt.Sprint(r.Uint64())}}
		entries = append(entries, e)
	}
	for _, encoding := range encodings {
		data, meta, err := Encode(nil, encoding, entries, 1)
		require.NoError(t, err)
		requireDamageShows(t, data, meta)
	}
}

func requireDamageShows(t *testing.T, data []byte, meta Meta) {
	for at := range data {
		for _, bit := range []byte{1, 0x80, 0xff} {
			bad := bytes.Clone(data)
			bad[at] ^= bit
			require.ErrorIs(t, openAndRead(bad, meta), ErrCorrupt, "byte %d", at)
		}
	}
	for size := range data {
		require.ErrorIs(t, openAndRead(data[:size], meta), ErrCorrupt)
		short := meta
		short.StoredBytes = int64(size)
		require.ErrorIs(t, openAndRead(data[:size], short), ErrCorrupt)
	}
	for _, change := range []func(m *Meta){
		func(m *Meta) { m.Rows++ },
		func(m *Meta) { m.Rows-- },
		func(m *Meta) { m.Rows = math.MaxInt },
		func(m *Meta) { m.MinT-- },
		func(m *Meta) { m.MaxT++ },
		func(m *Meta) { m.LineBytes = m.RawBytes + 1 },
		func(m *Meta) { m.RawBytes++ },
		func(m *Meta) { m.RawBytes = math.MaxInt64; m.LineBytes = math.MaxInt64 },
		func(m *Meta) { m.RawBytes = -1 },
	} {
		bad := meta
		change(&bad)
		require.ErrorIs(t, openAndRead(data, bad), ErrCorrupt, "%+v", bad)
	}
}

// openAndRead reads all of a chunk and gives what was found wrong, at once or on the way.
func openAndRead(data []byte, meta Meta) error {
	r, err := Open(data, meta)
	if err != nil {
		return err
	}
	defer r.Close()
	ReadAll(nil, r)
	return Fault(r)
}

func FuzzOpen(f *testing.F) {
	for seed := range uint64(8) {
		r := rand.New(rand.NewPCG(seed, 3))
		data, meta, err := Encode(nil, EncodingPlain, Normalize(randomEntries(r, 20)), 0)
		require.NoError(f, err)
		f.Add(data, meta.MinT, meta.MaxT, meta.Rows, meta.RawBytes, meta.LineBytes)
	}
	f.Fuzz(func(t *testing.T, data []byte, minT, maxT int64, rows int, raw, line int64) {
		if rows > 1<<12 || raw > 1<<20 {
			return
		}
		meta := Meta{MinT: minT, MaxT: maxT, Rows: rows, RawBytes: raw, LineBytes: line, StoredBytes: int64(len(data)), Encoding: EncodingPlain}
		for _, repaired := range [][]byte{data, withChecksums(data)} {
			reader, err := Open(repaired, meta)
			if err != nil {
				continue
			}
			entries := ReadAll(nil, reader)
			reader.Close()
			require.Len(t, entries, rows)
			for i := range entries {
				require.LessOrEqual(t, minT, entries[i].Timestamp)
				require.GreaterOrEqual(t, maxT, entries[i].Timestamp)
			}
		}
	})
}

// withChecksums makes the checksums of a damaged payload right, so that what lies behind them is tested too.
func withChecksums(data []byte) []byte {
	d := cursor.Cursor{Rest: data}
	version, n := d.Byte(), d.Uvarint()
	if d.Bad() || version != payloadVersion || n > 8 {
		return data
	}
	parts := make([]part, n)
	lengths := make([]uint64, n)
	for i := range parts {
		parts[i].kind, parts[i].codec = partKind(d.Byte()), partCodec(d.Byte())
		lengths[i] = d.Uvarint()
		parts[i].rawLen = int(d.Uvarint())
		d.Uint32()
	}
	d.Uint32()
	for i := range parts {
		parts[i].stored = d.Bytes(min(lengths[i], uint64(len(d.Rest))))
		p := parts[i]
		parts[i].crc = checksum(p.stored)
	}
	if d.Bad() {
		return data
	}
	return appendParts(nil, parts)
}

func TestEncodeBest(t *testing.T) {
	r := rand.New(rand.NewPCG(8, 8))
	noise := make([]Entry, 50)
	regular := make([]Entry, 500)
	for i := range noise {
		noise[i] = Entry{Timestamp: int64(i), Line: make([]byte, 200)}
		for k := range noise[i].Line {
			noise[i].Line[k] = byte(r.Uint32())
		}
	}
	for i := range regular {
		regular[i] = Entry{Timestamp: int64(i), Line: fmt.Appendf(nil, "request %d served in %d ms", r.IntN(1e9), r.IntN(100))}
	}
	_, meta, err := EncodeBest(nil, noise, 0)
	require.NoError(t, err)
	for _, encoding := range encodings {
		_, other, err := Encode(nil, encoding, noise, 0)
		require.NoError(t, err)
		require.LessOrEqual(t, meta.StoredBytes, other.StoredBytes)
	}
	out, meta, err := EncodeBest([]byte("x"), regular, 0)
	require.NoError(t, err)
	require.Equal(t, EncodingColumnar, meta.Encoding)
	reader, err := Open(out[1:], meta)
	require.NoError(t, err)
	requireSameEntries(t, regular, ReadAll(nil, reader))
}

func FuzzRoundTrip(f *testing.F) {
	f.Add([]byte("line\nother\x00line"), int64(1), uint8(3))
	f.Fuzz(func(t *testing.T, line []byte, ts int64, cut uint8) {
		at := min(int(cut), len(line))
		entries := []Entry{{Timestamp: ts, Line: line[:at]}, {Timestamp: ts, Line: line[at:]}}
		if at > 0 && at < len(line) {
			entries[0].Metadata = []labels.Label{{Name: string(line[:at]), Value: string(line[at:])}}
		}
		entries = Normalize(entries)
		for _, encoding := range encodings {
			data, meta, err := Encode(nil, encoding, entries, 0)
			require.NoError(t, err)
			reader, err := Open(data, meta)
			require.NoError(t, err)
			requireSameEntries(t, entries, ReadAll(nil, reader))
			reader.Close()
		}
	})
}
