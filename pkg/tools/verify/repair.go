package verify

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/cambium-logs/cambium/pkg/storage/chunk"
	"github.com/cambium-logs/cambium/pkg/storage/filter"
	"github.com/cambium-logs/cambium/pkg/storage/segment"
	"github.com/cambium-logs/cambium/pkg/tools/cli"
	"github.com/cambium-logs/cambium/pkg/tools/store"
)

// mend puts in place what is left of a damaged segment, then quarantines it. Finding says what was done. The error is that of a bucket that fails.
func (dc *dayCheck) mend(ctx context.Context, d *damage, substitutes []ulid.ULID, f *Finding) error {
	did := ""
	switch {
	case dc.states[d.name.ID] != store.Visible:
		did = "nothing is lost"
	case len(substitutes) > 0 && dc.whole(ctx, substitutes):
		if err := dc.reveal(ctx, substitutes); err != nil {
			return err
		}
		f.Lost = nil
		did = fmt.Sprintf("nothing is lost: the %s it was made of are read again", cli.Plural(int64(len(substitutes)), "segment"))
	case d.reader != nil && len(d.chunks) < d.reader.Footer().Chunks:
		info, err := dc.salvage(ctx, d)
		if err != nil {
			return fmt.Errorf("save what is left of %s: %w", d.name, err)
		}
		did = fmt.Sprintf("%s of %s are kept in %s", cli.Plural(info.Footer.Rows, "row"), cli.Plural(int64(info.Footer.Streams), "stream"), info.Name)
	default:
		did = "all of it is lost"
	}
	f.Repair = did
	if err := dc.quarantine(ctx, d.name.Path(), f); err != nil {
		return err
	}
	f.Repair += "; moved to " + store.QuarantineDir + d.name.Path()
	return nil
}

// whole reports whether all segments can be read to the last byte.
func (dc *dayCheck) whole(ctx context.Context, ids []ulid.ULID) bool {
	for _, n := range dc.day.Segments {
		if !slices.Contains(ids, n.ID) {
			continue
		}
		r, err := segment.Open(ctx, dc.store.Bucket, n, 0)
		if err != nil || r.Verify(ctx) != nil {
			return false
		}
	}
	return true
}

// reveal deletes the markers of segments.
func (dc *dayCheck) reveal(ctx context.Context, ids []ulid.ULID) error {
	for _, id := range dc.day.Gone {
		if !slices.Contains(ids, id) {
			continue
		}
		if err := dc.store.Bucket.Delete(ctx, segment.GonePath(dc.day.Tenant, dc.day.Day, id)); err != nil && !dc.isNotFound(err) {
			return err
		}
	}
	return nil
}

// salvage writes the sound chunks of a segment to a new one.
func (dc *dayCheck) salvage(ctx context.Context, d *damage) (segment.Info, error) {
	old := d.reader.Footer()
	opts := segment.WriterOptions{
		Tenant: d.name.Tenant,
		Level:  max(d.name.Level, segment.LevelMerged), // readers look for sources from this level on
		// The damaged segment's own sources hold its entries too, as long as they are there.
		Sources: append(slices.Clone(old.Sources), d.name.ID),
		Deletes: old.Deletes,
	}
	filters, err := d.reader.Filters(ctx)
	if err != nil && !segment.IsCorrupt(err) {
		return segment.Info{}, err
	}
	rebuild := err != nil
	var encoder segment.Encoder
	info, err := segment.Create(ctx, dc.store.Bucket, dc.store.Bucket.TempDir(os.TempDir()), opts, func(w *segment.Writer) error {
		return d.reader.Streams(ctx, func(s segment.Stream) error {
			for _, c := range sortedChunks(s.Chunks) {
				if d.chunks[c.Ordinal()] != nil {
					continue
				}
				data, err := c.Read(ctx)
				if err != nil {
					return err
				}
				e := segment.EncodedChunk{Meta: c.Meta(), Data: data}
				if rebuild {
					made, err := makeFilter(ctx, c, &encoder)
					if err != nil {
						return err
					}
					e.Filter = &made
				} else if filters != nil {
					e.Packed = &filters[c.Ordinal()]
				}
				if err := w.Append(s.Labels, e); err != nil {
					return err
				}
			}
			return nil
		})
	})
	if err != nil {
		return info, err
	}
	r, err := segment.Open(ctx, dc.store.Bucket, info.Name, info.Size)
	if err != nil {
		return info, err
	}
	return info, r.Verify(ctx)
}

func makeFilter(ctx context.Context, c segment.ChunkRef, e *segment.Encoder) (filter.Chunk, error) {
	r, err := c.Open(ctx)
	if err != nil {
		return filter.Chunk{}, err
	}
	defer r.Close()
	entries := chunk.ReadAll(nil, r)
	return e.Filter(entries), chunk.Fault(r)
}

// quarantine moves an object, and writes down why.
func (c *checker) quarantine(ctx context.Context, name string, why *Finding) error {
	b := c.store.Bucket
	to := store.QuarantineDir + name
	fail := func(err error) error { return fmt.Errorf("quarantine %s: %w", name, err) }
	before, err := b.Attributes(ctx, name)
	if err != nil {
		return fail(err)
	}
	body, err := b.Get(ctx, name)
	if err != nil {
		return fail(err)
	}
	err = b.Upload(ctx, to, body)
	if err = errors.Join(err, body.Close()); err != nil {
		return fail(err)
	}
	after, err := b.Attributes(ctx, to)
	if err == nil && after.Size != before.Size {
		err = fmt.Errorf("%d of %d bytes arrived", after.Size, before.Size)
	}
	if err != nil {
		return fail(err)
	}
	note, err := json.MarshalIndent(struct {
		Finding
		Time time.Time `json:"quarantined"`
	}{*why, time.Now().UTC()}, "", "  ")
	if err == nil {
		err = b.Upload(ctx, to+".json", bytes.NewReader(append(note, '\n')))
	}
	if err == nil {
		err = b.Delete(ctx, name)
	}
	if err != nil {
		return fail(err)
	}
	c.report.totals.Quarantined++
	return nil
}
