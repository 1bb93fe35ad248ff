package segment

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/cambium-logs/cambium/pkg/storage/chunk"
)

// Damage is something wrong in a segment.
type Damage struct {
	Err error
	// Stream and Chunk say whose rows cannot be read. Chunk is nil where no rows are touched: by a damaged header, filter or order.
	Stream labels.Labels
	Chunk  *ChunkRef
}

// Verify reads every byte of the segment and holds it against its checksums and descriptions: header, filters, every chunk with all its rows, every reference from the index.
// It gives all that is wrong, joined; after the context's end or a bucket's failure it gives that at once.
func (r *Reader) Verify(ctx context.Context) error {
	var wrong []error
	err := r.Check(ctx, func(d Damage) { wrong = append(wrong, d.Err) })
	if err != nil && !IsCorrupt(err) {
		return err
	}
	return errors.Join(append(wrong, err)...)
}

// Check is Verify for who wants to know what is damaged: found is called with every damage. The error is the context's, the bucket's, or that of an
// index that cannot be read to its end.
func (r *Reader) Check(ctx context.Context, found func(Damage)) error {
	bad := func(format string, args ...any) {
		found(Damage{Err: fmt.Errorf("%w: "+format, append([]any{ErrCorrupt}, args...)...)})
	}
	if err := r.verifyHeader(ctx); err != nil {
		if !IsCorrupt(err) {
			return err
		}
		found(Damage{Err: err})
	}
	if _, err := r.Filters(ctx); err != nil {
		if !IsCorrupt(err) {
			return err
		}
		found(Damage{Err: err})
	}
	next, streams := 0, 0
	err := r.Streams(ctx, func(s Stream) error {
		streams++
		for _, c := range s.Chunks {
			if c.ordinal != next {
				bad("index of segment %s: stream %s does not follow the stream before it", r.path, s.Labels)
			}
			next = c.ordinal + 1
			switch err := c.check(ctx); {
			case IsCorrupt(err):
				found(Damage{Err: err, Stream: s.Labels, Chunk: &c})
			case err != nil:
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	if streams != r.footer.Streams || next != len(r.entries) {
		bad("index of segment %s: %d streams where the directory has %d", r.path, streams, r.footer.Streams)
	}
	return nil
}

func (r *Reader) verifyHeader(ctx context.Context) error {
	_, err := r.checked(ctx, 0, headerLen, func(b []byte) error {
		if !bytes.Equal(b, header()) {
			return fmt.Errorf("%w: header of segment %s is damaged", ErrCorrupt, r.path)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("read header of segment %s: %w", r.path, err)
	}
	return nil
}

// check reads all rows of a chunk.
func (c ChunkRef) check(ctx context.Context) error {
	reader, err := c.Open(ctx)
	if err != nil {
		return err
	}
	defer reader.Close()
	m := c.Meta()
	if reader.Len() != m.Rows || reader.Timestamp(0) != m.MinT || reader.Timestamp(m.Rows-1) != m.MaxT {
		return c.wrap("verify", fmt.Errorf("%w: rows do not fit the directory", chunk.ErrCorrupt))
	}
	var line []byte
	var metadata []labels.Label
	var lines, all int64
	last := m.MinT
	for row := range m.Rows {
		t := reader.Timestamp(row)
		if t < last {
			return c.wrap("verify", fmt.Errorf("%w: row %d is earlier than the row before it", chunk.ErrCorrupt, row))
		}
		last = t
		line = reader.Line(row, line)
		lines += int64(len(line))
		metadata = reader.Metadata(row, metadata)
		for _, l := range metadata {
			all += int64(len(l.Name) + len(l.Value))
		}
	}
	all += lines
	if err := chunk.Fault(reader); err != nil {
		return err
	}
	if lines != m.LineBytes || all != m.RawBytes {
		return c.wrap("verify", fmt.Errorf("%w: rows have %d bytes where the directory says %d", chunk.ErrCorrupt, all, m.RawBytes))
	}
	return nil
}
