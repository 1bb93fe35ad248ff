package ingest

import (
	"bytes"
	"compress/flate"
	"errors"
	"io"
	"sync"

	"github.com/golang/snappy"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
)

// Content encodings.
const (
	EncodingNone    = ""
	EncodingSnappy  = "snappy"
	EncodingGzip    = "gzip"
	EncodingDeflate = "deflate"
	EncodingZstd    = "zstd"
	EncodingLZ4     = "lz4"
)

// Decompress undoes a Content-Encoding. The result is body itself where there is nothing to undo. What would become longer than
// bounds.MaxDecompressed is refused with 413 before it is held, damaged data with 400. EncodingSnappy is the block format.
func Decompress(encoding string, body []byte, bounds Bounds) ([]byte, error) {
	bounds.EnsureDefaults()
	switch encoding {
	case EncodingNone:
		return body, nil
	case EncodingSnappy:
		return decodeSnappy(nil, body, bounds)
	case EncodingGzip:
		r, err := openGzip(body)
		if err != nil {
			return nil, badRequest("%s", err)
		}
		defer gzips.Put(r)
		return readBounded(r, len(body), bounds)
	case EncodingDeflate:
		return readBounded(flate.NewReader(bytes.NewReader(body)), len(body), bounds)
	case EncodingZstd:
		r, err := zstd.NewReader(bytes.NewReader(body), zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(zstdWindow),
			zstd.WithDecoderMaxMemory(uint64(bounds.MaxDecompressed)+1))
		if err != nil {
			return nil, badRequest("zstd: %s", err)
		}
		defer r.Close()
		return readBounded(r, len(body), bounds)
	case EncodingLZ4:
		return readBounded(lz4.NewReader(bytes.NewReader(body)), len(body), bounds)
	default:
		return nil, badRequest("Content-Encoding %q not supported", encoding)
	}
}

// zstdWindow is the largest window a sender may ask a decoder to hold.
const zstdWindow = 8 << 20

func errDecompressed(limit int64) *Error {
	return tooLarge("decompressed message size too large: more than %d bytes", limit)
}

// snappyRatio is more than any snappy block can expand: an element of three bytes gives at most 64.
const snappyRatio = 32

// decodeSnappy decodes a block into dst if it is large enough.
func decodeSnappy(dst, body []byte, bounds Bounds) ([]byte, error) {
	n, err := snappy.DecodedLen(body)
	if err != nil {
		return nil, badRequest("%s", err)
	}
	if int64(n) > bounds.MaxDecompressed {
		return nil, errDecompressed(bounds.MaxDecompressed)
	}
	if n/snappyRatio > len(body) {
		return nil, badRequest("%s", snappy.ErrCorrupt)
	}
	if err := bounds.Reserved.Take(int64(n)); err != nil {
		return nil, err
	}
	out, err := snappy.Decode(dst[:cap(dst)], body)
	if err != nil {
		return nil, badRequest("%s", err)
	}
	return out, nil
}

var gzips sync.Pool

func openGzip(body []byte) (*gzip.Reader, error) {
	if r, ok := gzips.Get().(*gzip.Reader); ok {
		if err := r.Reset(bytes.NewReader(body)); err != nil {
			return nil, err
		}
		return r, nil
	}
	return gzip.NewReader(bytes.NewReader(body))
}

// trustExpansion is how much is allocated before anything was decompressed.
const trustExpansion = 4 << 20

// readBounded reads all of r, growing as data really comes.
func readBounded(r io.Reader, compressed int, bounds Bounds) ([]byte, error) {
	first := make([]byte, 0, min(int64(compressed)*4+bytes.MinRead, trustExpansion, bounds.MaxDecompressed+1))
	out, _, err := ReadAll(r, first, bounds.MaxDecompressed, bounds.Reserved)
	if errors.Is(err, ErrTooLong) || errors.Is(err, zstd.ErrDecoderSizeExceeded) {
		return nil, errDecompressed(bounds.MaxDecompressed)
	}
	var refused *Error
	if errors.As(err, &refused) {
		return nil, refused
	}
	if err != nil {
		return nil, badRequest("%s", err)
	}
	return out, nil
}
