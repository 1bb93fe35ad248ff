package chunk

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/cambium-logs/cambium/internal/race"
)

// TestOutlineIsWhatOpenGives reads outlines of random chunks and holds them against the opened chunk; no line is read on the way.
func TestOutlineIsWhatOpenGives(t *testing.T) {
	for seed := range race.Cases(uint64(200)) {
		r := rand.New(rand.NewPCG(seed, 5))
		entries := Normalize(randomEntries(r, 1+r.IntN(300)))
		encoding := encodings[seed%2]
		data, meta, err := Encode(nil, encoding, entries, 0)
		require.NoError(t, err)
		parts, err := splitParts(data)
		require.NoError(t, err)
		var read, lines int64
		for _, p := range parts {
			if p.kind == partLines || p.kind == partColumnLines {
				lines = int64(len(p.stored))
			}
		}
		wanted := r.IntN(2) == 0
		outline, err := ReadOutline(meta, wanted, func(offset, length int64) ([]byte, error) {
			read += length
			return data[offset : offset+length : offset+length], nil
		})
		require.NoError(t, err, "seed %d", seed)
		require.Equal(t, read, outline.Read)
		require.LessOrEqual(t, read, headerGuess+int64(len(data))-lines, "seed %d", seed)
		require.Equal(t, wanted && encoding == EncodingPlain, outline.Ends != nil)
		end := uint32(0)
		for i := range entries {
			require.Equal(t, entries[i].Timestamp, outline.Times[i])
			if end += uint32(len(entries[i].Line)); outline.Ends != nil {
				require.Equal(t, end, outline.Ends[i])
			}
		}
	}
}

// TestDamagedOutline: a flipped bit in what is read, or a cut, is an error.
func TestDamagedOutline(t *testing.T) {
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 6))
		data, meta, err := Encode(nil, encodings[seed%2], Normalize(randomEntries(r, 1+r.IntN(100))), 0)
		require.NoError(t, err)
		at := make([]bool, len(data)) // bytes that an intact outline reads
		read := func(offset, length int64) ([]byte, error) {
			for i := range length {
				at[offset+i] = true
			}
			return data[offset : offset+length : offset+length], nil
		}
		want, err := ReadOutline(meta, true, read)
		require.NoError(t, err)
		flip := r.IntN(len(data))
		data[flip] ^= 1 << r.IntN(8)
		got, err := ReadOutline(meta, true, read)
		if !at[flip] {
			require.NoError(t, err)
		}
		if err == nil {
			require.Equal(t, want, got)
		} else {
			require.ErrorIs(t, err, ErrCorrupt)
		}
	}
}
