package chunk

import (
	"errors"
	"fmt"
)

// Outline is what is known of a chunk's rows without their lines.
type Outline struct {
	Times []int64 // ascending
	// Ends says where each row's line ends when all lines are laid end to end, which gives their lengths. It is nil when it was not asked
	// for, or when the encoding knows lengths from lines alone.
	Ends []uint32
	// Read is how many stored bytes were read for it.
	Read int64
}

const (
	// headerGuess is what is read first of a chunk; it holds the header of every chunk that this version writes.
	headerGuess = 72
	// headerBound is what is read when the guess was too small.
	headerBound = 32 << 10
)

// ReadOutline reads a chunk's outline through read, which gives exactly length stored bytes from an offset within the payload. Checksums and
// sizes are held against meta as Open does, of the parts that are read. The parts that hold lines are not.
func ReadOutline(meta Meta, lengths bool, read func(offset, length int64) ([]byte, error)) (*Outline, error) {
	if err := checkMeta(meta); err != nil {
		return nil, err
	}
	o := &outlineReader{meta: meta, read: read, out: &Outline{}}
	if err := o.header(); err != nil {
		return nil, err
	}
	times, ends := partTimes, partLengths
	if meta.Encoding == EncodingColumnar {
		times = partColumnTimes
	} else if meta.Encoding != EncodingPlain {
		return nil, fmt.Errorf("read outline of chunk: this version cannot read encoding %s", meta.Encoding)
	}
	p, err := o.part(times)
	if err != nil {
		return nil, err
	}
	if meta.Encoding == EncodingColumnar {
		if p.codec != codecRaw {
			return nil, fmt.Errorf("%w: timestamps are compressed", ErrCorrupt)
		}
		o.out.Times, err = openColumnTimes(p.stored, meta)
	} else {
		o.out.Times, err = openTimes(p, meta)
	}
	if err == nil && lengths && meta.Encoding == EncodingPlain {
		if p, err = o.part(ends); err == nil {
			var offsets []uint32
			if offsets, err = openLengths(p, meta); err == nil {
				o.out.Ends = offsets[1:]
			}
		}
	}
	if err != nil && !errors.Is(err, ErrCorrupt) {
		err = fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	return o.out, err
}

// outlineReader reads single parts of a chunk.
type outlineReader struct {
	meta    Meta
	read    func(offset, length int64) ([]byte, error)
	front   []byte // what was read from the payload's start
	parts   []part
	offsets []int64
	lengths []uint64
	out     *Outline
}

func (o *outlineReader) header() error {
	var failure error
	for _, guess := range [...]int64{headerGuess, headerBound} {
		n := min(guess, o.meta.StoredBytes)
		front, err := o.read(0, n)
		if err != nil {
			return err
		}
		o.out.Read += n
		o.front = front
		size := 0
		if o.parts, o.lengths, size, failure = readHeader(front); failure == nil {
			at := int64(size)
			for _, l := range o.lengths {
				o.offsets = append(o.offsets, at)
				if l > uint64(o.meta.StoredBytes-at) {
					return fmt.Errorf("%w: a part lies outside of the chunk", ErrCorrupt)
				}
				at += int64(l)
			}
			return nil
		}
		if n == o.meta.StoredBytes {
			break
		}
	}
	return failure
}

// part reads the part of a kind and checks its checksum.
func (o *outlineReader) part(kind partKind) (*part, error) {
	for i := range o.parts {
		p := &o.parts[i]
		if p.kind != kind {
			continue
		}
		from, to := o.offsets[i], o.offsets[i]+int64(o.lengths[i])
		var stored []byte
		if known := int64(len(o.front)); from < known {
			stored = o.front[from:min(to, known)]
			from = min(to, known)
		}
		if from < to {
			more, err := o.read(from, to-from)
			if err != nil {
				return nil, err
			}
			o.out.Read += to - from
			stored = append(stored[:len(stored):len(stored)], more...)
		}
		return p, p.fill(stored)
	}
	return nil, fmt.Errorf("%w: part kind %d is missing", ErrCorrupt, kind)
}
