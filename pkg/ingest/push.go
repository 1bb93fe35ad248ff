package ingest

import (
	"mime"
)

// contentTypeJSON is the media type that tells JSON from protobuf.
const contentTypeJSON = "application/json"

// DecodePush reads the body of a push request into batch: JSON if contentType says so, otherwise snappy-compressed protobuf.
// legacyJSON selects the JSON of /api/prom/push. contentEncoding is undone first: none or snappy (which protobuf has anyway), gzip,
// deflate (raw), zstd. The batch aliases body, which must stay as it is until the batch is released. Errors are *Error.
func DecodePush(contentType, contentEncoding string, legacyJSON bool, body []byte, bounds Bounds, batch *Batch) error {
	bounds.EnsureDefaults()
	if int64(len(body)) > bounds.MaxBody {
		return ErrBodyTooLarge(bounds)
	}
	mediaType, _, err := mime.ParseMediaType(contentType)
	if err != nil {
		return badRequest("%s", err)
	}
	switch contentEncoding {
	case EncodingNone, EncodingSnappy:
	case EncodingGzip, EncodingDeflate, EncodingZstd:
		if body, err = Decompress(contentEncoding, body, bounds); err != nil {
			return err
		}
	default:
		return badRequest("Content-Encoding %q not supported", contentEncoding)
	}
	if mediaType == contentTypeJSON {
		if legacyJSON {
			return DecodeLegacyJSON(body, batch)
		}
		return DecodeJSON(body, batch)
	}
	if body, err = decodeSnappy(batch.decoded, body, bounds); err != nil {
		return err
	}
	batch.decoded = body
	return DecodeProtobuf(body, batch)
}

// ErrBodyTooLarge is the refusal of a body of more than bounds.MaxBody bytes.
func ErrBodyTooLarge(bounds Bounds) *Error {
	bounds.EnsureDefaults()
	return tooLarge("message size too large: more than %d bytes", bounds.MaxBody)
}
