package segment

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"

	"github.com/oklog/ulid/v2"

	"github.com/cambium-logs/cambium/pkg/storage/chunk"
)

// ErrCorrupt is wrapped by every error that says a section of a segment is not what was written. Errors in a chunk wrap chunk.ErrCorrupt.
var ErrCorrupt = errors.New("corrupt segment")

// IsCorrupt reports whether err says that stored bytes are damaged, so that trying again cannot help.
func IsCorrupt(err error) bool { return errors.Is(err, ErrCorrupt) || errors.Is(err, chunk.ErrCorrupt) }

const (
	formatVersion = 1
	magic         = "CMBS"
	headerLen     = 8  // magic, version, three zero bytes
	trailerLen    = 16 // footer length, checksum, version, magic
	maxFooterLen  = 64 << 20
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func checksum(b []byte) uint32 { return crc32.Checksum(b, castagnoli) }

func header() []byte { return []byte{magic[0], magic[1], magic[2], magic[3], formatVersion, 0, 0, 0} }

// Section is a range of a segment's bytes. CRC is the CRC32C of a section that is read as a whole; chunks have one each in the directory, filters have their own.
type Section struct {
	Offset int64  `json:"offset"`
	Length int64  `json:"length"`
	CRC    uint32 `json:"crc32c,omitempty"`
}

func (s Section) end() int64 { return s.Offset + s.Length }

// Footer describes a segment. It is stored as JSON.
type Footer struct {
	Tenant string    `json:"tenant"`
	Day    string    `json:"day"`
	ID     ulid.ULID `json:"id"`
	Level  int       `json:"level"`
	MinT   int64     `json:"minTime"` // nanoseconds, both inclusive
	MaxT   int64     `json:"maxTime"`

	Streams     int   `json:"streams"`
	Chunks      int   `json:"chunks"`
	Rows        int64 `json:"rows"`
	RawBytes    int64 `json:"rawBytes"`
	LineBytes   int64 `json:"lineBytes"`
	StoredBytes int64 `json:"storedBytes"` // of the chunks

	// Sources are the segments whose entries this one holds: a reader that sees both ignores them.
	Sources []ulid.ULID `json:"sources,omitempty"`
	// Deletes are the delete requests that were applied when this segment was written: none of their entries is in it.
	Deletes []string `json:"deletes,omitempty"`

	ChunkData Section `json:"chunkData"`
	Filters   Section `json:"filters"`
	Index     Section `json:"index"`
	Directory Section `json:"directory"`
}

// appendTail appends footer and trailer to dst.
func (f *Footer) appendTail(dst []byte) ([]byte, error) {
	body, err := json.Marshal(f)
	if err != nil {
		return dst, fmt.Errorf("encode segment footer: %w", err)
	}
	if len(body) > maxFooterLen {
		return dst, fmt.Errorf("segment footer has %d bytes, at most %d are possible", len(body), maxFooterLen)
	}
	dst = append(dst, body...)
	var t [trailerLen]byte
	binary.LittleEndian.PutUint32(t[0:], uint32(len(body)))
	binary.LittleEndian.PutUint32(t[8:], formatVersion)
	copy(t[12:], magic)
	binary.LittleEndian.PutUint32(t[4:], trailerChecksum(body, t[:]))
	return append(dst, t[:]...), nil
}

// trailerChecksum covers the footer and everything in the trailer but the checksum.
func trailerChecksum(body, trailer []byte) uint32 {
	crc := checksum(body)
	crc = crc32.Update(crc, castagnoli, trailer[:4])
	return crc32.Update(crc, castagnoli, trailer[8:])
}

// footerLength reads the trailer, which is the end of a segment.
func footerLength(trailer []byte) (int64, error) {
	if string(trailer[12:]) != magic {
		return 0, fmt.Errorf("%w: trailer: this is not the end of a segment", ErrCorrupt)
	}
	n := binary.LittleEndian.Uint32(trailer)
	if n > maxFooterLen {
		return 0, fmt.Errorf("%w: trailer: footer claims %d bytes", ErrCorrupt, n)
	}
	return int64(n), nil
}

// parseFooter checks the footer of an object of size bytes that is named name.
func parseFooter(body, trailer []byte, name Name, size int64) (Footer, error) {
	var f Footer
	version := binary.LittleEndian.Uint32(trailer[8:])
	if binary.LittleEndian.Uint32(trailer[4:]) != trailerChecksum(body, trailer) {
		return f, fmt.Errorf("%w: footer: checksum does not match (format version %d)", ErrCorrupt, version)
	}
	if version != formatVersion {
		return f, fmt.Errorf("trailer: segment format version %d, this program reads %d", version, formatVersion)
	}
	d := json.NewDecoder(bytes.NewReader(body))
	if err := d.Decode(&f); err != nil {
		return f, fmt.Errorf("%w: footer: %w", ErrCorrupt, err)
	}
	if f.Tenant != name.Tenant || f.Day != name.Day.String() || f.ID != name.ID || f.Level != name.Level || f.MinT != name.MinT || f.MaxT != name.MaxT {
		return f, fmt.Errorf("%w: footer: describes another segment than the object is named for", ErrCorrupt)
	}
	at := int64(headerLen)
	for _, s := range []Section{f.ChunkData, f.Filters, f.Index, f.Directory} {
		if s.Offset != at || s.Length < 0 || s.Length > size {
			return f, fmt.Errorf("%w: footer: sections do not follow each other", ErrCorrupt)
		}
		at = s.end()
	}
	if at+int64(len(body))+trailerLen != size {
		return f, fmt.Errorf("%w: footer: sections end at byte %d of %d", ErrCorrupt, at, size)
	}
	if f.Chunks < 1 || f.Streams < 1 || f.Streams > f.Chunks || int64(f.Chunks) > f.Directory.Length {
		return f, fmt.Errorf("%w: footer: %d streams and %d chunks are not possible", ErrCorrupt, f.Streams, f.Chunks)
	}
	return f, nil
}
