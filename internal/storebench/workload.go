package main

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"time"

	"github.com/golang/snappy"
	"github.com/grafana/loki/pkg/push"
	"github.com/prometheus/prometheus/model/labels"

	"github.com/cambium-logs/cambium/internal/loggen"
	"github.com/cambium-logs/cambium/pkg/logql"
	"github.com/cambium-logs/cambium/pkg/storage/chunk"
	"github.com/cambium-logs/cambium/pkg/storage/storagetest"
)

// workload is what is stored and asked.
type workload struct {
	kind       string
	streams    []*stream
	raw, lines int64
	begin, end int64 // nanoseconds, end exclusive
	needle     string
	plain      map[string]*storagetest.Memory // by system
}

// stream is a stream with its entries in order of time.
type stream struct {
	labels  labels.Labels
	entries []chunk.Entry
}

func workloadOf(pushes string, size int64) (*workload, error) {
	w := &workload{}
	byLabels := map[string]*stream{}
	add := func(key string, parse func() (labels.Labels, error), e chunk.Entry) error {
		s := byLabels[key]
		if s == nil {
			ls, err := parse()
			if err != nil {
				return err
			}
			s = &stream{labels: ls}
			byLabels[key] = s
			w.streams = append(w.streams, s)
		}
		s.entries = append(s.entries, e)
		return nil
	}
	var err error
	if pushes == "" {
		err = w.makeUp(size, add)
	} else {
		err = w.readPushes(pushes, add)
	}
	if err != nil {
		return nil, err
	}
	w.settle()
	return w, nil
}

type adder func(key string, parse func() (labels.Labels, error), e chunk.Entry) error

// makeUp fills the workload with made-up lines of the six hours of a day that is over.
func (w *workload) makeUp(size int64, add adder) error {
	w.kind = "made up"
	begin := time.Now().UTC().Truncate(24 * time.Hour).Add(-48 * time.Hour)
	var err error
	w.needle, err = loggen.Each(loggen.Options{Bytes: size, Begin: begin, End: begin.Add(6 * time.Hour)}, func(l loggen.Line) error {
		return add(l.Host+l.Level, func() (labels.Labels, error) {
			return labels.FromStrings("system", l.System, "host", l.Host, "level", l.Level), nil
		}, chunk.Entry{Timestamp: l.Time.UnixNano(), Line: []byte(l.Text)})
	})
	return err
}

// frameHeader is what stands before each push in a file of pushes; the body's length comes first.
const frameHeader = 28

// readPushes reads a file of pushes: protobuf in snappy.
func (w *workload) readPushes(path string, add adder) error {
	w.kind = "generated from samples of 16 systems, and access logs"
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	in := bufio.NewReaderSize(file, 1<<20)
	for {
		var header [frameHeader]byte
		if _, err := io.ReadFull(in, header[:]); err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return fmt.Errorf("%s: %w", path, err)
		}
		body := make([]byte, binary.LittleEndian.Uint32(header[:]))
		if _, err := io.ReadFull(in, body); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		message, err := snappy.Decode(nil, body)
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		var request push.PushRequest
		if err := request.Unmarshal(message); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		for _, s := range request.Streams {
			for _, e := range s.Entries {
				if err := add(s.Labels, func() (labels.Labels, error) { return parseLabels(s.Labels) }, chunk.Entry{Timestamp: e.Timestamp.UnixNano(), Line: []byte(e.Line)}); err != nil {
					return fmt.Errorf("%s: %w", path, err)
				}
			}
		}
	}
}

func parseLabels(text string) (labels.Labels, error) {
	matchers, err := logql.ParseSelector(text)
	b := labels.NewBuilder(labels.EmptyLabels())
	for _, m := range matchers {
		b.Set(m.Name, m.Value)
	}
	return b.Labels(), err
}

var traceID = regexp.MustCompile(`[0-9a-f]{32}`)

// settle brings streams and entries into order, and finds a needle where none was planted.
func (w *workload) settle() {
	slices.SortFunc(w.streams, func(a, b *stream) int { return labels.Compare(a.labels, b.labels) })
	w.begin = w.streams[0].entries[0].Timestamp
	for _, s := range w.streams {
		s.entries = chunk.Normalize(s.entries)
		w.begin = min(w.begin, s.entries[0].Timestamp)
		w.end = max(w.end, s.entries[len(s.entries)-1].Timestamp+1)
		for i, e := range s.entries {
			w.raw += int64(len(e.Line))
			w.lines++
			if w.needle == "" && i > len(s.entries)/3 {
				w.needle = string(traceID.Find(e.Line))
			}
		}
	}
}

// of gives the streams of a system; "" = all.
func (w *workload) of(system string) []*stream {
	if system == "" {
		return w.streams
	}
	var out []*stream
	for _, s := range w.streams {
		if s.labels.Get("system") == system {
			out = append(out, s)
		}
	}
	return out
}

// text lays the lines of streams end to end, each with a line feed.
func text(streams []*stream) []byte {
	var out []byte
	for _, s := range streams {
		for _, e := range s.entries {
			out = append(append(out, e.Line...), '\n')
		}
	}
	return out
}
