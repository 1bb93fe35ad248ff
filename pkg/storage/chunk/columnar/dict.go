package columnar

import "bytes"

// dictionary finds distinct values by open addressing; it is reused from column to column.
type dictionary struct {
	slots  []int32 // index into entries + 1
	hashes []uint64
	res    distinctValues
}

// distinctValues are the distinct values of a column, in order of first use.
type distinctValues struct {
	complete bool // false: there are too many, the rest is not filled
	entries  [][]byte
	ids      []int32
	bytes    int // of the entries
	total    int // of all values
}

// pays reports whether a dictionary is likely to be smaller than the values themselves.
func (d *distinctValues) pays(n int) bool {
	return len(d.entries)*2 <= n && (d.total-d.bytes)*8 > n*bitLen(len(d.entries))
}

func bitLen(n int) int {
	b := 0
	for ; n > 0; n >>= 1 {
		b++
	}
	return b
}

// distinct collects the distinct values, and gives up early when most of them differ. The result is valid until the next call.
func (e *Encoder) distinct(values [][]byte) *distinctValues {
	d := &e.dict
	limit := len(values)/2 + 1
	size := 64
	for size < 2*limit+2 && size < 4096 {
		size *= 2
	}
	d.grow(size)
	r := &d.res
	r.complete, r.entries, r.ids, r.bytes, r.total = false, r.entries[:0], r.ids[:0], 0, 0
	d.hashes = d.hashes[:0]
	for i, v := range values {
		h := hashBytes(hashSeed, v)
		r.total += len(v)
		at := h & uint64(len(d.slots)-1)
		for {
			s := d.slots[at]
			if s == 0 {
				if len(r.entries) >= limit || i >= 256 && len(r.entries)*8 > i*7 && i < 4096 {
					return r
				}
				r.entries = append(r.entries, v)
				d.hashes = append(d.hashes, h)
				r.bytes += len(v) + 1
				d.slots[at] = int32(len(r.entries))
				r.ids = append(r.ids, int32(len(r.entries)-1))
				if 2*len(r.entries) > len(d.slots) {
					d.rehash()
				}
				break
			}
			if d.hashes[s-1] == h && bytes.Equal(r.entries[s-1], v) {
				r.ids = append(r.ids, s-1)
				break
			}
			at = (at + 1) & uint64(len(d.slots)-1)
		}
	}
	r.complete = true
	return r
}

func (d *dictionary) grow(size int) {
	if cap(d.slots) < size {
		d.slots = make([]int32, size)
		return
	}
	d.slots = d.slots[:size]
	clear(d.slots)
}

func (d *dictionary) rehash() {
	d.grow(2 * len(d.slots))
	for i, h := range d.hashes {
		at := h & uint64(len(d.slots)-1)
		for d.slots[at] != 0 {
			at = (at + 1) & uint64(len(d.slots)-1)
		}
		d.slots[at] = int32(i + 1)
	}
}
