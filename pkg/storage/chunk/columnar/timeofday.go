package columnar

import "bytes"

const dayNanos = 86400 * 1_000_000_000

// timeOfDay appends the slots from s on as one column when they are hh:mm:ss, or hh:mm:ss with a fraction of one width. It returns how
// many slots it took, or 0. The column is an int stream of zigzag(time of day − the row's own, in units of the fraction), so that a line that repeats its entry's timestamp costs nothing:
//
//	kindTime | slots (3 or 4) | digits of the fraction | int stream
func (e *Encoder) timeOfDay(dst []byte, t *template, s int, values [][]byte, ts []int64) ([]byte, int) {
	n := t.slots()
	if s+3 > n || string(t.pieces[s+1]) != ":" || string(t.pieces[s+2]) != ":" {
		return dst, 0
	}
	digits, used := 0, 3
	if s+3 < n {
		if sep := t.pieces[s+3]; len(sep) == 1 && (sep[0] == '.' || sep[0] == ',' || sep[0] == ':') {
			digits = int(t.span(0, s+3).n)
			used = 4
		}
	}
	if digits > 9 {
		digits, used = 0, 3
	}
	nums := e.grab(len(t.rows))
	if !clockValues(nums, t, s, used, digits, values) {
		if used == 3 {
			return dst, 0
		}
		digits, used = 0, 3
		if !clockValues(nums, t, s, used, digits, values) {
			return dst, 0
		}
	}
	if ts != nil {
		unit := pow10[9-digits]
		day := dayNanos / unit
		for i := range nums {
			nums[i] = zigzag(wrap(nums[i]-clockOf(ts[i])/unit, day))
		}
	}
	dst = append(dst, kindTime, byte(used), byte(digits))
	return e.ints(dst, nums, nil), used
}

// clockOf is the time of day in nanoseconds.
func clockOf(ts int64) uint64 {
	d := ts % dayNanos
	if d < 0 {
		d += dayNanos
	}
	return uint64(d)
}

// wrap brings a difference of times of day into (−day/2, day/2].
func wrap(d, day uint64) uint64 {
	x := int64(d)
	if x > int64(day/2) {
		x -= int64(day)
	} else if x <= -int64(day/2) {
		x += int64(day)
	}
	return uint64(x)
}

// clockValues fills nums with the times of day; false when a slot is not made of the right digits.
func clockValues(nums []uint64, t *template, s, used, digits int, values [][]byte) bool {
	for i, row := range t.rows {
		line := values[row]
		var sp [4]span
		for k := range used {
			sp[k] = t.span(i, s+k)
		}
		var v uint64
		for k := range 3 {
			if sp[k].n != 2 {
				return false
			}
			a, b := line[sp[k].off]-'0', line[sp[k].off+1]-'0'
			x := uint64(a)*10 + uint64(b)
			if a > 9 || b > 9 || k == 0 && x > 23 || x > 59 {
				return false
			}
			v = v*60 + x
		}
		if used == 4 {
			if int(sp[3].n) != digits {
				return false
			}
			for _, c := range line[sp[3].off : sp[3].off+sp[3].n] {
				if c-'0' > 9 {
					return false
				}
				v = v*10 + uint64(c-'0')
			}
		}
		nums[i] = v
	}
	return true
}

// appendClock writes slot k of a time of day.
func appendClock(dst []byte, v uint64, digits, k int) []byte {
	secs := v / pow10[digits]
	switch k {
	case 0:
		secs /= 3600
	case 1:
		secs = secs / 60 % 60
	case 2:
		secs %= 60
	default:
		return appendFixed(dst, v%pow10[digits], digits)
	}
	return append(dst, byte('0'+secs/10%10), byte('0'+secs%10))
}

// appendFixed writes v with leading zeros to width digits.
func appendFixed(dst []byte, v uint64, width int) []byte {
	var b [20]byte
	i := len(b)
	for range width {
		i--
		b[i] = byte('0' + v%10)
		v /= 10
	}
	return append(dst, b[i:]...)
}

// clockColumn holds times of day in units of 10^-digits seconds. As a column it is its first slot.
type clockColumn struct {
	slots, digits int
	stream        *intStream
	ts            Times
}

func (d *decoder) clock(n int, ts Times) (*clockColumn, error) {
	slots, digits, err := d.clockHead()
	if err != nil {
		return nil, err
	}
	c := &clockColumn{slots: slots, digits: digits, ts: ts}
	c.stream, err = d.ints(n, nil)
	return c, err
}

// clockHead reads how many slots a time of day takes, and the digits of the fraction.
func (d *decoder) clockHead() (slots, digits int, err error) {
	head, err := d.take(2)
	if err != nil {
		return 0, 0, err
	}
	slots, digits = int(head[0]), int(head[1])
	if slots != 3 && slots != 4 || digits > 9 || slots == 3 && digits != 0 {
		return 0, 0, errMalformed("time of day")
	}
	return slots, digits, nil
}

// at returns the time of day of a row.
func (c *clockColumn) at(row int) uint64 {
	v := c.stream.at(row)
	unit := pow10[9-c.digits]
	day := uint64(dayNanos) / unit
	if c.ts != nil {
		v = unzigzag(v) + clockOf(c.ts.At(row))/unit
		if int64(v) < 0 {
			v += day
		} else if v >= day {
			v -= day
		}
	}
	if v >= day {
		c.stream.fault.set(errMalformed("time of day"))
		return 0
	}
	return v
}

func (c *clockColumn) append(dst []byte, row int) []byte { return c.appendPart(dst, row, 0) }

// appendPart appends slot k of the time of day.
func (c *clockColumn) appendPart(dst []byte, row, k int) []byte {
	return appendClock(dst, c.at(row), c.digits, k)
}

func (c *clockColumn) letters() alphabet { return digitBytes }

func (c *clockColumn) search(needle []byte, rows Rows, n int) { c.searchPart(0, needle, rows, n) }

// searchPart is search in slot k.
func (c *clockColumn) searchPart(k int, needle []byte, rows Rows, n int) {
	if !digitBytes.spells(needle) {
		return
	}
	var buf []byte
	for row := range n {
		if buf = c.appendPart(buf[:0], row, k); bytes.Contains(buf, needle) {
			rows.Add(row)
		}
	}
}
