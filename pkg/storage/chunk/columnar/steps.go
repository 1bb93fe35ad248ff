package columnar

import "encoding/binary"

// Steps is an int stream whose numbers are the differences between ascending numbers, for those who want few of these.
type Steps struct {
	intHeader
	n      int
	planes [8][]byte
}

// OpenSteps opens an int stream of n numbers, at least one. It gives nil when the stream is stored so that single sums cost as much as all of them.
func OpenSteps(b []byte, n int) (*Steps, error) {
	d := &decoder{b: b, left: 8*n + 1<<10}
	s := &Steps{n: n}
	if err := s.read(d, n, false); err != nil {
		return nil, err
	}
	if s.transform != intsPlain {
		return nil, nil
	}
	if s.width == 0 || s.packing == packBits {
		return s, nil
	}
	if err := s.eachPlane(&scratch{}, &s.planes, n, nil); err != nil {
		return nil, err
	}
	return s, nil
}

// Sum adds up the numbers 0 to row, in 64-bit arithmetic that wraps.
func (s *Steps) Sum(row int) uint64 {
	sum := s.least * uint64(row+1)
	switch {
	case s.width == 0:
	case s.packing == packBits:
		mask := s.mask()
		for i := range row + 1 {
			sum += readBits(s.data, i*s.width, s.width) & mask
		}
	default:
		for p := range s.planeCount() {
			sum += sumBytes(s.planes[p][:row+1]) << (8 * p)
		}
	}
	return sum
}

// sumBytes adds up bytes, eight at a time.
func sumBytes(b []byte) (sum uint64) {
	const lanes = 0x00ff00ff00ff00ff
	for len(b) >= 8 {
		// Four sums of 16 bits each, which hold 128 times two bytes.
		var part uint64
		words := min(len(b)/8, 128)
		for i := range words {
			x := binary.LittleEndian.Uint64(b[8*i:])
			part += x&lanes + x>>8&lanes
		}
		b = b[8*words:]
		sum += part&0xffff + part>>16&0xffff + part>>32&0xffff + part>>48
	}
	for _, c := range b {
		sum += uint64(c)
	}
	return sum
}
