package segment

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/cambium-logs/cambium/pkg/storage/chunk"
)

// Verify reads every byte of the segment and holds it against its checksums and descriptions: header, filters, every chunk with all its rows, every reference from the index.
// It gives all that is wrong, joined; after the context's end or a bucket's failure it gives that at once.
func (r *Reader) Verify(ctx context.Context) error {
	var wrong []error
	add := func(err error) error {
		if IsCorrupt(err) {
			wrong = append(wrong, err)
			return nil
		}
		return err
	}
	if err := add(r.verifyHeader(ctx)); err != nil {
		return err
	}
	if _, err := r.Filters(ctx); add(err) != nil {
		return err
	}
	next, streams := 0, 0
	err := r.Streams(ctx, func(s Stream) error {
		streams++
		for _, c := range s.Chunks {
			if c.ordinal != next {
				wrong = append(wrong, fmt.Errorf("%w: index of segment %s: stream %s does not follow the stream before it", ErrCorrupt, r.path, s.Labels))
			}
			next = c.ordinal + 1
			if err := add(c.verify(ctx)); err != nil {
				return err
			}
		}
		return nil
	})
	if err := add(err); err != nil {
		return err
	}
	if err == nil && (streams != r.footer.Streams || next != len(r.entries)) {
		wrong = append(wrong, fmt.Errorf("%w: index of segment %s: %d streams where the directory has %d", ErrCorrupt, r.path, streams, r.footer.Streams))
	}
	return errors.Join(wrong...)
}

func (r *Reader) verifyHeader(ctx context.Context) error {
	b, err := r.read(ctx, 0, headerLen)
	if err != nil {
		return fmt.Errorf("read header of segment %s: %w", r.path, err)
	}
	if !bytes.Equal(b, header()) {
		return fmt.Errorf("%w: header of segment %s is damaged", ErrCorrupt, r.path)
	}
	return nil
}

func (c ChunkRef) verify(ctx context.Context) error {
	reader, err := c.Open(ctx)
	if err != nil {
		return err
	}
	defer reader.Close()
	m := c.Meta()
	if reader.Len() != m.Rows || reader.Timestamp(0) != m.MinT || reader.Timestamp(m.Rows-1) != m.MaxT {
		return c.wrap("verify", fmt.Errorf("%w: rows do not fit the directory", chunk.ErrCorrupt))
	}
	return nil
}
