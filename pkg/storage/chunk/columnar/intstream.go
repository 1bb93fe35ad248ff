package columnar

import (
	"encoding/binary"
	"fmt"
	"sync"
	"sync/atomic"
)

// intStream is an int stream that is decoded when it is first used.
type intStream struct {
	once      sync.Once
	n         int
	transform byte
	unit      int
	first     uint64
	least     uint64
	width     int
	packing   byte
	data      []byte // packed numbers, or a block
	ts        rowTimes
	below     uint64 // numbers must be smaller, unless 0
	values    []uint64
	fault     *fault
}

// fault keeps the first thing that was found wrong after a column had been opened.
type fault struct{ err atomic.Pointer[error] }

func (f *fault) set(err error) { f.err.CompareAndSwap(nil, &err) }

func (f *fault) get() error {
	if p := f.err.Load(); p != nil {
		return *p
	}
	return nil
}

// ints takes a stream of n numbers off d without decoding it.
func (d *decoder) ints(n int, ts rowTimes) (*intStream, error) {
	s := &intStream{n: n, ts: ts, fault: d.fault}
	var err error
	if s.transform, err = d.byte(); err != nil {
		return nil, err
	}
	switch s.transform {
	case intsPlain:
	case intsDelta:
		if s.first, err = d.uvarint(); err != nil {
			return nil, err
		}
	case intsTime:
		b, err := d.byte()
		if err != nil {
			return nil, err
		}
		if s.unit = int(b); s.unit > 9 || ts == nil {
			return nil, errMalformed("int stream relative to time")
		}
	default:
		return nil, errMalformed(fmt.Sprintf("int stream has unknown transform %d", s.transform))
	}
	if s.least, err = d.uvarint(); err != nil {
		return nil, err
	}
	width, err := d.byte()
	if err != nil {
		return nil, err
	}
	if s.width = int(width); s.width > 64 {
		return nil, errMalformed(fmt.Sprintf("int stream has width %d", width))
	}
	if s.width == 0 {
		return s, nil
	}
	if s.packing, err = d.byte(); err != nil {
		return nil, err
	}
	switch s.packing {
	case packPlanes:
		s.data, err = d.skipBlock((s.width + 7) / 8 * n)
	case packApart:
		start := d.b
		for range (s.width + 7) / 8 {
			if _, err := d.skipBlock(n); err != nil {
				return nil, err
			}
		}
		s.data = start[:len(start)-len(d.b)]
	case packBits:
		s.data, err = d.take((n*s.width + 7) / 8)
	default:
		err = errMalformed(fmt.Sprintf("int stream has unknown packing %d", s.packing))
	}
	return s, err
}

// all returns the numbers. What cannot be decoded reads as zeros, and the fault is kept.
func (s *intStream) all() []uint64 {
	s.once.Do(func() {
		s.values = make([]uint64, s.n)
		if err := s.decode(s.values); err != nil {
			clear(s.values)
			s.fault.set(err)
		}
		s.data = nil
	})
	return s.values
}

func (s *intStream) decode(out []uint64) error {
	if s.width > 0 {
		if err := s.unpack(out); err != nil {
			return err
		}
	}
	for i := range out {
		out[i] += s.least
	}
	switch s.transform {
	case intsDelta:
		prev := s.first
		out[0] = prev
		for i := 1; i < len(out); i++ {
			prev += unzigzag(out[i])
			out[i] = prev
		}
	case intsTime:
		ts := s.ts()
		for i := range out {
			out[i] = unzigzag(out[i]) + uint64(ts[i])/pow10[s.unit]
		}
	}
	if s.below > 0 {
		for _, v := range out {
			if v >= s.below {
				return errMalformed(fmt.Sprintf("number %d where less than %d is possible", v, s.below))
			}
		}
	}
	return nil
}

func (s *intStream) unpack(out []uint64) error {
	n := len(out)
	if s.packing == packBits {
		mask := ^uint64(0) >> (64 - uint(s.width))
		for i := range out {
			out[i] = readBits(s.data, i*s.width, s.width) & mask
		}
		return nil
	}
	planes := (s.width + 7) / 8
	if s.packing == packApart {
		d := decoder{b: s.data, left: n}
		for p := range planes {
			buf, err := d.block(n)
			if err != nil {
				return err
			}
			if len(buf) != n {
				return errMalformed(fmt.Sprintf("int stream holds %d bytes, want %d", len(buf), n))
			}
			addPlane(out, buf, p)
		}
		return nil
	}
	buf, err := readBlock(s.data, n*planes)
	if err != nil {
		return err
	}
	if len(buf) != n*planes {
		return errMalformed(fmt.Sprintf("int stream holds %d bytes, want %d", len(buf), n*planes))
	}
	for p := range planes {
		addPlane(out, buf[p*n:(p+1)*n], p)
	}
	return nil
}

// addPlane sets byte p of every number.
func addPlane(out []uint64, plane []byte, p int) {
	shift := uint(8 * p)
	for i, b := range plane {
		out[i] |= uint64(b) << shift
	}
}

// readBits returns at least width bits from bit pos on; bits above width are arbitrary.
func readBits(buf []byte, pos, width int) uint64 {
	at, shift := pos>>3, uint(pos&7)
	if at+9 <= len(buf) {
		v := binary.LittleEndian.Uint64(buf[at:]) >> shift
		if shift+uint(width) > 64 {
			v |= uint64(buf[at+8]) << (64 - shift)
		}
		return v
	}
	var v uint64
	for i := 0; at+i < len(buf) && i < 9; i++ {
		b := uint64(buf[at+i])
		if s := 8*i - int(shift); s >= 0 {
			v |= b << uint(s)
		} else {
			v |= b >> uint(-s)
		}
	}
	return v
}
