package columnar

import "encoding/binary"

// numeric appends the values as a column of digits when all of them are.
func (e *Encoder) numeric(dst []byte, values [][]byte, ts []int64) ([]byte, bool) {
	v0 := values[0]
	if len(v0) == 0 || len(v0) > 64 {
		return dst, false
	}
	if out, ok := e.digits(dst, values, ts); ok {
		return out, true
	}
	if out, ok := e.decimals(dst, values); ok {
		return out, true
	}
	if len(v0) == uuidLen && v0[8] == '-' {
		return e.uuids(dst, values)
	}
	return e.hexDigits(dst, values)
}

func (e *Encoder) digits(dst []byte, values [][]byte, ts []int64) ([]byte, bool) {
	if class[values[0][0]] != isDigit {
		return dst, false
	}
	width := len(values[0])
	canonical, fixed := true, true
	nums := e.grab(len(values))
	for i, v := range values {
		if len(v) == 0 || len(v) > 19 {
			return dst, false
		}
		var x uint64
		for _, c := range v {
			c -= '0'
			if c > 9 {
				return dst, false
			}
			x = x*10 + uint64(c)
		}
		nums[i] = x
		canonical = canonical && (v[0] != '0' || len(v) == 1)
		fixed = fixed && len(v) == width
	}
	switch {
	case canonical:
		dst = append(dst, kindInts)
	case fixed:
		dst = append(dst, kindFixedInts, byte(width))
	default:
		dst = append(dst, kindDigits)
		lens := e.grab(len(values))
		for i, v := range values {
			lens[i] = uint64(len(v))
		}
		dst = e.ints(dst, lens, nil)
	}
	return e.ints(dst, nums, ts), true
}

// decimals handles numbers with one fixed count of decimals; they are stored as integers in that unit.
func (e *Encoder) decimals(dst []byte, values [][]byte) ([]byte, bool) {
	places := -1
	for _, v := range values {
		body := v
		if len(body) > 0 && body[0] == '-' {
			body = body[1:]
		}
		point, zero := -1, true
		for i, c := range body {
			switch {
			case c == '.' && point < 0:
				point = i
			case c-'0' <= 9:
				zero = zero && c == '0'
			default:
				return dst, false
			}
		}
		if point < 1 || len(body) > 18 || body[0] == '0' && point > 1 || zero && len(body) != len(v) {
			return dst, false
		}
		p := len(body) - point - 1
		if p == 0 || places >= 0 && p != places {
			return dst, false
		}
		places = p
	}
	nums := e.grab(len(values))
	for i, v := range values {
		var x uint64
		for _, c := range v {
			if c-'0' <= 9 {
				x = x*10 + uint64(c-'0')
			}
		}
		if v[0] == '-' {
			x = -x
		}
		nums[i] = zigzag(x)
	}
	dst = append(dst, kindDecimal, byte(places))
	return e.ints(dst, nums, nil), true
}

// hexDigits handles hex digits of one case: as numbers when they fit, else packed two to a byte.
func (e *Encoder) hexDigits(dst []byte, values [][]byte) ([]byte, bool) {
	width := len(values[0])
	all, fixed, canonical, longest := uint8(isDigit), true, true, 0
	for _, v := range values {
		if len(v) == 0 {
			return dst, false
		}
		for _, c := range v {
			if class[c] == 0 {
				return dst, false
			}
			all |= class[c]
		}
		if !isHex(all) {
			return dst, false
		}
		fixed = fixed && len(v) == width
		canonical = canonical && v[0] != '0'
		longest = max(longest, len(v))
	}
	flags := byte(0)
	if all&notLowerHex != 0 {
		flags = 1
	}
	if longest <= 16 && (fixed || canonical) {
		nums := e.grab(len(values))
		for i, v := range values {
			var x uint64
			for _, c := range v {
				x = x<<4 | uint64(hexValue[c])
			}
			nums[i] = x
		}
		if !fixed {
			width = 0
		}
		return e.ints(append(dst, kindHexInts, flags, byte(width)), nums, nil), true
	}
	if !fixed || width%2 != 0 {
		return dst, false
	}
	buf := e.bytes(len(values) * width / 2)[:0]
	for _, v := range values {
		for i := 0; i < width; i += 2 {
			buf = append(buf, hexValue[v[i]]<<4|hexValue[v[i+1]])
		}
	}
	dst = append(dst, kindHex, flags)
	dst = binary.AppendUvarint(dst, uint64(width))
	return e.numberBlock(dst, buf, len(buf)), true
}

var hexValue [256]byte

func init() {
	for i, c := range []byte("0123456789abcdef") {
		hexValue[c] = byte(i)
	}
	for i, c := range []byte("ABCDEF") {
		hexValue[c] = byte(10 + i)
	}
}
