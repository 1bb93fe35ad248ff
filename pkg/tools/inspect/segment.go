package inspect

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/thanos-io/objstore"

	"github.com/cambium-logs/cambium/pkg/storage/chunk"
	"github.com/cambium-logs/cambium/pkg/storage/segment"
)

// description is everything that is shown of a segment.
type description struct {
	Segment   string         `json:"segment"`
	Size      int64          `json:"size"`
	Footer    segment.Footer `json:"footer"`
	Encodings []encoding     `json:"encodings"`
	Streams   []stream       `json:"streams,omitempty"`
	Omitted   int            `json:"omittedStreams,omitempty"`
}

// sizes are summed over chunks.
type sizes struct {
	Chunks      int   `json:"chunks"`
	Rows        int64 `json:"rows"`
	RawBytes    int64 `json:"rawBytes"`
	StoredBytes int64 `json:"storedBytes"`
}

func (s *sizes) add(m *chunk.Meta) {
	s.Chunks++
	s.Rows += int64(m.Rows)
	s.RawBytes += m.RawBytes
	s.StoredBytes += m.StoredBytes
}

type encoding struct {
	Name string `json:"encoding"`
	sizes
}

type stream struct {
	Labels    labels.Labels `json:"labels"`
	Totals    sizes         `json:"totals"`
	Chunks    []chunkInfo   `json:"chunkList"`
	Templates []template    `json:"templates,omitempty"`
	// OtherTemplates and OtherRows are those beyond the most frequent ones.
	OtherTemplates int   `json:"otherTemplates,omitempty"`
	OtherRows      int64 `json:"otherRows,omitempty"`
}

type chunkInfo struct {
	Ordinal     int       `json:"ordinal"`
	Offset      int64     `json:"offset"`
	MinTime     time.Time `json:"minTime"`
	MaxTime     time.Time `json:"maxTime"`
	Rows        int       `json:"rows"`
	RawBytes    int64     `json:"rawBytes"`
	LineBytes   int64     `json:"lineBytes"`
	StoredBytes int64     `json:"storedBytes"`
	Encoding    string    `json:"encoding"`
	Order       uint64    `json:"order"`
}

// template is a skeleton of lines with "<_>" where they differ.
type template struct {
	Text string `json:"template"`
	Rows int64  `json:"rows"`
}

// describe reads a segment: footer, index and directory, and the chunks when templates are wanted.
func describe(ctx context.Context, b objstore.BucketReader, name segment.Name, o options) (*description, error) {
	r, err := segment.Open(ctx, b, name, 0)
	if err != nil {
		return nil, err
	}
	d := &description{Segment: name.Path(), Size: r.Size(), Footer: r.Footer()}
	encodings := map[chunk.Encoding]*sizes{}
	err = r.Streams(ctx, func(s segment.Stream) error {
		for _, c := range s.Chunks {
			m := c.Meta()
			if encodings[m.Encoding] == nil {
				encodings[m.Encoding] = &sizes{}
			}
			encodings[m.Encoding].add(&m)
		}
		if o.summary && o.templates == 0 || !matches(s.Labels, o.matchers) {
			d.Omitted++
			return nil
		}
		shown, err := describeStream(ctx, s, o)
		d.Streams = append(d.Streams, shown)
		return err
	})
	if err != nil {
		return nil, err
	}
	for e, s := range encodings {
		d.Encodings = append(d.Encodings, encoding{e.String(), *s})
	}
	slices.SortFunc(d.Encodings, func(a, b encoding) int { return cmp.Compare(a.Name, b.Name) })
	return d, nil
}

func matches(ls labels.Labels, matchers []*labels.Matcher) bool {
	for _, m := range matchers {
		if !m.Matches(ls.Get(m.Name)) {
			return false
		}
	}
	return true
}

func describeStream(ctx context.Context, s segment.Stream, o options) (stream, error) {
	out := stream{Labels: s.Labels}
	counts := map[string]int64{}
	for _, c := range s.Chunks {
		m := c.Meta()
		out.Totals.add(&m)
		out.Chunks = append(out.Chunks, chunkInfo{
			Ordinal: c.Ordinal(), Offset: c.Offset(), MinTime: utc(m.MinT), MaxTime: utc(m.MaxT), Rows: m.Rows,
			RawBytes: m.RawBytes, LineBytes: m.LineBytes, StoredBytes: m.StoredBytes, Encoding: m.Encoding.String(), Order: m.Order,
		})
		if o.templates <= 0 {
			continue
		}
		if err := countTemplates(ctx, c, counts); err != nil {
			return out, err
		}
	}
	for text, rows := range counts {
		out.Templates = append(out.Templates, template{text, rows})
	}
	slices.SortFunc(out.Templates, func(a, b template) int {
		return cmp.Or(cmp.Compare(b.Rows, a.Rows), cmp.Compare(a.Text, b.Text))
	})
	if n := len(out.Templates); n > o.templates {
		for _, t := range out.Templates[o.templates:] {
			out.OtherTemplates++
			out.OtherRows += t.Rows
		}
		out.Templates = slices.Clip(out.Templates[:o.templates])
	}
	return out, nil
}

// variable stands where the lines of a template differ.
const variable = "<_>"

func countTemplates(ctx context.Context, c segment.ChunkRef, counts map[string]int64) error {
	r, err := c.Open(ctx)
	if err != nil {
		return err
	}
	defer r.Close()
	var b strings.Builder
	for _, t := range chunk.Templates(r) {
		b.Reset()
		for i, piece := range t.Pieces {
			if i > 0 {
				b.WriteString(variable)
			}
			b.Write(piece)
		}
		counts[b.String()] += int64(t.Rows)
	}
	return chunk.Fault(r)
}

func writeJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return fmt.Errorf("write JSON: %w", err)
	}
	return nil
}
