package chunk

import (
	"sync"

	"github.com/klauspost/compress/zstd"
)

// Encoders and decoders are kept in pools, so that an idle process gives their tables back to the garbage collector.
var (
	zstdEncoders = sync.Pool{New: func() any {
		// The options are constant and valid: an error cannot happen.
		e, _ := zstd.NewWriter(nil,
			zstd.WithEncoderLevel(zstd.SpeedDefault),
			zstd.WithEncoderConcurrency(1),
			zstd.WithEncoderCRC(false),
			zstd.WithSingleSegment(true),
			zstd.WithWindowSize(4<<20),
			zstd.WithLowerEncoderMem(true),
		)
		return e
	}}
	zstdDecoders = sync.Pool{New: func() any {
		d, _ := zstd.NewReader(nil,
			zstd.WithDecoderConcurrency(1),
			zstd.WithDecoderLowmem(true),
			zstd.WithDecodeAllCapLimit(true),
			zstd.WithDecoderMaxMemory(2*MaxRawBytes),
		)
		return d
	}}
)

// zstdCompress appends one frame holding src to dst.
func zstdCompress(dst, src []byte) []byte {
	e := zstdEncoders.Get().(*zstd.Encoder)
	defer zstdEncoders.Put(e)
	return e.EncodeAll(src, dst)
}

// zstdDecompress appends what src holds to dst, within dst's capacity: more is an error.
func zstdDecompress(dst, src []byte) ([]byte, error) {
	d := zstdDecoders.Get().(*zstd.Decoder)
	defer zstdDecoders.Put(d)
	return d.DecodeAll(src, dst)
}
