package ingest

import (
	"bytes"
	"compress/gzip"
	"errors"
	"net/http"
	"testing"

	"github.com/golang/snappy"
	"github.com/stretchr/testify/require"
)

// Requests that are small by themselves are refused where together they would take too much, and take nothing with them.
func TestMemory(t *testing.T) {
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	_, err := z.Write(make([]byte, 3<<20))
	require.NoError(t, err)
	require.NoError(t, z.Close())
	entries := bytes.Repeat([]byte{0x12, 0}, 1<<16) // empty entries
	stream := append([]byte{0x0a, 0x80, 0x80, 0x08}, entries...)

	for name, decode := range map[string]func(Bounds) error{
		"gzip": func(b Bounds) error { _, err := Decompress(EncodingGzip, packed.Bytes(), b); return err },
		"snappy": func(b Bounds) error {
			_, err := Decompress(EncodingSnappy, snappy.Encode(nil, make([]byte, 3<<20)), b)
			return err
		},
		"entries": func(b Bounds) error {
			batch := &Batch{maxItems: 1 << 20, reserved: b.Reserved}
			return DecodeProtobuf(stream, batch)
		},
		"otlp": func(b Bounds) error {
			r := NewReceiver(nil, Options{})
			return r.DecodeOTLP("t", contentTypeJSON, "", []byte(`{"x":"`+string(bytes.Repeat([]byte{'x'}, 1<<20))+`"}`), b, NewBatch(b))
		},
	} {
		t.Run(name, func(t *testing.T) {
			memory := NewMemory(8 << 20)
			other := memory.Reserve()
			require.NoError(t, other.Take(6<<20))
			mine := memory.Reserve()
			err := decode(Bounds{Reserved: mine})
			var refused *Error
			require.True(t, errors.As(err, &refused), "%v", err)
			require.Equal(t, http.StatusServiceUnavailable, refused.Status)
			require.NotZero(t, refused.RetryAfter)
			mine.Release()
			require.EqualValues(t, 6<<20, memory.Used())
			other.Release()
			if name == "gzip" || name == "snappy" {
				require.NoError(t, decode(Bounds{Reserved: mine}))
			}
			mine.Release()
			require.Zero(t, memory.Used())
		})
	}
	require.NoError(t, decodeNothing(nil))
}

func decodeNothing(r *Reservation) error { return r.Take(1 << 40) }
