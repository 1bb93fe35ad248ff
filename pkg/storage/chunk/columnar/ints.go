package columnar

import (
	"encoding/binary"
	"math/bits"
)

// An int stream holds n unsigned numbers, n known from elsewhere:
//
//	transform byte | [unit byte] | base uvarint | width byte | [packing byte | bytes]
//
// The transform says what was subtracted from each number, base is the least of what was left (so that all are ≥ 0), and
// width is the number of bits of the greatest. With width 0 nothing follows.
const (
	intsPlain = 0 // the numbers
	intsDelta = 1 // zigzag of the difference to the number before
	intsTime  = 2 // zigzag of the difference to the row's timestamp in units of 10^unit ns
)

const (
	packBits   = 0 // width bits each, little endian
	packPlanes = 1 // all lowest bytes, then all second bytes, …: a block
	packApart  = 2 // a block of all lowest bytes, a block of all second bytes, …
)

// apartFrom is the number of numbers from which on a block for each plane is tried: each plane then has a code of its own.
const apartFrom = 256

// planesFrom is the size in packed bits from which on planes are tried: under it a compressor's own header takes what it saves.
const planesFrom = 24

func zigzag(v uint64) uint64   { return v<<1 ^ uint64(int64(v)>>63) }
func unzigzag(v uint64) uint64 { return v>>1 ^ -(v & 1) }

// bitCost is the sum of the bit lengths of numbers after their least one is taken away, and that least one.
func bitCost(v []uint64) (cost int, least uint64, width int) {
	least = v[0]
	for _, x := range v {
		least = min(least, x)
	}
	var all uint64
	for _, x := range v {
		all |= x - least
		cost += bits.Len64(x - least)
	}
	return cost, least, bits.Len64(all)
}

var pow10 = [...]uint64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19}

// ints appends an int stream. ts are the rows' timestamps, or nil.
func (e *Encoder) ints(dst []byte, v []uint64, ts []int64) []byte {
	n := len(v)
	cost, least, width := bitCost(v)
	transform, unit, best := intsPlain, 0, v
	if width > 0 && n > 1 {
		d := e.grab(n)
		prev := uint64(0)
		for i, x := range v {
			d[i] = zigzag(x - prev)
			prev = x
		}
		d[0] = 0
		dc, dl, dw := bitCost(d)
		d[0] = v[0]
		if dc+dw+64 < cost {
			d[0] = dl // the first number is kept apart
			transform, best, cost, least, width = intsDelta, d, dc, dl, dw
		}
		if ts != nil && width > 1 {
			for _, digits := range [...]int{10, 13, 16, 19} {
				if v[0] < pow10[digits-1] || digits < 19 && v[0] >= pow10[digits] {
					continue
				}
				u := 19 - digits
				r := e.grab(n)
				for i, x := range v {
					r[i] = zigzag(x - uint64(ts[i])/pow10[u])
				}
				if rc, rl, rw := bitCost(r); rc+32 < cost {
					transform, unit, best, cost, least, width = intsTime, u, r, rc, rl, rw
				}
			}
		}
	}
	dst = append(dst, byte(transform))
	switch transform {
	case intsTime:
		dst = append(dst, byte(unit))
	case intsDelta:
		dst = binary.AppendUvarint(dst, v[0])
	}
	dst = binary.AppendUvarint(dst, least)
	dst = append(dst, byte(width))
	if width > 0 {
		dst = e.pack(dst, best, least, width, cost)
	}
	return dst
}

// pack appends the numbers in the smaller of the two packings.
func (e *Encoder) pack(dst []byte, v []uint64, least uint64, width, cost int) []byte {
	n := len(v)
	packed := (n*width + 7) / 8
	planes := (width + 7) / 8
	if packed >= planesFrom && n*planes >= 64 && (cost*16 < n*(16*width-14) || width <= 8) {
		buf := e.bytes(n * planes)
		for p := range planes {
			plane := buf[p*n : (p+1)*n]
			shift := uint(8 * p)
			for i, x := range v {
				plane[i] = byte((x - least) >> shift)
			}
		}
		mark := len(dst)
		if planes > 1 && n >= apartFrom {
			dst = append(dst, packApart)
			for p := range planes {
				dst = e.numberBlock(dst, buf[p*n:(p+1)*n], n)
			}
		} else {
			dst = append(dst, packPlanes)
			dst = e.numberBlock(dst, buf, packed)
		}
		if len(dst)-mark < packed+1 {
			return dst
		}
		dst = dst[:mark]
	}
	dst = append(dst, packBits)
	var acc uint64
	var have uint
	for _, x := range v {
		x -= least
		acc |= x << have
		if have+uint(width) >= 64 {
			dst = binary.LittleEndian.AppendUint64(dst, acc)
			acc = 0
			if have > 0 {
				acc = x >> (64 - have)
			}
			have = have + uint(width) - 64
			if have == 0 {
				acc = 0
			}
		} else {
			have += uint(width)
		}
	}
	for left := int(have); left > 0; left -= 8 {
		dst = append(dst, byte(acc))
		acc >>= 8
	}
	return dst
}
