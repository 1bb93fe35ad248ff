package chunk

import (
	"encoding/binary"
	"fmt"
	"sync"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/cambium-logs/cambium/pkg/internal/cursor"
)

func init() { register(EncodingPlain, plain{}) }

// plain keeps lines in row order, concatenated and compressed with zstd. It is the reference that other encodings are tested against.
type plain struct{}

// plainBuffers are what encoding one chunk needs besides its output.
type plainBuffers struct {
	raw     [4][]byte
	scratch [4][]byte
	parts   []part
}

var plainBufferPool = sync.Pool{New: func() any { return new(plainBuffers) }}

// maxPooledBuffer bounds what a pooled buffer keeps: chunks are 1–4 MiB, larger ones are rare and not worth the memory.
const maxPooledBuffer = 8 << 20

func (plain) encode(dst []byte, entries []Entry, _ Meta) ([]byte, error) {
	b := plainBufferPool.Get().(*plainBuffers)
	times, lengths, lines := b.raw[0][:0], b.raw[1][:0], b.raw[2][:0]
	last := entries[0].Timestamp
	hasMetadata := false
	for i := range entries {
		e := &entries[i]
		times = binary.AppendUvarint(times, uint64(e.Timestamp)-uint64(last))
		last = e.Timestamp
		lengths = binary.AppendUvarint(lengths, uint64(len(e.Line)))
		lines = append(lines, e.Line...)
		hasMetadata = hasMetadata || len(e.Metadata) > 0
	}
	metadata := b.raw[3][:0]
	if hasMetadata {
		metadata = appendMetadata(metadata, entries)
	}
	b.raw = [4][]byte{times, lengths, lines, metadata}
	b.parts = b.parts[:0]
	for i, kind := range [4]partKind{partTimes, partLengths, partLines, partMetadata} {
		if len(b.raw[i]) == 0 {
			continue
		}
		var p part
		p, b.scratch[i] = makePart(kind, b.raw[i], b.scratch[i])
		b.parts = append(b.parts, p)
	}
	dst = appendParts(dst, b.parts)
	clear(b.parts)
	for i := range b.raw {
		if cap(b.raw[i]) > maxPooledBuffer {
			b.raw[i] = nil
		}
		if cap(b.scratch[i]) > maxPooledBuffer {
			b.scratch[i] = nil
		}
	}
	plainBufferPool.Put(b)
	return dst, nil
}

// plainReader holds a decoded chunk.
type plainReader struct {
	times    []int64
	offsets  []uint32 // of line i: [offsets[i], offsets[i+1])
	lines    []byte
	metadata metadataTable
	buffer   *[]byte // pooled memory of lines, nil when lines alias the stored bytes
	close    sync.Once
	loan
}

var plainLinePool = sync.Pool{New: func() any { return new([]byte) }}

func (plain) open(data []byte, meta Meta) (lentReader, error) {
	parts, err := splitParts(data)
	if err != nil {
		return nil, err
	}
	var byKind [partMetadata + 1]*part
	for i := range parts {
		k := parts[i].kind
		if k < partTimes || k > partMetadata || byKind[k] != nil {
			return nil, fmt.Errorf("%w: unexpected part kind %d", ErrCorrupt, k)
		}
		byKind[k] = &parts[i]
	}
	r := &plainReader{}
	if r.times, err = openTimes(byKind[partTimes], meta); err != nil {
		return nil, err
	}
	if r.offsets, err = openLengths(byKind[partLengths], meta); err != nil {
		return nil, err
	}
	if r.metadata, err = openMetadata(byKind[partMetadata], meta); err != nil {
		return nil, err
	}
	if err := r.openLines(byKind[partLines], meta); err != nil {
		return nil, err
	}
	return r, nil
}

// openTimes decodes meta.Rows ascending timestamps from meta.MinT to meta.MaxT.
func openTimes(p *part, meta Meta) ([]int64, error) {
	b, err := expandVarints(p, "timestamps", meta)
	if err != nil {
		return nil, err
	}
	times := make([]int64, meta.Rows)
	d := cursor.Cursor{Rest: b}
	t := uint64(meta.MinT)
	for i := range times {
		delta := d.Uvarint()
		// The room up to the largest timestamp, which a delta must not pass: time never wraps around.
		if delta > uint64(meta.MaxT)-t {
			return nil, fmt.Errorf("%w: timestamp %d lies after the chunk's end", ErrCorrupt, i)
		}
		t += delta
		times[i] = int64(t)
	}
	if d.Bad() || len(d.Rest) != 0 || times[0] != meta.MinT || times[len(times)-1] != meta.MaxT {
		return nil, fmt.Errorf("%w: timestamps do not fit the chunk's description", ErrCorrupt)
	}
	return times, nil
}

// openLengths decodes meta.Rows line lengths that add up to meta.LineBytes, as offsets.
func openLengths(p *part, meta Meta) ([]uint32, error) {
	b, err := expandVarints(p, "line lengths", meta)
	if err != nil {
		return nil, err
	}
	offsets := make([]uint32, meta.Rows+1)
	d := cursor.Cursor{Rest: b}
	var sum uint64
	for i := range meta.Rows {
		n := d.Uvarint()
		if n > uint64(meta.LineBytes)-sum {
			return nil, fmt.Errorf("%w: line %d is longer than what is left", ErrCorrupt, i)
		}
		sum += n
		offsets[i+1] = uint32(sum)
	}
	if d.Bad() || len(d.Rest) != 0 || sum != uint64(meta.LineBytes) {
		return nil, fmt.Errorf("%w: line lengths do not fit the chunk's description", ErrCorrupt)
	}
	return offsets, nil
}

// expandVarints expands a part that holds one varint per row.
func expandVarints(p *part, what string, meta Meta) ([]byte, error) {
	if p == nil {
		return nil, fmt.Errorf("%w: no %s", ErrCorrupt, what)
	}
	if p.rawLen < meta.Rows || p.rawLen > meta.Rows*binary.MaxVarintLen64 {
		return nil, fmt.Errorf("%w: %d bytes of %s for %d rows", ErrCorrupt, p.rawLen, what, meta.Rows)
	}
	return p.expand(nil)
}

func (r *plainReader) openLines(p *part, meta Meta) error {
	if p == nil {
		if meta.LineBytes != 0 {
			return fmt.Errorf("%w: no lines", ErrCorrupt)
		}
		return nil
	}
	if int64(p.rawLen) != meta.LineBytes {
		return fmt.Errorf("%w: %d bytes of lines where %d are stored", ErrCorrupt, p.rawLen, meta.LineBytes)
	}
	buf := plainLinePool.Get().(*[]byte)
	lines, err := p.expand(*buf)
	if err != nil {
		plainLinePool.Put(buf)
		return err
	}
	r.lines = lines
	if p.codec == codecRaw {
		plainLinePool.Put(buf)
		return nil
	}
	*buf = lines
	r.buffer = buf
	return nil
}

func (r *plainReader) Len() int                { return len(r.times) }
func (r *plainReader) Timestamp(row int) int64 { return r.times[row] }

func (r *plainReader) Line(row int, _ []byte) []byte {
	from, to := r.offsets[row], r.offsets[row+1]
	return r.lines[from:to:to]
}

func (r *plainReader) Metadata(row int, buf []labels.Label) []labels.Label {
	return r.metadata.row(row, buf)
}

func (r *plainReader) Close() {
	r.close.Do(func() {
		if r.buffer != nil && cap(*r.buffer) <= maxPooledBuffer {
			plainLinePool.Put(r.buffer)
		}
		r.buffer, r.lines = nil, nil
	})
	r.giveBack()
}
