package ingest

import (
	"reflect"
	"slices"
	"sync"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/cambium-logs/cambium/pkg/storage/chunk"
)

// Bounds are how much one request may hold. They bound memory, whatever the body claims of itself. The zero value means the defaults.
type Bounds struct {
	MaxBody         int64 // compressed bytes; default 100 MiB
	MaxDecompressed int64 // bytes after decompression; default 128 MiB
	MaxItems        int   // streams, entries and metadata pairs, each; default 4 Mi
	// Reserved is what the request holds of the memory that all requests share. Default: nothing is counted.
	Reserved *Reservation
}

// Defaults of Bounds, and of the Memory that all requests share.
const (
	DefaultMemory          = 1 << 30
	DefaultMaxBody         = 100 << 20
	DefaultMaxDecompressed = 128 << 20
	DefaultMaxItems        = 4 << 20
)

// EnsureDefaults fills in what is zero.
func (b *Bounds) EnsureDefaults() {
	if b.MaxBody <= 0 {
		b.MaxBody = DefaultMaxBody
	}
	if b.MaxDecompressed <= 0 {
		b.MaxDecompressed = DefaultMaxDecompressed
	}
	if b.MaxItems <= 0 {
		b.MaxItems = DefaultMaxItems
	}
}

// RawStream is a stream as it was sent: nothing is checked yet. Labels is label text such as {app="web"}; metadata of entries is in
// the order sent and may repeat names.
type RawStream struct {
	Labels  string
	Entries []chunk.Entry
}

// Batch is the content of one request. It is filled by one decoder and can be used again after Reset.
// Its strings and lines alias the body it was decoded from.
type Batch struct {
	Streams []RawStream
	// Format is "loki" or "otlp": the protocol that the entries came in.
	Format string

	entries  []chunk.Entry
	metadata []labels.Label
	bytes    byteArena
	decoded  []byte // the body after snappy
	maxItems int
	reserved *Reservation
	open     int // index into entries at which the stream that is being decoded starts
}

// What a Batch holds on to between requests; more is left to the garbage collector.
const (
	keepItems = 1 << 16
	keepBytes = 4 << 20
)

var batches = sync.Pool{New: func() any { return new(Batch) }}

// NewBatch returns an empty Batch, possibly one that was released before.
func NewBatch(bounds Bounds) *Batch {
	bounds.EnsureDefaults()
	b := batches.Get().(*Batch)
	b.maxItems = bounds.MaxItems
	b.reserved = bounds.Reserved
	b.Format = formatLoki
	return b
}

// Release gives the Batch back. Nothing got from it may be used afterwards.
func (b *Batch) Release() {
	b.reserved = nil
	if cap(b.entries) > keepItems || cap(b.metadata) > keepItems || cap(b.Streams) > keepItems {
		return
	}
	clear(b.Streams)
	clear(b.entries)
	clear(b.metadata)
	b.Streams, b.entries, b.metadata = b.Streams[:0], b.entries[:0], b.metadata[:0]
	b.bytes = byteArena{}
	if cap(b.decoded) > keepBytes {
		b.decoded = nil
	}
	b.open = 0
	batches.Put(b)
}

// Entries is the number of entries of all streams.
func (b *Batch) Entries() int {
	n := 0
	for i := range b.Streams {
		n += len(b.Streams[i].Entries)
	}
	return n
}

// beginStream starts a stream; the entries added until endStream belong to it.
func (b *Batch) beginStream() *Error {
	if len(b.Streams) >= b.maxItems {
		return tooLarge("more than %d streams", b.maxItems)
	}
	var err *Error
	if b.Streams, err = room(b.reserved, b.Streams); err != nil {
		return err
	}
	b.open = len(b.entries)
	return nil
}

func (b *Batch) endStream(labelText string) {
	b.Streams = append(b.Streams, RawStream{Labels: labelText, Entries: b.entries[b.open:len(b.entries):len(b.entries)]})
	b.open = len(b.entries)
}

func (b *Batch) addEntry(e chunk.Entry) *Error {
	if len(b.entries) >= b.maxItems {
		return tooLarge("more than %d entries", b.maxItems)
	}
	var err *Error
	if b.entries, err = room(b.reserved, b.entries); err != nil {
		return err
	}
	b.entries = append(b.entries, e)
	return nil
}

func (b *Batch) addMetadata(name, value string) *Error {
	if len(b.metadata) >= b.maxItems {
		return tooLarge("more than %d structured metadata pairs", b.maxItems)
	}
	var err *Error
	if b.metadata, err = room(b.reserved, b.metadata); err != nil {
		return err
	}
	b.metadata = append(b.metadata, labels.Label{Name: name, Value: value})
	return nil
}

// room returns list with room for one more. Where it has to grow, it doubles, and the memory is reserved before.
func room[T any](reserved *Reservation, list []T) ([]T, *Error) {
	if len(list) < cap(list) {
		return list, nil
	}
	more := max(len(list), fewestItems)
	if err := reserved.take(int64(more) * int64(reflect.TypeFor[T]().Size())); err != nil {
		return list, err
	}
	return slices.Grow(list, more), nil
}

// fewestItems is how many items a list has room for at first.
const fewestItems = 16

// metadataSince is what addMetadata added since the length was from.
func (b *Batch) metadataSince(from int) []labels.Label {
	if from == len(b.metadata) {
		return nil
	}
	return b.metadata[from:len(b.metadata):len(b.metadata)]
}

// byteArena hands out byte slices that stay where they are.
type byteArena struct{ free []byte }

const arenaBlock = 16 << 10

// take returns an empty slice of capacity n.
func (a *byteArena) take(n int) []byte {
	if n > len(a.free) {
		if n > arenaBlock/4 {
			return make([]byte, 0, n)
		}
		a.free = make([]byte, arenaBlock)
	}
	taken := a.free[:0:n]
	a.free = a.free[n:]
	return taken
}

// withMetadata returns metadata, sorted, with a pair added; an equal name is replaced. The result lies in the Batch.
func (b *Batch) withMetadata(metadata []labels.Label, name, value string) []labels.Label {
	i := 0
	for i < len(metadata) && metadata[i].Name < name {
		i++
	}
	if i < len(metadata) && metadata[i].Name == name {
		metadata[i].Value = value
		return metadata
	}
	from := len(b.metadata)
	b.metadata = append(b.metadata, metadata[:i]...)
	b.metadata = append(b.metadata, labels.Label{Name: name, Value: value})
	b.metadata = append(b.metadata, metadata[i:]...)
	return b.metadataSince(from)
}

// Values of Batch.Format.
const (
	formatLoki = "loki"
	formatOTLP = "otlp"
)
