package columnar

import (
	"encoding/binary"
	"math/bits"
)

// templateTexts reads the templates of a column one after the other, from text with marks or without.
type templateTexts struct {
	count  int
	left   []byte // text that was not read yet
	marked bool
	rows   []byte   // with marks: the rows of the templates that were not read yet
	flat   []byte   // with marks: the literals that were read, end to end
	ends   []uint32 // of the template read last
	pools  []byte   // with marks: the pools that were read

	scratch *scratch // with marks: where the text is
}

// templateText is one template as its text tells it.
type templateText struct {
	rows  int
	text  []byte   // the pieces, end to end
	ends  []uint32 // where each piece ends; valid until the next template is read
	pools []byte   // of a rare template: the pool of each slot; else nil
}

func (t *templateText) slots() int { return len(t.ends) - 1 }

// templateTexts takes the number of templates of a column of n rows and their text off d.
func (d *decoder) templateTexts(n int, marked bool) (r templateTexts, err error) {
	count, err := d.count(min(n, maxTemplates))
	if err != nil || count == 0 {
		return r, errMalformed("template count")
	}
	if !marked {
		text, err := d.block(d.left)
		return templateTexts{count: count, left: text}, err
	}
	scratch := takeScratch()
	text, err := d.blockInto(scratch, d.left)
	if err != nil {
		return r, err
	}
	r = templateTexts{count: count, left: text, marked: marked, scratch: scratch}
	r.rows = text
	for range count {
		_, k := binary.Uvarint(r.left)
		if k <= 0 {
			return r, errMalformed("template rows")
		}
		r.left = r.left[k:]
	}
	// Literals are never longer than their text: what is appended stays where it is.
	r.flat = make([]byte, 0, len(r.left)+wordBytes)
	return r, nil
}

// literals is text that holds all literals that were read.
func (r *templateTexts) literals(whole []byte) []byte {
	if r.marked {
		return r.flat
	}
	return whole
}

// next reads a template of at most most rows.
func (r *templateTexts) next(most int) (t templateText, err error) {
	if r.marked {
		return r.nextMarked(most)
	}
	var head templateHead
	if r.left, err = head.read(r.left, most); err != nil {
		return t, err
	}
	if cap(r.ends) <= head.slots {
		r.ends = make([]uint32, head.slots+1, 2*head.slots+8)
	}
	t = templateText{rows: head.rows, pools: head.pools, ends: r.ends[:head.slots+1]}
	t.text, r.left, err = head.readPieces(r.left, t.ends)
	return t, err
}

// special are the bytes that are not what they are in text with marks.
var special = func() (special [256]bool) {
	for b := range special {
		special[b] = isMark(byte(b))
	}
	return special
}()

func (r *templateTexts) nextMarked(most int) (t templateText, err error) {
	rows, k := binary.Uvarint(r.rows)
	if k <= 0 || rows == 0 || rows > uint64(most) {
		return t, errMalformed("template rows")
	}
	r.rows = r.rows[k:]
	start, firstPool := len(r.flat), len(r.pools)
	r.ends = r.ends[:0]
	pooled := false
	b := r.left
	for i := 0; i < len(b); i++ {
		if i += r.appendPlain(b[i:]); i == len(b) {
			break
		}
		switch c := b[i]; c {
		case markEnd:
			r.left = b[i+1:]
			r.ends = append(r.ends, uint32(len(r.flat)-start))
			t = templateText{rows: int(rows), text: r.flat[start:len(r.flat):len(r.flat)], ends: r.ends}
			if pooled {
				t.pools = r.pools[firstPool:len(r.pools):len(r.pools)]
			}
			return t, nil
		case markEscape:
			if i++; i == len(b) {
				return t, errEnd
			}
			r.flat = append(r.flat, b[i])
		default:
			if len(r.ends) == maxSlots || len(r.ends) > 0 && pooled != (c != markVariable) {
				return t, errMalformed("template slots")
			}
			r.ends = append(r.ends, uint32(len(r.flat)-start))
			if pooled = c != markVariable; pooled {
				r.pools = append(r.pools, c)
			}
		}
	}
	return t, errEnd
}

const (
	wordBytes = 8
	eachByte  = 0x0101010101010101
	highBits  = 0x80 * eachByte
	// plainFrom is the byte from which on none is special.
	plainFrom = markEnd + 1
)

// appendPlain appends what stands before the next byte that is special to the literals, and gives its length. The literals have room for a word
// behind what is left of the text.
func (r *templateTexts) appendPlain(b []byte) (n int) {
	at := len(r.flat)
	flat := r.flat[:cap(r.flat)]
	for n+wordBytes <= len(b) {
		word := binary.LittleEndian.Uint64(b[n:])
		binary.LittleEndian.PutUint64(flat[at+n:], word)
		// The lowest bit that is set lies in the first byte that is less than plainFrom.
		low := (word - plainFrom*eachByte) &^ word & highBits
		if low == 0 {
			n += wordBytes
			continue
		}
		n += bits.TrailingZeros64(low) / 8
		if special[b[n]] {
			r.flat = flat[:at+n]
			return n
		}
		n++
	}
	for ; n < len(b) && !special[b[n]]; n++ {
		flat[at+n] = b[n]
	}
	r.flat = flat[:at+n]
	return n
}

// end checks that nothing is left of text with marks, and gives back what it was read from.
func (r *templateTexts) end() error {
	if !r.marked {
		return nil
	}
	if len(r.left) != 0 {
		return errMalformed("template text")
	}
	r.left, r.rows = nil, nil
	r.scratch.giveBack()
	return nil
}
