package main

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/cambium-logs/cambium/internal/loggen"
	"github.com/cambium-logs/cambium/pkg/ingest"
	"github.com/cambium-logs/cambium/pkg/storage/chunk"
	"github.com/cambium-logs/cambium/pkg/storage/storagetest"
)

const (
	// kindBytes is how much of a system's lines the table of log kinds is measured with, and textBytes how much of them is scanned in memory.
	kindBytes = 64 << 20
	textBytes = 16 << 20
	// headBytes is how many bytes of lines are encoded at a time: about what a head of the usual size holds when it is flushed.
	headBytes = 40 << 20
)

// survey is what one pass over the pushes finds: facts about the lines and, of what the floors need, as much as fits into memory.
type survey struct {
	raw, lines, streams, pushes int64
	begin, end                  int64 // nanoseconds, end exclusive
	needle                      string

	systems   []string
	bytes     map[string]int64 // of lines with their line feeds, by system
	texts     map[string][]byte
	kinds     map[string][]*stream // the first lines of systems whose lines are made up
	kindSizes map[string]int64
	plain     map[string]*storagetest.Memory // plain chunks of the systems whose lines are parsed

	filed    *blocks            // lines in order of time, as they stand in a file: the floor
	pushed   *blocks            // lines in the order of the pushes, which are sorted by stream
	streamed map[string]*blocks // lines of each stream
	encode   time.Duration      // CPU time of encoding all lines as a head does
	encoded  int64              // bytes of chunks that gave
}

// stream is a stream with its entries in order of time.
type stream struct {
	labels  labels.Labels
	entries []chunk.Entry
}

// surveyOf makes the pass.
func surveyOf(pushes string) (*survey, error) {
	s := &survey{begin: 1<<63 - 1, bytes: map[string]int64{}, texts: map[string][]byte{}, kinds: map[string][]*stream{}, kindSizes: map[string]int64{},
		plain: map[string]*storagetest.Memory{}, streamed: map[string]*blocks{}, pushed: newBlocks(false)}
	facts, err := loggen.FactsOf(pushes)
	if err != nil {
		return nil, err
	}
	s.needle = facts.Needle
	c := &collector{survey: s, encoder: newHeadEncoder()}
	r := receiver(c)
	err = loggen.Pushes(pushes, func(body []byte, _, _ int64) error {
		s.pushes++
		return push(context.Background(), r, body)
	})
	h := c.encoder
	if err == nil {
		err = h.flush()
	}
	if err != nil {
		return nil, err
	}
	s.encode, s.encoded = h.took, h.stored
	return s, s.finish(loggen.LinesOf(pushes))
}

// collector is where the survey's pushes go. It implements ingest.Sink.
type collector struct {
	survey  *survey
	encoder *headEncoder
}

// Append implements ingest.Sink.
func (c *collector) Append(_ context.Context, _ string, streams []ingest.Stream) error {
	for i := range streams {
		c.survey.add(streams[i].Labels, streams[i].Entries)
		c.encoder.add(streams[i].Labels, streams[i].Entries)
	}
	if c.encoder.raw >= headBytes {
		return c.encoder.flush()
	}
	return nil
}

// ActiveStreams implements ingest.Sink.
func (c *collector) ActiveStreams(string) int { return 0 }

// HasStream implements ingest.Sink.
func (c *collector) HasStream(string, labels.Labels) bool { return true }

// add takes some entries of a stream; they are not kept.
func (s *survey) add(ls labels.Labels, entries []chunk.Entry) {
	system, key := ls.Get("system"), ls.String()
	if s.bytes[system] == 0 {
		s.systems = append(s.systems, system)
	}
	if s.streamed[key] == nil {
		s.streamed[key] = newBlocks(false)
		s.streams++
	}
	for i := range entries {
		e := &entries[i]
		s.begin, s.end = min(s.begin, e.Timestamp), max(s.end, e.Timestamp+1)
		s.raw += int64(len(e.Line))
		s.lines++
		s.bytes[system] += int64(len(e.Line)) + 1
		s.pushed.add(e.Line)
		s.streamed[key].add(e.Line)
		if len(s.texts[system]) < textBytes {
			s.texts[system] = append(append(s.texts[system], e.Line...), '\n')
		}
	}
	if parsed(system) {
		s.keep(ls, system, entries)
	}
}

// parsed tells the systems whose lines the queries parse.
func parsed(system string) bool { return system == "web-json" || system == "web-logfmt" }

// keep keeps lines as plain chunks, and the first of them as they are.
func (s *survey) keep(ls labels.Labels, system string, entries []chunk.Entry) {
	if s.plain[system] == nil {
		s.plain[system] = &storagetest.Memory{Encoding: chunk.EncodingPlain, ChunkRows: 8192}
	}
	own := make([]chunk.Entry, len(entries))
	for i := range entries {
		own[i] = chunk.Entry{Timestamp: entries[i].Timestamp, Line: bytes.Clone(entries[i].Line), Metadata: cloneMetadata(entries[i].Metadata)}
	}
	s.plain[system].Add(ls, own...)
	if s.kindSizes[system] >= kindBytes {
		return
	}
	at := slices.IndexFunc(s.kinds[system], func(st *stream) bool { return labels.Equal(st.labels, ls) })
	if at < 0 {
		at = len(s.kinds[system])
		s.kinds[system] = append(s.kinds[system], &stream{labels: ls})
	}
	st := s.kinds[system][at]
	st.entries = append(st.entries, own...)
	for i := range own {
		s.kindSizes[system] += int64(len(own[i].Line))
	}
}

func (s *survey) finish(lines string) error {
	if s.lines == 0 {
		return errors.New("there are no lines")
	}
	if s.needle == "" {
		return errors.New("no line is known to be the only one of its kind: the file of facts beside the pushes is missing")
	}
	slices.Sort(s.systems)
	for _, m := range s.plain {
		m.Cut()
	}
	for _, streams := range s.kinds {
		slices.SortFunc(streams, func(a, b *stream) int { return labels.Compare(a.labels, b.labels) })
		for _, st := range streams {
			st.entries = chunk.Normalize(st.entries)
		}
	}
	for _, b := range append(slices.Collect(maps.Values(s.streamed)), s.pushed) {
		b.end()
	}
	if lines == "" {
		return errors.New("the file of lines beside the pushes is missing")
	}
	s.filed = newBlocks(true)
	return s.filed.addFile(lines)
}

// inStreams is what the lines take that are compressed stream by stream.
func (s *survey) inStreams() (size int64) {
	for _, b := range s.streamed {
		size += b.zstd
	}
	return size
}

// cloneMetadata copies labels whose strings belong to a push.
func cloneMetadata(ls []labels.Label) []labels.Label {
	out := slices.Clone(ls)
	for i := range out {
		out[i] = labels.Label{Name: strings.Clone(out[i].Name), Value: strings.Clone(out[i].Value)}
	}
	return out
}
