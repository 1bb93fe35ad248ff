package columnar

import (
	"encoding/binary"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
)

// intStream is an int stream that is decoded when it is first used: single numbers as long as few are asked for, then all.
type intStream struct {
	intHeader
	n     int
	ts    Times
	below uint64 // numbers must be smaller, unless 0
	fault *fault

	values atomic.Pointer[[]uint64] // all numbers, once they are decoded
	planes atomic.Pointer[[]byte]   // the unpacked planes, once a number was asked for
	asked  atomic.Int32             // numbers that were asked for one by one
	mu     sync.Mutex               // held while values or planes are made
}

// intHeader is an int stream as it is stored.
type intHeader struct {
	transform byte
	packing   byte
	unit      int
	width     int
	first     uint64
	least     uint64
	data      []byte // packed numbers, or blocks
}

// singlesShare is the share of its numbers that may be asked of a stream one by one before it decodes all of them.
const singlesShare = 8

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
func (d *decoder) ints(n int, ts Times) (*intStream, error) {
	s := &intStream{n: n, ts: ts, fault: d.fault}
	return s, s.read(d, n, ts != nil)
}

// read takes the header and the packed numbers of a stream of n numbers off d. Only a timed one may be relative to timestamps.
func (s *intHeader) read(d *decoder, n int, timed bool) error {
	var err error
	if s.transform, err = d.byte(); err != nil {
		return err
	}
	switch s.transform {
	case intsPlain:
	case intsDelta:
		if s.first, err = d.uvarint(); err != nil {
			return err
		}
	case intsTime:
		b, err := d.byte()
		if err != nil {
			return err
		}
		if s.unit = int(b); s.unit > 9 || !timed {
			return errMalformed("int stream relative to time")
		}
	default:
		return errMalformed(fmt.Sprintf("int stream has unknown transform %d", s.transform))
	}
	if s.least, err = d.uvarint(); err != nil {
		return err
	}
	width, err := d.byte()
	if err != nil {
		return err
	}
	if s.width = int(width); s.width > 64 {
		return errMalformed(fmt.Sprintf("int stream has width %d", width))
	}
	if s.width == 0 {
		return nil
	}
	if s.packing, err = d.byte(); err != nil {
		return err
	}
	switch s.packing {
	case packPlanes:
		s.data, err = d.skipBlock(s.planeCount() * n)
	case packApart:
		start := d.b
		for range s.planeCount() {
			if _, err := d.skipBlock(n); err != nil {
				return err
			}
		}
		s.data = start[:len(start)-len(d.b)]
	case packBits:
		s.data, err = d.take((n*s.width + 7) / 8)
	default:
		err = errMalformed(fmt.Sprintf("int stream has unknown packing %d", s.packing))
	}
	return err
}

func (s *intHeader) planeCount() int { return (s.width + 7) / 8 }

// all returns the numbers. What cannot be decoded reads as zeros, and the fault is kept.
func (s *intStream) all() []uint64 {
	if v := s.values.Load(); v != nil {
		return *v
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if v := s.values.Load(); v != nil {
		return *v
	}
	out := make([]uint64, s.n)
	if err := s.decode(out); err != nil {
		clear(out)
		s.fault.set(err)
	}
	s.values.Store(&out)
	return out
}

// at returns number i, as all does.
func (s *intStream) at(i int) uint64 {
	if v := s.values.Load(); v != nil {
		return (*v)[i]
	}
	if s.transform == intsDelta || int(s.asked.Add(1)) > s.n/singlesShare+1 {
		return s.all()[i]
	}
	v := s.least
	switch {
	case s.width == 0:
	case s.packing == packBits:
		v += readBits(s.data, i*s.width, s.width) & s.mask()
	default:
		planes := s.unpacked()
		for p := range s.planeCount() {
			v += uint64(planes[p*s.n+i]) << (8 * p)
		}
	}
	if s.transform == intsTime {
		v = unzigzag(v) + uint64(s.ts.At(i))/pow10[s.unit]
	}
	if s.below > 0 && v >= s.below {
		s.fault.set(s.tooLarge(v))
		return 0
	}
	return v
}

func (s *intHeader) mask() uint64 { return ^uint64(0) >> (64 - uint(s.width)) }

func (s *intStream) tooLarge(v uint64) error {
	return errMalformed(fmt.Sprintf("number %d where less than %d is possible", v, s.below))
}

// unpacked returns the planes, all lowest bytes first. What cannot be decoded reads as zeros, and the fault is kept.
func (s *intStream) unpacked() []byte {
	if p := s.planes.Load(); p != nil {
		return *p
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if p := s.planes.Load(); p != nil {
		return *p
	}
	planes, err := s.readPlanes(s.n)
	if err != nil {
		s.fault.set(err)
		planes = make([]byte, s.n*s.planeCount())
	}
	s.planes.Store(&planes)
	return planes
}

func (s *intStream) decode(out []uint64) error {
	if err := unpack(&s.intHeader, out, s.planes.Load()); err != nil {
		return err
	}
	if s.transform == intsTime {
		ts := s.ts.All()
		for i := range out {
			out[i] = unzigzag(out[i]) + uint64(ts[i])/pow10[s.unit]
		}
	}
	if s.below > 0 {
		for _, v := range out {
			if v >= s.below {
				return s.tooLarge(v)
			}
		}
	}
	return nil
}

// unpack gives the numbers of a stream, those that are relative to timestamps as they are stored. planes are its planes when they are at hand.
func unpack[T uint64 | int64](s *intHeader, out []T, planes *[]byte) error {
	if err := unpackStored(s, out, planes); err != nil {
		return err
	}
	if s.transform == intsDelta {
		prev := T(s.first)
		out[0] = prev
		for i := 1; i < len(out); i++ {
			prev += T(unzigzag(uint64(out[i])))
			out[i] = prev
		}
	}
	return nil
}

// unpackStored gives the numbers that are packed, with the least one added.
func unpackStored[T uint64 | int64](s *intHeader, out []T, planes *[]byte) error {
	n, least := len(out), T(s.least)
	switch {
	case s.width == 0:
		for i := range out {
			out[i] = least
		}
		return nil
	case s.packing == packBits:
		unpackBits(s, out)
		return nil
	}
	var each [8][]byte
	room := takeScratch()
	defer room.giveBack()
	if err := s.eachPlane(room, &each, n, planes); err != nil {
		return err
	}
	addPlanes(out, each[:s.planeCount()], least)
	return nil
}

// eachPlane gives the planes of n numbers, cut from all when that is not nil. They may lie in scratch.
func (s *intHeader) eachPlane(room *scratch, each *[8][]byte, n int, all *[]byte) error {
	if all == nil && s.packing == packApart {
		return s.eachApart(room, each, n)
	}
	if all == nil {
		read, err := s.readTogether(room, n)
		if err != nil {
			return err
		}
		all = &read
	}
	for p := range s.planeCount() {
		each[p] = (*all)[p*n : (p+1)*n]
	}
	return nil
}

// readTogether gives planes that are one block.
func (s *intHeader) readTogether(room *scratch, n int) ([]byte, error) {
	size := n * s.planeCount()
	planes, err := readBlockInto(room, s.data, size)
	if err == nil && len(planes) != size {
		err = errPlanes(len(planes), size)
	}
	return planes, err
}

// eachApart gives planes that are blocks of their own.
func (s *intHeader) eachApart(room *scratch, each *[8][]byte, n int) error {
	d := decoder{b: s.data, left: n}
	free := room.room(s.planeCount() * (n + zstdSlack))
	free = free[:cap(free)]
	for p := range s.planeCount() {
		b, err := d.skipBlock(n)
		if err != nil {
			return err
		}
		plane, raw, compressed, err := openBlock(b, n)
		if err != nil {
			return err
		}
		if compressed {
			if plane, err = expand(free[:0:raw+zstdSlack], plane, raw); err != nil {
				return err
			}
			free = free[raw+zstdSlack:]
		}
		if len(plane) != n {
			return errPlanes(len(plane), n)
		}
		each[p] = plane
	}
	return nil
}

func errPlanes(got, want int) error {
	return errMalformed(fmt.Sprintf("int stream holds %d bytes, want %d", got, want))
}

// readPlanes decompresses the planes of n numbers, all lowest bytes first.
func (s *intHeader) readPlanes(n int) ([]byte, error) {
	if s.packing == packPlanes {
		return s.readTogether(&scratch{}, n)
	}
	room := takeScratch()
	defer room.giveBack()
	var each [8][]byte
	if err := s.eachApart(room, &each, n); err != nil {
		return nil, err
	}
	return slices.Concat(each[:s.planeCount()]...), nil
}

// addPlanes sets the numbers to the sums of least and their bytes, of which each plane has one.
func addPlanes[T uint64 | int64](out []T, planes [][]byte, least T) {
	n := len(out)
	if len(planes) < 4 {
		for i, b := range planes[0][:n] {
			out[i] = T(b) + least
		}
		for p, plane := range planes[1:] {
			addPlane(out, plane, 8*(p+1))
		}
		return
	}
	p0, p1, p2, p3 := planes[0][:n], planes[1][:n], planes[2][:n], planes[3][:n]
	for i := range out {
		out[i] = T(uint32(p0[i])|uint32(p1[i])<<8|uint32(p2[i])<<16|uint32(p3[i])<<24) + least
	}
	for p, plane := range planes[4:] {
		addPlane(out, plane, 8*(p+4))
	}
}

func addPlane[T uint64 | int64](out []T, plane []byte, shift int) {
	plane = plane[:len(out)]
	for i, b := range plane {
		out[i] += T(b) << (shift & 63)
	}
}

// unpackBits gives the numbers that are packed bit by bit.
func unpackBits[T uint64 | int64](s *intHeader, out []T) {
	mask, least, i := s.mask(), T(s.least), 0
	if s.width <= 57 { // a number and the bits before it fit a word
		for pos := 0; i < len(out) && pos>>3+8 <= len(s.data); pos += s.width {
			out[i] = T(binary.LittleEndian.Uint64(s.data[pos>>3:])>>(pos&7)&mask) + least
			i++
		}
	}
	for ; i < len(out); i++ {
		out[i] = T(readBits(s.data, i*s.width, s.width)&mask) + least
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
