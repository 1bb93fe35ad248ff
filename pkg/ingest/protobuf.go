package ingest

import (
	"errors"
	"io"
	"math"

	"github.com/cambium-logs/cambium/pkg/storage/chunk"
)

// DecodeProtobuf reads a logproto.PushRequest message (after snappy) into batch. Lines and strings alias body. Unknown fields are skipped.
func DecodeProtobuf(body []byte, batch *Batch) error {
	w := wire{data: body}
	for !w.done() {
		field, kind, err := w.tag()
		if err != nil {
			return refuseProtobuf(err)
		}
		switch field {
		case 1:
			err = w.message(kind, func(stream wire) error { return decodeStream(stream, batch) })
		case 2:
			_, err = w.bytes(kind)
		default:
			err = w.skip(kind)
		}
		if err != nil {
			return refuseProtobuf(err)
		}
	}
	return nil
}

func refuseProtobuf(err error) *Error {
	var refusal *Error
	if errors.As(err, &refusal) {
		return refusal
	}
	return badRequest("%s", err)
}

func decodeStream(w wire, batch *Batch) error {
	if err := batch.beginStream(); err != nil {
		return err
	}
	var labelText []byte
	for !w.done() {
		field, kind, err := w.tag()
		if err != nil {
			return err
		}
		switch field {
		case 1:
			labelText, err = w.bytes(kind)
		case 2:
			var entry []byte
			if entry, err = w.bytes(kind); err == nil {
				err = decodeEntry(wire{data: entry}, batch)
			}
		case 3:
			if kind != kindVarint {
				return errWireType
			}
			_, err = w.varint()
		default:
			err = w.skip(kind)
		}
		if err != nil {
			return err
		}
	}
	batch.endStream(alias(labelText))
	return nil
}

func decodeEntry(w wire, batch *Batch) error {
	entry := chunk.Entry{Timestamp: zeroTime}
	metadata := len(batch.metadata)
	for !w.done() {
		field, kind, err := w.tag()
		if err != nil {
			return err
		}
		var value []byte
		switch field {
		case 1:
			if value, err = w.bytes(kind); err == nil {
				entry.Timestamp, err = decodeTimestamp(wire{data: value})
			}
		case 2:
			entry.Line, err = w.bytes(kind)
		case 3, 4:
			if value, err = w.bytes(kind); err != nil {
				return err
			}
			var name, text []byte
			if name, text, err = decodePair(wire{data: value}); err == nil && field == 3 {
				if refusal := batch.addMetadata(alias(name), alias(text)); refusal != nil {
					return refusal
				}
			}
		default:
			err = w.skip(kind)
		}
		if err != nil {
			return err
		}
	}
	entry.Metadata = batch.metadataSince(metadata)
	if err := batch.addEntry(entry); err != nil {
		return err
	}
	return nil
}

func decodePair(w wire) (name, value []byte, err error) {
	for !w.done() {
		field, kind, err := w.tag()
		if err != nil {
			return nil, nil, err
		}
		switch field {
		case 1:
			name, err = w.bytes(kind)
		case 2:
			value, err = w.bytes(kind)
		default:
			err = w.skip(kind)
		}
		if err != nil {
			return nil, nil, err
		}
	}
	return name, value, nil
}

// zeroTime stands for an entry without a timestamp field: year 1, far outside every accepted window.
const zeroTime = math.MinInt64

// The range of a google.protobuf.Timestamp, in seconds: years 1 to 9999.
const (
	minTimestamp = -62135596800
	endTimestamp = 253402300800
)

// decodeTimestamp gives nanoseconds since the epoch; what does not fit is the nearest that does.
func decodeTimestamp(w wire) (int64, error) {
	var seconds, nanos int64
	for !w.done() {
		field, kind, err := w.tag()
		if err != nil {
			return 0, err
		}
		switch field {
		case 1, 2:
			if kind != kindVarint {
				return 0, errWireType
			}
			var v uint64
			if v, err = w.varint(); err != nil {
				return 0, err
			}
			if field == 1 {
				seconds = int64(v)
			} else {
				nanos = int64(int32(v))
			}
		default:
			if err = w.skip(kind); err != nil {
				return 0, err
			}
		}
	}
	if seconds < minTimestamp || seconds >= endTimestamp || nanos < 0 || nanos >= 1e9 {
		return 0, errTimestamp
	}
	switch {
	case seconds > math.MaxInt64/1_000_000_000-1:
		return math.MaxInt64, nil
	case seconds < math.MinInt64/1_000_000_000+1:
		return math.MinInt64, nil
	}
	return seconds*1_000_000_000 + nanos, nil
}

var (
	errWireType  = errors.New("proto: wrong wire type")
	errVarint    = errors.New("proto: integer overflow")
	errLength    = errors.New("proto: negative length found during unmarshaling")
	errTag       = errors.New("proto: illegal tag")
	errGroup     = errors.New("proto: unexpected end of group")
	errTimestamp = errors.New("proto: timestamp out of range")
)

// Wire types of protobuf.
const (
	kindVarint = iota
	kindFixed64
	kindBytes
	kindGroup
	kindEndGroup
	kindFixed32
)

// wire reads protobuf's encoding from the front of data.
type wire struct{ data []byte }

func (w *wire) done() bool { return len(w.data) == 0 }

func (w *wire) varint() (uint64, error) {
	if len(w.data) > 0 && w.data[0] < 0x80 {
		v := uint64(w.data[0])
		w.data = w.data[1:]
		return v, nil
	}
	return w.longVarint()
}

func (w *wire) longVarint() (uint64, error) {
	var v uint64
	for i, b := range w.data {
		if i == 10 {
			return 0, errVarint
		}
		v |= uint64(b&0x7f) << (7 * i)
		if b < 0x80 {
			w.data = w.data[i+1:]
			return v, nil
		}
	}
	if len(w.data) >= 10 {
		return 0, errVarint
	}
	return 0, io.ErrUnexpectedEOF
}

func (w *wire) tag() (field int32, kind int, err error) {
	v, err := w.varint()
	if err != nil {
		return 0, 0, err
	}
	field, kind = int32(v>>3), int(v&7)
	if kind == kindEndGroup {
		return 0, 0, errGroup
	}
	if field <= 0 {
		return 0, 0, errTag
	}
	return field, kind, nil
}

func (w *wire) bytes(kind int) ([]byte, error) {
	if kind != kindBytes {
		return nil, errWireType
	}
	n, err := w.varint()
	if err != nil {
		return nil, err
	}
	if n > math.MaxInt64 {
		return nil, errLength
	}
	if n > uint64(len(w.data)) {
		return nil, io.ErrUnexpectedEOF
	}
	v := w.data[:n:n]
	w.data = w.data[n:]
	return v, nil
}

func (w *wire) message(kind int, decode func(wire) error) error {
	data, err := w.bytes(kind)
	if err != nil {
		return err
	}
	return decode(wire{data: data})
}

// skip passes over a field that is not known. Groups may nest, up to a depth that no sender reaches.
func (w *wire) skip(kind int) error {
	depth := 0
	for {
		switch kind {
		case kindVarint:
			if _, err := w.varint(); err != nil {
				return err
			}
		case kindFixed64:
			if len(w.data) < 8 {
				return io.ErrUnexpectedEOF
			}
			w.data = w.data[8:]
		case kindFixed32:
			if len(w.data) < 4 {
				return io.ErrUnexpectedEOF
			}
			w.data = w.data[4:]
		case kindBytes:
			if _, err := w.bytes(kind); err != nil {
				return err
			}
		case kindGroup:
			depth++
		case kindEndGroup:
			if depth == 0 {
				return errGroup
			}
			depth--
		default:
			return errWireType
		}
		if depth == 0 {
			return nil
		}
		v, err := w.varint()
		if err != nil {
			return err
		}
		kind = int(v & 7)
	}
}
