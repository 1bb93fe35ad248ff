package segment

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/oklog/ulid/v2"
	"github.com/prometheus/prometheus/model/labels"

	"github.com/cambium-logs/cambium/pkg/storage/chunk"
	"github.com/cambium-logs/cambium/pkg/storage/filter"
)

// ErrEmpty is what closing a Writer without chunks gives: there is no empty segment.
var ErrEmpty = errors.New("segment has no chunks")

// WriterOptions say what a new segment is.
type WriterOptions struct {
	Tenant  string
	Level   int
	ID      ulid.ULID   // zero: a new one
	Sources []ulid.ULID // the segments whose entries this one holds
	Deletes []string    // the delete requests that were applied
	// FiltersFrom is the size in bytes, without filters, from which on the segment has skip filters. Default is the size from which on reading a
	// segment takes more than one read: what is smaller comes whole when it is opened, so that a filter would spare nothing. 1 = always.
	FiltersFrom int64
}

// EncodedChunk is a chunk as chunk.Encode gave it.
type EncodedChunk struct {
	Meta   chunk.Meta
	Data   []byte
	Filter *filter.Chunk // skip filter; nil = none, and then the whole segment has none
	// Packed is Filter in another form; one of the two is enough.
	Packed *filter.Packed
}

// Info describes a finished segment.
type Info struct {
	Name   Name
	Size   int64 // of the object, in bytes
	Footer Footer
}

// Writer writes a segment front to back. Chunks go through; only labels, directory and filters stay in memory until Close.
// It is for one goroutine.
type Writer struct {
	w       *bufio.Writer
	written int64
	footer  Footer
	day     Day
	index   *indexBuilder
	entries []entry
	filters []filter.Packed // one per chunk as long as each has one
	last    labels.Labels
	// filtersFrom is WriterOptions.FiltersFrom with its default.
	filtersFrom int64
	err         error // the first failure: a segment with a hole is never finished
}

// NewWriter starts a segment on w, which it does not close.
func NewWriter(w io.Writer, opts WriterOptions) (*Writer, error) {
	if err := CheckTenant(opts.Tenant); err != nil {
		return nil, err
	}
	if opts.Level < 0 || opts.Level > MaxLevel {
		return nil, fmt.Errorf("segment level %d, expected 0 to %d", opts.Level, MaxLevel)
	}
	if opts.ID.IsZero() {
		id, err := NewID()
		if err != nil {
			return nil, err
		}
		opts.ID = id
	}
	if opts.FiltersFrom <= 0 {
		opts.FiltersFrom = tailLen - footerRoom
	}
	sw := &Writer{
		filtersFrom: opts.FiltersFrom,
		w:           bufio.NewWriterSize(w, 64<<10),
		index:       newIndexBuilder(),
		footer: Footer{
			Tenant: opts.Tenant, ID: opts.ID, Level: opts.Level, Sources: opts.Sources, Deletes: opts.Deletes,
			MinT: math.MaxInt64, MaxT: math.MinInt64,
			ChunkData: Section{Offset: headerLen},
		},
	}
	sw.write(header())
	return sw, nil
}

func (w *Writer) write(b []byte) {
	if w.err == nil {
		_, w.err = w.w.Write(b)
		w.written += int64(len(b))
	}
}

// Append adds a chunk. Streams come in the order of labels.Compare, each with all its chunks one after the other, best by MinT, because that is how they are read.
// Of chunks with equal Order the one that was appended first holds what arrived first.
// All entries belong to the UTC day of the first chunk. The Writer does not keep c's slices.
func (w *Writer) Append(ls labels.Labels, c EncodedChunk) error {
	if w.err != nil {
		return w.err
	}
	if err := w.append(ls, c); err != nil {
		w.err = fmt.Errorf("write segment: %w", err)
	}
	return w.err
}

func (w *Writer) append(ls labels.Labels, c EncodedChunk) error {
	m := c.Meta
	if m.StoredBytes != int64(len(c.Data)) || m.Rows < 1 || m.Rows > chunk.MaxRows || m.LineBytes < 0 || m.LineBytes > m.RawBytes || m.RawBytes > chunk.MaxRawBytes || m.MinT > m.MaxT || len(c.Data) > math.MaxUint32 {
		return fmt.Errorf("chunk of %s is described wrongly: %+v", ls, m)
	}
	first := len(w.entries) == 0
	if first {
		w.day = DayOf(m.MinT)
	}
	if DayOf(m.MinT) != w.day || DayOf(m.MaxT) != w.day {
		return fmt.Errorf("chunk of %s from %d to %d does not lie within %s", ls, m.MinT, m.MaxT, w.day)
	}
	newStream := first
	if !first {
		order := labels.Compare(ls, w.last)
		if order < 0 {
			return fmt.Errorf("stream %s comes after %s", ls, w.last)
		}
		newStream = order > 0
	}
	if newStream {
		w.last = ls.Copy()
		w.index.add(ls, len(w.entries))
		w.footer.Streams++
	}
	w.index.extend(m.MinT, m.MaxT)
	e := entry{
		minT: m.MinT, maxT: m.MaxT, order: m.Order, length: uint32(len(c.Data)), rows: uint32(m.Rows),
		rawBytes: uint32(m.RawBytes), lineBytes: uint32(m.LineBytes), crc: checksum(c.Data), encoding: m.Encoding, first: newStream,
	}
	switch {
	case c.Filter == nil && c.Packed == nil:
		w.filters = nil
	case len(w.filters) != len(w.entries):
		// A chunk before had none.
	case c.Packed != nil:
		w.filters = append(w.filters, *c.Packed)
	default:
		w.filters = append(w.filters, filter.Pack(c.Filter))
	}
	w.entries = append(w.entries, e)
	f := &w.footer
	f.Chunks++
	f.Rows += int64(m.Rows)
	f.RawBytes += m.RawBytes
	f.LineBytes += m.LineBytes
	f.StoredBytes += m.StoredBytes
	f.MinT, f.MaxT = min(f.MinT, m.MinT), max(f.MaxT, m.MaxT)
	w.write(c.Data)
	return w.err
}

// footerRoom is what is reckoned for the footer of a segment that is to come whole with the first read.
const footerRoom = 4 << 10

// Written is the number of bytes so far, for cutting segments at a size.
func (w *Writer) Written() int64 { return w.written }

// Close writes what follows the chunks. Afterwards the segment is complete in the underlying writer, which may still have to be synced.
func (w *Writer) Close() (Info, error) {
	if w.err == nil && len(w.entries) == 0 {
		w.err = ErrEmpty
	}
	if w.err != nil {
		return Info{}, w.err
	}
	f := &w.footer
	f.Day = w.day.String()
	f.ChunkData.Length = w.written - headerLen
	idx, err := w.index.encode()
	if err != nil {
		w.err = fmt.Errorf("write segment: %w", err)
		return Info{}, w.err
	}
	directory := appendDirectory(nil, w.entries)
	var filters []byte
	if len(w.filters) == len(w.entries) && w.written+int64(len(idx)+len(directory)) >= w.filtersFrom {
		filters = filter.EncodePacked(nil, w.filters)
	}
	f.Filters = w.section(filters, false)
	f.Index = w.section(idx, true)
	f.Directory = w.section(directory, true)
	tail, err := f.appendTail(nil)
	if err != nil {
		w.err = err
		return Info{}, err
	}
	w.write(tail)
	if w.err == nil {
		w.err = w.w.Flush()
	}
	if w.err != nil {
		w.err = fmt.Errorf("write segment: %w", w.err)
		return Info{}, w.err
	}
	info := Info{Size: w.written, Footer: *f}
	info.Name = Name{Tenant: f.Tenant, Day: w.day, Level: f.Level, MinT: f.MinT, MaxT: f.MaxT, ID: f.ID}
	w.err = errors.New("segment is closed")
	return info, nil
}

func (w *Writer) section(b []byte, sum bool) Section {
	s := Section{Offset: w.written, Length: int64(len(b))}
	if sum {
		s.CRC = checksum(b)
	}
	w.write(b)
	return s
}
