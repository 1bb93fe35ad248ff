package wal

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
)

// The fragments that wlog writes: pages of 32 KiB, in each fragments of a 7 byte header (type, length, CRC32C) and a part of a record.
const (
	pageSize     = 32 << 10
	fragmentHead = 7
	typeMask     = 7

	fragmentPad    = 0
	fragmentFull   = 1
	fragmentFirst  = 2
	fragmentMiddle = 3
	fragmentLast   = 4
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// recordReader reads the records of one file. wlog's own reader stops at the first damage; this one goes on at the next page,
// because the records of this log do not depend on each other except through the series of the same file.
type recordReader struct {
	r       io.Reader
	page    []byte // the page being read
	pages   int    // pages read before it
	pos     int    // of the next fragment in page
	rec     []byte
	partial bool  // rec holds the beginning of a record
	begin   int64 // offset of the record that rec is part of
	lost    bool  // a damage has been noted and no record was found since: what continues a lost record is no new damage
	eof     bool

	soundEnd int64 // offset behind the last sound record
	damages  []Damage
}

// Damage is a place in a file where records could not be read.
type Damage struct {
	Offset int64 // bytes from the start of the file
	Bytes  int64 // up to the next sound record, or the end of the file
	Err    error
	Tail   bool // no sound record follows in the file
	// Torn says that the file ends within what was to be written there, as it does when a process dies while it writes. Then Tail is set.
	Torn bool
}

func newRecordReader(r io.Reader) *recordReader {
	return &recordReader{r: r, page: make([]byte, 0, pageSize)}
}

// next gives the next sound record, valid until the next call. The error is io.EOF at the end, or that of the disk.
func (r *recordReader) next() ([]byte, error) {
	for {
		if len(r.page)-r.pos < fragmentHead {
			if len(r.page) > r.pos && len(r.page) < pageSize {
				r.damage("a fragment's header is cut off", true)
			}
			if err := r.nextPage(); err != nil {
				return nil, err
			}
			continue
		}
		if rec, ok := r.fragment(); ok {
			if r.lost {
				d := &r.damages[len(r.damages)-1]
				d.Bytes, d.Tail, d.Torn = r.begin-d.Offset, false, false
			}
			r.lost = false
			r.soundEnd = r.offset()
			return rec, nil
		}
	}
}

func (r *recordReader) offset() int64 { return int64(r.pages)*pageSize + int64(r.pos) }

func (r *recordReader) nextPage() error {
	if r.eof {
		if r.partial {
			r.damage("the file ends within a record", true)
		}
		if r.lost {
			d := &r.damages[len(r.damages)-1]
			d.Bytes = int64(r.pages)*pageSize + int64(len(r.page)) - d.Offset
		}
		return io.EOF
	}
	if len(r.page) > 0 {
		r.pages++
	}
	n, err := io.ReadFull(r.r, r.page[:pageSize])
	r.page, r.pos = r.page[:n], 0
	switch {
	case err == nil:
		return nil
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		r.eof = true
		return nil
	}
	return err
}

// fragment reads one fragment and returns a record that it completes.
func (r *recordReader) fragment() ([]byte, bool) {
	p := r.page[r.pos:]
	typ := p[0] & typeMask
	if typ == fragmentPad {
		for _, b := range p {
			if b != 0 {
				r.damage("bytes in the padding of a page", false)
				break
			}
		}
		r.pos = len(r.page)
		return nil, false
	}
	n := int(binary.BigEndian.Uint16(p[1:]))
	if possible := typ <= fragmentLast && p[0] == typ; !possible || fragmentHead+n > len(p) {
		r.damage("a fragment of an impossible type or length", possible && r.eof && len(r.page) < pageSize && fragmentHead+n <= pageSize-r.pos)
		r.pos = len(r.page)
		return nil, false
	}
	part := p[fragmentHead : fragmentHead+n]
	if crc32.Checksum(part, castagnoli) != binary.BigEndian.Uint32(p[3:]) {
		r.damage("a fragment fails its checksum", false)
		r.pos = len(r.page)
		return nil, false
	}
	if starts := typ == fragmentFull || typ == fragmentFirst; starts == r.partial {
		if starts {
			r.damage("a record is not finished", false)
		} else if !r.lost {
			r.damage("a record has no beginning", false)
		}
	}
	continued := r.partial
	if typ == fragmentFull || typ == fragmentFirst {
		r.begin = r.offset()
	}
	r.pos += fragmentHead + n
	switch typ {
	case fragmentFull:
		r.partial = false
		return part, true
	case fragmentFirst:
		r.rec, r.partial = append(r.rec[:0], part...), true
		return nil, false
	}
	if !continued {
		return nil, false
	}
	r.rec = append(r.rec, part...)
	r.partial = typ == fragmentMiddle
	return r.rec, typ == fragmentLast
}

// damage notes where reading failed and forgets the record that had begun. What fails before the next sound record belongs to the same damage.
func (r *recordReader) damage(what string, torn bool) {
	at := r.offset()
	if r.partial {
		at = r.begin
	}
	if !r.lost {
		r.damages = append(r.damages, Damage{Offset: at, Err: errors.New(what), Tail: true, Torn: torn})
	} else if !torn {
		r.damages[len(r.damages)-1].Torn = false
	}
	r.partial, r.lost = false, true
}
