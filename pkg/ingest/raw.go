package ingest

import (
	"bytes"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/relabel"

	"github.com/cambium-logs/cambium/pkg/storage/chunk"
)

// DecodeRaw reads newline-delimited text into one stream with the given labels. Carriage returns at line ends and empty lines are left
// out; a last line without a newline counts. Each line is stamped one nanosecond after the one before it, the first with now.
func DecodeRaw(body []byte, stream []labels.Label, now time.Time, batch *Batch) error {
	if err := batch.beginStream(); err != nil {
		return err
	}
	timestamp := now.UnixNano()
	for len(body) > 0 {
		line, rest, _ := bytes.Cut(body, []byte{'\n'})
		body = rest
		if line = bytes.TrimRight(line, "\r"); len(line) == 0 {
			continue
		}
		if err := batch.addEntry(chunk.Entry{Timestamp: timestamp, Line: line}); err != nil {
			return err
		}
		timestamp++
	}
	batch.endStream(labelText(slices.Clone(stream), &batch.bytes))
	return nil
}

// Collector is what a collector of logs does to the streams it receives before they are stored.
type Collector struct {
	// Labels are put on every stream; they replace received labels of the same name.
	Labels map[string]string
	// Relabel is applied to the labels of each stream that was pushed. A stream that it drops disappears without an error.
	Relabel []*relabel.Config
	// ReceiveTime stamps entries with the time of their arrival instead of the one they bring.
	ReceiveTime bool
}

// Apply changes batch the way the collector is configured. Streams whose labels cannot be parsed are left out; the last error is
// returned, to be told to the sender after the others are stored. Labels whose names start with "__" are removed at the end.
func (c *Collector) Apply(batch *Batch, now time.Time) error {
	var last error
	kept := batch.Streams[:0]
	timestamp := now.UnixNano()
	for _, stream := range batch.Streams {
		pairs, err := parseLabels(stream.Labels, nil)
		if err != nil {
			last = badRequest("couldn't parse labels: %s", bounded(err.Error()))
			continue
		}
		text, keep := c.rewrite(pairs, batch)
		if !keep {
			continue
		}
		if c.ReceiveTime {
			for i := range stream.Entries {
				stream.Entries[i].Timestamp = timestamp
				timestamp++
			}
		}
		kept = append(kept, RawStream{Labels: text, Entries: stream.Entries})
	}
	batch.Streams = kept
	return last
}

func (c *Collector) rewrite(pairs []labels.Label, batch *Batch) (text string, keep bool) {
	for name, value := range c.Labels {
		pairs = append(pairs, labels.Label{Name: name, Value: value})
	}
	builder := labels.NewBuilder(labels.EmptyLabels())
	for _, p := range pairs {
		builder.Set(p.Name, p.Value)
	}
	if !relabel.ProcessBuilder(builder, c.Relabel...) {
		return "", false
	}
	var out []labels.Label
	builder.Range(func(l labels.Label) {
		if !strings.HasPrefix(l.Name, "__") {
			out = append(out, l)
		}
	})
	return labelText(out, &batch.bytes), len(out) > 0
}
