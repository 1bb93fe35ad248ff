package wal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"sync"

	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/zstd"
	"github.com/prometheus/prometheus/model/labels"

	"github.com/cambium-logs/cambium/pkg/internal/cursor"
	"github.com/cambium-logs/cambium/pkg/storage/chunk"
)

// Version is the format version that header records carry.
const Version = 1

// Kinds of records: the first byte of each. The numbers are part of the format.
const (
	kindHeader  = 1
	kindSeries  = 2
	kindEntries = 3
)

// Compression says how the bodies of records are stored. The numbers are part of the format.
type Compression uint8

// Compressions.
const (
	CompressionNone   Compression = 0
	CompressionSnappy Compression = 1
	CompressionZstd   Compression = 2
)

// maxBody bounds what a record may claim to expand to.
const maxBody = 1 << 30

const headerMagic = "cambium-wal"

var errRecord = errors.New("malformed record")

// Series is a stream as the log knows it. Ref is unique among all series of one log while the process runs; both fields never change.
type Series struct {
	Ref    uint64
	Labels labels.Labels
	// declared is the stretch of the log that declares the series, guarded by Log.mu. 0 = none: stretches start at 1.
	declared uint64
}

// Stream is some entries of one series, in order of arrival.
type Stream struct {
	Series  *Series
	Entries []chunk.Entry
}

func appendString(b []byte, s string) []byte {
	b = binary.AppendUvarint(b, uint64(len(s)))
	return append(b, s...)
}

func appendHeader(b []byte, order uint64) []byte {
	b = append(b, kindHeader)
	b = append(b, headerMagic...)
	b = append(b, Version)
	return binary.LittleEndian.AppendUint64(b, order)
}

func appendSeriesBody(b []byte, s *Series) []byte {
	b = binary.AppendUvarint(b, s.Ref)
	b = binary.AppendUvarint(b, uint64(s.Labels.Len()))
	s.Labels.Range(func(l labels.Label) {
		b = appendString(b, l.Name)
		b = appendString(b, l.Value)
	})
	return b
}

func appendEntriesBody(b []byte, streams []Stream) []byte {
	b = binary.AppendUvarint(b, uint64(len(streams)))
	for _, s := range streams {
		b = binary.AppendUvarint(b, s.Series.Ref)
		b = binary.AppendUvarint(b, uint64(len(s.Entries)))
		var last int64
		for i := range s.Entries {
			e := &s.Entries[i]
			b = binary.AppendVarint(b, e.Timestamp-last)
			last = e.Timestamp
			b = binary.AppendUvarint(b, uint64(len(e.Line)))
			b = append(b, e.Line...)
			b = binary.AppendUvarint(b, uint64(len(e.Metadata)))
			for _, l := range e.Metadata {
				b = appendString(b, l.Name)
				b = appendString(b, l.Value)
			}
		}
	}
	return b
}

// appendFrame appends a record of a kind: order, tenant and the body, compressed where that saves bytes.
func appendFrame(dst []byte, kind byte, order uint64, tenant string, c Compression, body []byte) []byte {
	dst = append(dst, kind)
	dst = binary.LittleEndian.AppendUint64(dst, order)
	dst = appendString(dst, tenant)
	at := len(dst)
	dst = append(dst, byte(c))
	dst = binary.AppendUvarint(dst, uint64(len(body)))
	start := len(dst)
	switch c {
	case CompressionSnappy:
		dst = append(dst, make([]byte, s2.MaxEncodedLen(len(body)))...)
		dst = dst[:start+len(s2.EncodeSnappy(dst[start:], body))]
	case CompressionZstd:
		dst = zstdEncoder().EncodeAll(body, dst)
	}
	if c == CompressionNone || len(dst)-start >= len(body) {
		dst[at] = byte(CompressionNone)
		dst = append(dst[:start], body...)
	}
	return dst
}

var zstdEncoder = sync.OnceValue(func() *zstd.Encoder {
	e, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(2), zstd.WithLowerEncoderMem(true), zstd.WithWindowSize(1<<20))
	if err != nil {
		panic(err) // the options are constants
	}
	return e
})

var zstdDecoder = sync.OnceValue(func() *zstd.Decoder {
	d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxBody), zstd.WithDecoderLowmem(true))
	if err != nil {
		panic(err) // the options are constants
	}
	return d
})

// frame is a decoded record of kindSeries or kindEntries.
type frame struct {
	order  uint64
	tenant string
	body   []byte
}

// readFrame decodes what appendFrame made; the body is in buf or in rec.
func readFrame(rec, buf []byte) (frame, error) {
	c := cursor.Cursor{Rest: rec}
	c.Bytes(1)
	f := frame{order: c.Uint64(), tenant: c.Text()}
	comp := c.Bytes(1)
	size := c.Uvarint()
	if c.Bad() || size > maxBody {
		return f, fmt.Errorf("%w: truncated frame", errRecord)
	}
	var err error
	switch Compression(comp[0]) {
	case CompressionNone:
		f.body = c.Rest
	case CompressionSnappy:
		var n int
		if n, err = s2.DecodedLen(c.Rest); err == nil && uint64(n) != size {
			return f, fmt.Errorf("%w: body of %d bytes where %d are declared", errRecord, n, size)
		}
		if err == nil {
			f.body, err = s2.Decode(buf[:cap(buf)], c.Rest)
		}
	case CompressionZstd:
		f.body, err = zstdDecoder().DecodeAll(c.Rest, buf[:0])
	default:
		return f, fmt.Errorf("%w: unknown compression %d", errRecord, comp[0])
	}
	if err != nil {
		return f, fmt.Errorf("%w: %w", errRecord, err)
	}
	if uint64(len(f.body)) != size {
		return f, fmt.Errorf("%w: body of %d bytes where %d are declared", errRecord, len(f.body), size)
	}
	return f, nil
}

// readSeries decodes a series body.
func readSeries(body []byte, add func(ref uint64, ls labels.Labels)) error {
	c := cursor.Cursor{Rest: body}
	b := labels.NewScratchBuilder(8)
	for len(c.Rest) > 0 && !c.Bad() {
		ref := c.Uvarint()
		b.Reset()
		for range c.Count(2) {
			name, value := c.Text(), c.Text()
			b.Add(name, value)
		}
		if c.Bad() {
			break
		}
		b.Sort()
		add(ref, b.Labels())
	}
	if c.Bad() {
		return fmt.Errorf("%w: series", errRecord)
	}
	return nil
}

// readEntries decodes an entries body. Lines are slices of body; streams and entries are only valid until add returns.
func readEntries(body []byte, scratch *[]chunk.Entry, add func(ref uint64, entries []chunk.Entry)) error {
	c := cursor.Cursor{Rest: body}
	for range c.Count(2) {
		ref := c.Uvarint()
		n := c.Count(3)
		entries := (*scratch)[:0]
		var last int64
		for range n {
			last += c.Varint()
			e := chunk.Entry{Timestamp: last, Line: c.Bytes(c.Uvarint())}
			if m := c.Count(2); m > 0 {
				e.Metadata = make([]labels.Label, m)
				for i := range e.Metadata {
					e.Metadata[i] = labels.Label{Name: c.Text(), Value: c.Text()}
				}
			}
			if c.Bad() {
				break
			}
			entries = append(entries, e)
		}
		*scratch = entries
		if c.Bad() {
			break
		}
		add(ref, entries)
	}
	if c.Bad() || len(c.Rest) > 0 {
		return fmt.Errorf("%w: entries", errRecord)
	}
	return nil
}
