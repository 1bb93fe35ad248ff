package chunk

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/require"
)

func benchEntries(size int) (entries []Entry, raw []byte) {
	r := rand.New(rand.NewPCG(1, 1))
	ts := int64(1_790_000_000_000_000_000)
	for len(raw) < size {
		ts += r.Int64N(2_000_000)
		line := fmt.Appendf(nil, "ts=%d level=%s caller=server.go:%d method=GET path=/api/v1/items/%d status=%d duration=%dms trace=%016x",
			ts, []string{"info", "warn", "debug"}[r.IntN(3)], r.IntN(300), r.IntN(100_000), 200+r.IntN(300), r.IntN(1000), r.Uint64())
		entries = append(entries, Entry{Timestamp: ts, Line: line})
		raw = append(append(raw, line...), '\n')
	}
	return entries, raw
}

func BenchmarkEncodePlain(b *testing.B) {
	entries, raw := benchEntries(2 << 20)
	b.SetBytes(int64(len(raw)))
	b.ReportAllocs()
	var buf []byte
	for b.Loop() {
		var err error
		buf, _, err = Encode(buf[:0], EncodingPlain, entries, 0)
		require.NoError(b, err)
	}
	b.ReportMetric(float64(len(buf))/float64(len(raw)), "stored/raw")
}

func BenchmarkEncodeZstdFloor(b *testing.B) {
	_, raw := benchEntries(2 << 20)
	e, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderCRC(false))
	require.NoError(b, err)
	b.SetBytes(int64(len(raw)))
	var buf []byte
	for b.Loop() {
		buf = e.EncodeAll(raw, buf[:0])
	}
	b.ReportMetric(float64(len(buf))/float64(len(raw)), "stored/raw")
}

func BenchmarkOpenPlain(b *testing.B) {
	entries, raw := benchEntries(2 << 20)
	data, meta, err := Encode(nil, EncodingPlain, entries, 0)
	require.NoError(b, err)
	b.SetBytes(int64(len(raw)))
	b.ReportAllocs()
	for b.Loop() {
		r, err := Open(data, meta)
		require.NoError(b, err)
		r.Close()
	}
}

func BenchmarkOpenZstdFloor(b *testing.B) {
	_, raw := benchEntries(2 << 20)
	e, err := zstd.NewWriter(nil)
	require.NoError(b, err)
	data := e.EncodeAll(raw, nil)
	d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1))
	require.NoError(b, err)
	b.SetBytes(int64(len(raw)))
	var buf []byte
	for b.Loop() {
		if buf, err = d.DecodeAll(data, buf[:0]); err != nil {
			b.Fatal(err)
		}
	}
}
