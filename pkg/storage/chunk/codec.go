package chunk

import (
	"errors"
	"fmt"
	"math"
	"sync"
)

// Limits of one chunk, whatever its encoding. The head cuts chunks far below them; they bound what a reader allocates for a chunk that claims to be large.
const (
	MaxRows     = 1 << 24
	MaxRawBytes = 1 << 28
)

// ErrCorrupt is wrapped by every error that says stored bytes are not what was written.
var ErrCorrupt = errors.New("corrupt chunk")

// codec is one encoding. Implementations are stateless and safe for concurrent use.
type codec interface {
	// encode appends the payload for entries that satisfy Encode's contract to dst.
	encode(dst []byte, entries []Entry, meta Meta) ([]byte, error)
	// open checks and decodes a payload; meta has passed checkMeta.
	open(data []byte, meta Meta) (lentReader, error)
}

// codecs is filled by the init functions of the files that implement an encoding and never changes afterwards.
var codecs [256]codec

func register(e Encoding, c codec) { codecs[e] = c }

// String gives the name that tools and metrics show.
func (e Encoding) String() string {
	switch e {
	case EncodingHead:
		return "head"
	case EncodingPlain:
		return "plain"
	case EncodingColumnar:
		return "columnar"
	}
	return fmt.Sprintf("unknown(%d)", uint8(e))
}

// Encode appends the encoded entries to dst and describes them. Entries must hold at least one entry and be sorted by timestamp,
// with equal timestamps in arrival order and without equal entries (Normalize makes them so); metadata must be as Entry says.
// Order goes into Meta unchanged. StoredBytes counts the appended bytes only.
func Encode(dst []byte, enc Encoding, entries []Entry, order uint64) ([]byte, Meta, error) {
	c := codecs[enc]
	if c == nil {
		return dst, Meta{}, fmt.Errorf("encode chunk: no encoder for encoding %s", enc)
	}
	meta, err := describe(entries)
	if err != nil {
		return dst, Meta{}, fmt.Errorf("encode chunk: %w", err)
	}
	meta.Encoding, meta.Order = enc, order
	out, err := c.encode(dst, entries, meta)
	if err != nil {
		return dst, Meta{}, fmt.Errorf("encode %s chunk: %w", enc, err)
	}
	meta.StoredBytes = int64(len(out) - len(dst))
	return out, meta, nil
}

// Open checks and decodes a chunk that Encode made. It takes over data, which must not change until the Reader is closed.
// It never allocates more than a small multiple of meta's sizes, and refuses sizes over the limits of this package.
// Checksums are verified here. Anything that does not agree with meta or a checksum gives an error wrapping ErrCorrupt: from Open, or, where an
// encoding decodes what is first used later, from the Reader's method Err() error, which says whether what the Reader gave was sound.
func Open(data []byte, meta Meta) (Reader, error) { return OpenLent(data, meta, nil) }

// OpenLent is Open with data that is only lent: release is called when the chunk does not need data any more, which is when it is closed, or before
// an error is returned. It may be nil.
func OpenLent(data []byte, meta Meta, release func()) (Reader, error) {
	r, err := open(data, meta)
	switch {
	case release == nil:
	case err != nil:
		release()
	default:
		r.lend(release)
	}
	return r, err
}

// lentReader is a Reader that calls release once when it is closed, after lend.
type lentReader interface {
	Reader
	lend(release func())
}

// loan is what a Reader has to give back.
type loan struct {
	release func()
	once    sync.Once
}

func (l *loan) lend(release func()) { l.release = release }

func (l *loan) giveBack() {
	if l.release != nil {
		l.once.Do(l.release)
	}
}

func open(data []byte, meta Meta) (lentReader, error) {
	c := codecs[meta.Encoding]
	if c == nil {
		return nil, fmt.Errorf("open chunk: this version cannot read encoding %s", meta.Encoding)
	}
	if err := checkMeta(meta); err != nil {
		return nil, err
	}
	if int64(len(data)) != meta.StoredBytes {
		return nil, fmt.Errorf("%w: %d bytes where %d are stored", ErrCorrupt, len(data), meta.StoredBytes)
	}
	return c.open(data, meta)
}

// describe computes everything of a chunk's Meta that its entries decide, and checks them.
func describe(entries []Entry) (Meta, error) {
	if len(entries) == 0 || len(entries) > MaxRows {
		return Meta{}, fmt.Errorf("%d entries, expected 1 to %d", len(entries), MaxRows)
	}
	m := Meta{MinT: entries[0].Timestamp, MaxT: entries[len(entries)-1].Timestamp, Rows: len(entries)}
	last := int64(math.MinInt64)
	var metadataBytes int64
	for i := range entries {
		e := &entries[i]
		if e.Timestamp < last {
			return Meta{}, fmt.Errorf("entry %d is out of order", i)
		}
		last = e.Timestamp
		m.LineBytes += int64(len(e.Line))
		for k, l := range e.Metadata {
			if l.Name == "" || l.Value == "" || (k > 0 && e.Metadata[k-1].Name >= l.Name) {
				return Meta{}, fmt.Errorf("entry %d has structured metadata that is empty or not sorted: %q", i, l.Name)
			}
			metadataBytes += int64(len(l.Name) + len(l.Value))
		}
	}
	m.RawBytes = m.LineBytes + metadataBytes
	if m.RawBytes > MaxRawBytes {
		return Meta{}, fmt.Errorf("%d bytes, at most %d fit into one chunk", m.RawBytes, MaxRawBytes)
	}
	return m, nil
}

func checkMeta(m Meta) error {
	switch {
	case m.Rows < 1 || m.Rows > MaxRows:
		return fmt.Errorf("%w: %d rows", ErrCorrupt, m.Rows)
	case m.LineBytes < 0 || m.RawBytes < m.LineBytes || m.RawBytes > MaxRawBytes:
		return fmt.Errorf("%w: %d raw bytes, %d of them lines", ErrCorrupt, m.RawBytes, m.LineBytes)
	case m.MinT > m.MaxT:
		return fmt.Errorf("%w: minimum time %d is after maximum time %d", ErrCorrupt, m.MinT, m.MaxT)
	}
	return nil
}

// EncodeBest is Encode with the encoding that suits the entries: columnar, or plain where columns do not help.
func EncodeBest(dst []byte, entries []Entry, order uint64) ([]byte, Meta, error) {
	out, meta, err := Encode(dst, EncodingColumnar, entries, order)
	if err != nil || meta.StoredBytes*columnsHelp < meta.RawBytes {
		return out, meta, err
	}
	other, plain, err := Encode(nil, EncodingPlain, entries, order)
	if err != nil || plain.StoredBytes >= meta.StoredBytes {
		return out, meta, err
	}
	return append(out[:len(dst)], other...), plain, nil
}

// columnsHelp is the ratio of raw to stored bytes from which on trying plain as well is not worth its time.
const columnsHelp = 3
