package main

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/golang/snappy"
	"github.com/grafana/loki/pkg/push"

	"github.com/cambium-logs/cambium/pkg/workbench"
)

// corpus is what all measurements work on.
type corpus struct {
	kind   string
	raw    int64 // bytes of the lines
	lines  int64
	bodies [][]byte          // pushes: protobuf in snappy
	sizes  []int64           // raw bytes of each push
	texts  map[string][]byte // by stream: its lines, each with a line feed
	newest time.Time
}

// frameHeader is what stands before each push in a file of pushes: little-endian uint32 of the body's length, of its lines' bytes and of
// its lines, and the smallest and the largest time.
const frameHeader = 28

// readCorpus reads a file of pushes.
func readCorpus(path string) (*corpus, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	c := &corpus{kind: "generated from samples of 16 systems, and access logs", texts: map[string][]byte{}}
	in := bufio.NewReaderSize(file, 1<<20)
	for {
		var header [frameHeader]byte
		if _, err := io.ReadFull(in, header[:]); err != nil {
			if errors.Is(err, io.EOF) {
				return c, nil
			}
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		body := make([]byte, binary.LittleEndian.Uint32(header[:]))
		if _, err := io.ReadFull(in, body); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		if err := c.add(body); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
	}
}

// makeCorpus makes lines up. The same size gives the same bytes.
func makeCorpus(size int64) (*corpus, error) {
	c := &corpus{kind: "made up by the demo", texts: map[string][]byte{}}
	to := time.Now().Truncate(time.Second)
	demo := workbench.NewDemo(1)
	for _, request := range workbench.Batches(demo.Lines(int(size/150), to.Add(-6*time.Hour), to)) {
		message, err := request.Marshal()
		if err != nil {
			return nil, err
		}
		if err := c.add(snappy.Encode(nil, message)); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// add takes a push and accounts for its lines.
func (c *corpus) add(body []byte) error {
	message, err := snappy.Decode(nil, body)
	if err != nil {
		return err
	}
	var request push.PushRequest
	if err := request.Unmarshal(message); err != nil {
		return err
	}
	size := int64(0)
	for _, s := range request.Streams {
		text := c.texts[s.Labels]
		for _, e := range s.Entries {
			text = append(append(text, e.Line...), '\n')
			size += int64(len(e.Line))
			c.lines++
			if e.Timestamp.After(c.newest) {
				c.newest = e.Timestamp
			}
		}
		c.texts[s.Labels] = text
	}
	c.bodies = append(c.bodies, body)
	c.sizes = append(c.sizes, size)
	c.raw += size
	return nil
}
