package columnar

// A UUID is written as 32 hex digits with a dash before digits 8, 12, 16 and 20.
const (
	uuidLen   = 36
	uuidBytes = 16
)

// dashBefore reports whether a dash stands before byte i of a UUID.
func dashBefore(i int) bool { return i == 4 || i == 6 || i == 8 || i == 10 }

// uuids appends the values as a column of UUIDs of one case: flags byte (1: upper case) | block of 16 bytes each. It refuses those that have
// more in common than being UUIDs.
func (e *Encoder) uuids(dst []byte, values [][]byte) ([]byte, bool) {
	all := uint8(isDigit)
	buf := e.bytes(len(values) * uuidBytes)[:0]
	for _, v := range values {
		if len(v) != uuidLen {
			return dst, false
		}
		at := 0
		for i := range uuidBytes {
			if dashBefore(i) {
				if v[at] != '-' {
					return dst, false
				}
				at++
			}
			a, b := class[v[at]], class[v[at+1]]
			if a == 0 || b == 0 {
				return dst, false
			}
			all |= a | b
			buf = append(buf, hexValue[v[at]]<<4|hexValue[v[at+1]])
			at += 2
		}
	}
	if !isHex(all) || !even(buf) {
		return dst, false
	}
	flags := byte(0)
	if all&notLowerHex != 0 {
		flags = 1
	}
	return storedBlock(append(dst, kindUUID, flags), buf), true
}

// uuidColumn holds UUIDs.
type uuidColumn struct {
	bytes lazyBlock
	upper bool
}

func (d *decoder) uuids(n int) (column, error) {
	flags, err := d.byte()
	if err != nil {
		return nil, err
	}
	block, err := d.skipBlock(n * uuidBytes)
	return &uuidColumn{bytes: lazyBlock{data: block, size: n * uuidBytes, fault: d.fault}, upper: flags&1 != 0}, err
}

func (c *uuidColumn) append(dst []byte, row int) []byte {
	digits := lowerDigits
	if c.upper {
		digits = upperDigits
	}
	for i, b := range c.bytes.all()[row*uuidBytes : (row+1)*uuidBytes] {
		if dashBefore(i) {
			dst = append(dst, '-')
		}
		dst = append(dst, digits[b>>4], digits[b&15])
	}
	return dst
}

func (c *uuidColumn) letters() alphabet {
	a := hexLetters(c.upper)
	a.add('-')
	return a
}

func (c *uuidColumn) search(needle []byte, rows Rows, n int) {
	if a := c.letters(); len(needle) <= uuidLen {
		render(c, needle, &a, rows, n)
	}
}
