package chunk

import (
	"encoding/binary"
	"fmt"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/cambium-logs/cambium/pkg/internal/cursor"
)

// Structured metadata is stored as a dictionary of names, a dictionary of values, and per row the references into them.

// dictionary numbers strings in the order of their first use.
type dictionary struct {
	refs  map[string]uint64
	words []string
}

func (d *dictionary) ref(s string) uint64 {
	if r, ok := d.refs[s]; ok {
		return r
	}
	r := uint64(len(d.words))
	d.refs[s] = r
	d.words = append(d.words, s)
	return r
}

func (d *dictionary) appendTo(dst []byte) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(d.words)))
	for _, w := range d.words {
		dst = binary.AppendUvarint(dst, uint64(len(w)))
	}
	for _, w := range d.words {
		dst = append(dst, w...)
	}
	return dst
}

// appendMetadata appends the metadata part of entries to dst.
func appendMetadata(dst []byte, entries []Entry) []byte {
	names := dictionary{refs: map[string]uint64{}}
	values := dictionary{refs: map[string]uint64{}}
	for i := range entries {
		for _, l := range entries[i].Metadata {
			names.ref(l.Name)
			values.ref(l.Value)
		}
	}
	dst = names.appendTo(dst)
	dst = values.appendTo(dst)
	for i := range entries {
		dst = binary.AppendUvarint(dst, uint64(len(entries[i].Metadata)))
	}
	for i := range entries {
		for _, l := range entries[i].Metadata {
			dst = binary.AppendUvarint(dst, names.refs[l.Name])
			dst = binary.AppendUvarint(dst, values.refs[l.Value])
		}
	}
	return dst
}

// metadataTable is a decoded metadata part. The zero value is that of a chunk without metadata.
type metadataTable struct {
	names, values []string
	offsets       []uint32 // of row i: refs[offsets[i]:offsets[i+1]]
	refs          []labelRef
}

type labelRef struct{ name, value uint32 }

// openMetadata decodes the part whose names and values add up to meta.RawBytes-meta.LineBytes over all rows.
func openMetadata(p *part, meta Meta) (metadataTable, error) {
	var t metadataTable
	budget := meta.RawBytes - meta.LineBytes
	if p == nil {
		if budget != 0 {
			return t, fmt.Errorf("%w: no structured metadata", ErrCorrupt)
		}
		return t, nil
	}
	// A label has at least two bytes, so there are at most budget/2 of them. Each takes its bytes, two lengths and two references at most.
	if most := 2*binary.MaxVarintLen64 + 5*int64(meta.Rows) + budget + budget/2*4*5; int64(p.rawLen) > most {
		return t, fmt.Errorf("%w: %d bytes of structured metadata, at most %d are possible", ErrCorrupt, p.rawLen, most)
	}
	b, err := p.expand(nil)
	if err != nil {
		return t, err
	}
	d := cursor.Cursor{Rest: b}
	t.names = readDictionary(&d)
	t.values = readDictionary(&d)
	t.offsets = make([]uint32, meta.Rows+1)
	var total uint64
	for i := range meta.Rows {
		n := d.Uvarint()
		if n > uint64(budget/2)-total {
			return t, fmt.Errorf("%w: row %d has too many labels", ErrCorrupt, i)
		}
		total += n
		t.offsets[i+1] = uint32(total)
	}
	if d.Bad() || total*2 > uint64(len(d.Rest)) {
		return t, fmt.Errorf("%w: structured metadata is cut short", ErrCorrupt)
	}
	t.refs = make([]labelRef, total)
	for i := range t.refs {
		n, v := d.Uvarint(), d.Uvarint()
		if n >= uint64(len(t.names)) || v >= uint64(len(t.values)) {
			return t, fmt.Errorf("%w: structured metadata refers to a word that is not there", ErrCorrupt)
		}
		t.refs[i] = labelRef{uint32(n), uint32(v)}
		budget -= int64(len(t.names[n]) + len(t.values[v]))
	}
	if d.Bad() || len(d.Rest) != 0 || budget != 0 {
		return t, fmt.Errorf("%w: structured metadata does not fit the chunk's description", ErrCorrupt)
	}
	return t, nil
}

// readDictionary reads words as slices of one string of their own, so that labels stay valid after the chunk is closed.
func readDictionary(d *cursor.Cursor) []string {
	n := d.Uvarint()
	if n > uint64(len(d.Rest)) {
		d.Fail()
		return nil
	}
	lengths := cursor.Cursor{Rest: d.Rest}
	var total uint64
	for range n {
		l := d.Uvarint()
		if l > uint64(len(d.Rest)) {
			d.Fail()
		}
		if d.Bad() {
			return nil
		}
		total += l
	}
	text := string(d.Bytes(total))
	if d.Bad() {
		return nil
	}
	words := make([]string, n)
	for i := range words {
		l := lengths.Uvarint()
		words[i], text = text[:l], text[l:]
	}
	return words
}

func (t *metadataTable) row(row int, buf []labels.Label) []labels.Label {
	buf = buf[:0]
	if t.offsets == nil {
		return buf
	}
	for _, r := range t.refs[t.offsets[row]:t.offsets[row+1]] {
		buf = append(buf, labels.Label{Name: t.names[r.name], Value: t.values[r.value]})
	}
	return buf
}
