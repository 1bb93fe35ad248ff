package columnar

import (
	"math/bits"
	"strconv"
	"sync"
)

// column is an opened column.
type column interface {
	// append appends row's value to dst.
	append(dst []byte, row int) []byte
	// letters is a set of bytes that holds all bytes of all values.
	letters() alphabet
	// search adds the rows whose values contain the needle, and maybe others, to rows. The needle is not empty, n is the number of rows.
	search(needle []byte, rows Rows, n int)
}

type constColumn []byte

func (c constColumn) append(dst []byte, _ int) []byte { return append(dst, c...) }

type intColumn struct{ values *intStream }

func (c *intColumn) append(dst []byte, row int) []byte {
	return strconv.AppendUint(dst, c.values.at(row), 10)
}

type fixedColumn struct {
	values *intStream
	width  int
}

func (c *fixedColumn) append(dst []byte, row int) []byte {
	return appendFixed(dst, c.values.at(row), c.width)
}

type digitsColumn struct{ values, widths *intStream }

func (c *digitsColumn) append(dst []byte, row int) []byte {
	return appendFixed(dst, c.values.at(row), int(c.widths.at(row)))
}

type decimalColumn struct {
	values *intStream
	places int
}

func (c *decimalColumn) append(dst []byte, row int) []byte {
	v := int64(unzigzag(c.values.at(row)))
	u := uint64(v)
	if v < 0 {
		dst = append(dst, '-')
		u = -u
	}
	dst = strconv.AppendUint(dst, u/pow10[c.places], 10)
	dst = append(dst, '.')
	return appendFixed(dst, u%pow10[c.places], c.places)
}

const (
	lowerDigits = "0123456789abcdef"
	upperDigits = "0123456789ABCDEF"
)

type hexColumn struct {
	bytes lazyBlock
	width int // bytes of a value
	upper bool
}

func (c *hexColumn) append(dst []byte, row int) []byte {
	digits := lowerDigits
	if c.upper {
		digits = upperDigits
	}
	for _, b := range c.bytes.all()[row*c.width : (row+1)*c.width] {
		dst = append(dst, digits[b>>4], digits[b&15])
	}
	return dst
}

type hexIntColumn struct {
	values *intStream
	width  int // 0: as many digits as needed
	upper  bool
}

func (c *hexIntColumn) append(dst []byte, row int) []byte {
	v := c.values.at(row)
	width := c.width
	if width == 0 {
		width = max(1, (bits.Len64(v)+3)/4)
	}
	digits := lowerDigits
	if c.upper {
		digits = upperDigits
	}
	for i := width - 1; i >= 0; i-- {
		dst = append(dst, digits[v>>(4*i)&15])
	}
	return dst
}

type dictColumn struct {
	ids     *intStream
	entries column
	count   int
}

func (c *dictColumn) append(dst []byte, row int) []byte {
	return c.entries.append(dst, int(c.ids.at(row)))
}

type rawColumn struct {
	lens  *intStream
	bytes lazyBlock
	once  sync.Once
	offs  []int

	lettersOnce sync.Once
	alphabet    alphabet
}

// offsets returns where each value starts and ends. Values that do not fit the bytes read as empty.
func (c *rawColumn) offsets() ([]byte, []int) {
	buf := c.bytes.all()
	c.once.Do(func() {
		lens := c.lens.all()
		offs := make([]int, len(lens)+1)
		for i, l := range lens {
			if l > uint64(len(buf)-offs[i]) {
				c.bytes.fault.set(errMalformed("raw column length"))
				l = 0
			}
			offs[i+1] = offs[i] + int(l)
		}
		if offs[len(lens)] != len(buf) {
			c.bytes.fault.set(errMalformed("raw column length"))
		}
		c.offs = offs
	})
	return buf[:c.offs[len(c.offs)-1]], c.offs
}

func (c *rawColumn) append(dst []byte, row int) []byte {
	buf, offs := c.offsets()
	return append(dst, buf[offs[row]:offs[row+1]]...)
}
