package chunk

import (
	"github.com/prometheus/prometheus/model/labels"

	"github.com/cambium-logs/cambium/pkg/storage/chunk/columnar"
)

// Entry is one log line with its time and structured metadata.
type Entry struct {
	Timestamp int64 // nanoseconds since the Unix epoch
	Line      []byte
	Metadata  []labels.Label // sorted by name, names unique, values not empty
}

// Meta describes a chunk without opening it.
type Meta struct {
	MinT, MaxT  int64 // nanoseconds, both inclusive
	Rows        int
	RawBytes    int64 // lines and structured metadata, uncompressed
	LineBytes   int64 // lines alone, uncompressed
	StoredBytes int64 // as encoded; 0 in the head
	Encoding    Encoding
	Order       uint64 // arrival order among the chunks of one stream: of two entries with one timestamp, the one in the lower chunk came first
	// Inexact says that opening the chunk may show less, because entries are left out that are to be deleted: times, rows and bytes are bounds. It is not stored.
	Inexact bool
}

// Encoding names how a chunk's payload is laid out.
type Encoding uint8

// Encodings. The numbers are part of the segment format.
const (
	EncodingHead     Encoding = 0 // in memory, never stored
	EncodingPlain    Encoding = 1
	EncodingColumnar Encoding = 2
)

// Reader gives random access to the rows of an opened chunk. Rows are sorted by timestamp, equal timestamps by arrival,
// and no two rows of one chunk are equal in timestamp, line and metadata. A Reader is safe for concurrent use. A Reader that decodes what is
// first used later has a method Err() error as well, which Fault asks.
type Reader interface {
	Len() int
	Timestamp(row int) int64
	// Line returns the bytes of a row's line. They are valid until the Reader is closed, or until buf is used again when the
	// encoding had to rebuild the line into buf[:0]. Callers must not modify them.
	Line(row int, buf []byte) []byte
	// Metadata returns a row's structured metadata, sorted by name, possibly in buf[:0].
	Metadata(row int, buf []labels.Label) []labels.Label
	// Close releases the chunk's buffers; nothing got from the Reader may be used afterwards.
	Close()
}

// Fault tells what a Reader has found wrong since it was opened, or nil. What it gave is to be relied on only when it found nothing.
func Fault(r Reader) error {
	if f, ok := r.(interface{ Err() error }); ok {
		return f.Err()
	}
	return nil
}

// NameFaults has what Fault gives of a Reader that nobody uses yet pass through name, which says what was read.
func NameFaults(r Reader, name func(error) error) {
	if n, ok := r.(interface{ nameFaults(func(error) error) }); ok {
		n.nameFaults(name)
	}
}

// Rows is a set of rows of a chunk.
type Rows = columnar.Rows

// NewRows returns an empty set for a chunk of n rows.
func NewRows(n int) Rows { return columnar.NewRows(n) }

// Searcher is what a Reader implements when it can tell, without rebuilding lines, which rows may hold a text. It leaves out no row whose line
// contains the needle.
type Searcher interface {
	Search(needle []byte, rows Rows)
}

// Shape is a skeleton that lines share, with its variables as columns.
type Shape = columnar.Shape

// Shaper is what a Reader implements when it knows the skeletons of lines, so that variables can be had without the lines. Shape returns the
// skeleton of a row and which of the skeleton's lines the row is, or nil when it knows none.
type Shaper interface {
	Shape(row int) (shape *Shape, at int)
}
