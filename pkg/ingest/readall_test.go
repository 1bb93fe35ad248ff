package ingest

import (
	"bytes"
	"io"
	"math/rand/v2"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"
)

// Whatever the sizes, what is read is what is there, and what is reserved is at most twice that, a piece and the first buffer.
func TestReadAll(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 60 {
		text := make([]byte, random.IntN(1<<random.IntN(25)+1))
		for i := range text {
			text[i] = byte(random.Uint32())
		}
		var r io.Reader = bytes.NewReader(text)
		switch random.IntN(3) {
		case 0:
			r = iotest.HalfReader(r)
		case 1:
			r = iotest.DataErrReader(r)
		}
		first := make([]byte, 7, 7+random.IntN(10_000))
		memory := NewMemory(1 << 40)
		reserved := memory.Reserve()
		got, n, err := ReadAll(r, first, int64(len(text)), reserved)
		require.NoError(t, err)
		require.EqualValues(t, len(text), n)
		require.True(t, bytes.Equal(text, got))
		require.LessOrEqual(t, memory.Used(), int64(3*len(text)+cap(first)+firstPiece))
		reserved.Release()
		require.Zero(t, memory.Used())
		if len(text) > 0 {
			_, _, err = ReadAll(bytes.NewReader(text), nil, int64(len(text))-1, nil)
			require.ErrorIs(t, err, ErrTooLong)
			_, _, err = ReadAll(iotest.TimeoutReader(iotest.OneByteReader(bytes.NewReader(text[:min(len(text), 2)]))), nil, 10, nil)
			if len(text) > 1 {
				require.ErrorIs(t, err, iotest.ErrTimeout)
			}
		}
	}
}
