package main

import (
	"errors"
	"time"

	"github.com/golang/snappy"
	"github.com/grafana/loki/pkg/push"

	"github.com/cambium-logs/cambium/internal/loggen"
)

// corpus is what all measurements work on.
type corpus struct {
	raw    int64 // bytes of the lines
	lines  int64
	bodies [][]byte          // pushes: protobuf in snappy
	sizes  []int64           // raw bytes of each push
	texts  map[string][]byte // by stream: its lines, each with a line feed
	newest time.Time
}

// maxCorpus bounds the bytes of lines that are measured with: they are held in memory several times.
const maxCorpus = 256 << 20

var errEnough = errors.New("enough was read")

// readCorpus reads a file of pushes, or the first of them.
func readCorpus(path string) (*corpus, error) {
	c := &corpus{texts: map[string][]byte{}}
	err := loggen.Pushes(path, func(body []byte, _, _ int64) error {
		if c.raw >= maxCorpus {
			return errEnough
		}
		return c.add(body)
	})
	if err != nil && !errors.Is(err, errEnough) {
		return nil, err
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
