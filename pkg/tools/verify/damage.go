package verify

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/oklog/ulid/v2"
	"github.com/prometheus/prometheus/model/labels"

	"github.com/cambium-logs/cambium/pkg/storage/segment"
	"github.com/cambium-logs/cambium/pkg/tools/store"
)

// maxErrors is how many errors of one segment are told.
const maxErrors = 5

// damage is what is wrong with one segment.
type damage struct {
	name   segment.Name
	reader *segment.Reader // nil when index or directory cannot be read
	errs   []error         // the first of them
	more   int             // the number of others
	chunks map[int]error   // damaged chunks by ordinal
	lost   Loss
	last   labels.Labels
}

// add takes a damage that was found in an opened segment.
func (d *damage) add(found segment.Damage) {
	if len(d.errs) < maxErrors {
		d.errs = append(d.errs, found.Err)
	} else {
		d.more++
	}
	if found.Chunk == nil {
		return
	}
	m := found.Chunk.Meta()
	d.chunks[found.Chunk.Ordinal()] = found.Err
	l := &d.lost
	if l.Rows == 0 {
		l.MinTime, l.MaxTime = utc(m.MinT), utc(m.MaxT)
	}
	if t := utc(m.MinT); t.Before(l.MinTime) {
		l.MinTime = t
	}
	if t := utc(m.MaxT); t.After(l.MaxTime) {
		l.MaxTime = t
	}
	l.Rows += int64(m.Rows)
	l.RawBytes += m.RawBytes
	if l.Streams == 0 || !labels.Equal(d.last, found.Stream) {
		l.Streams++
		d.last = found.Stream
		if len(l.StreamNames) < maxNames {
			l.StreamNames = append(l.StreamNames, found.Stream.String())
		}
	}
}

func (d *damage) detail() string {
	texts := make([]string, 0, len(d.errs)+1)
	for _, err := range d.errs {
		texts = append(texts, err.Error())
	}
	if d.more > 0 {
		texts = append(texts, fmt.Sprintf("and %d more", d.more))
	}
	return strings.Join(texts, "; ")
}

// damaged tells of a damaged segment, and repairs it.
func (dc *dayCheck) damaged(ctx context.Context, d *damage) error {
	f := Finding{Severity: Damaged, Object: d.name.Path(), Detail: d.detail()}
	substitutes, hidden := dc.substitutes(d.name.ID)
	switch {
	case dc.states[d.name.ID] != store.Visible:
		f.Detail += " (nobody reads it: it is " + string(dc.states[d.name.ID]) + ")"
	case hidden == nil && len(substitutes) > 0:
		f.Detail += " (the segments it was made of are still there)"
		f.Lost = dc.loss(d)
	default:
		f.Lost = dc.loss(d)
	}
	if !dc.repair {
		dc.report.find(f)
		return nil
	}
	err := dc.mend(ctx, d, substitutes, &f)
	dc.report.find(f)
	return err
}

// substitutes gives the listed sources of a segment when all that it names are there, and why not otherwise.
func (dc *dayCheck) substitutes(id ulid.ULID) ([]ulid.ULID, error) {
	footer, ok := dc.footers[id]
	if !ok || len(footer.Sources) == 0 {
		return nil, errors.New("no sources are known")
	}
	for _, source := range footer.Sources {
		if !dc.listed[source] {
			return nil, fmt.Errorf("source %s is deleted", source)
		}
	}
	return footer.Sources, nil
}

// loss is what cannot be read of a visible segment; nil when that is nothing.
func (dc *dayCheck) loss(d *damage) *Loss {
	if d.reader != nil {
		if d.lost.Rows == 0 {
			return nil
		}
		return &d.lost
	}
	l := &Loss{Streams: -1, Rows: -1, RawBytes: -1, MinTime: utc(d.name.MinT), MaxTime: utc(d.name.MaxT)}
	if footer, ok := dc.footers[d.name.ID]; ok {
		l.Streams, l.Rows, l.RawBytes = int64(footer.Streams), footer.Rows, footer.RawBytes
	}
	return l
}

// sortedChunks puts a stream's chunks into the order in which a segment stores them.
func sortedChunks(chunks []segment.ChunkRef) []segment.ChunkRef {
	return slices.SortedFunc(slices.Values(chunks), func(a, b segment.ChunkRef) int { return cmp.Compare(a.Ordinal(), b.Ordinal()) })
}
