package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"

	"github.com/golang/snappy"
	"github.com/prometheus/prometheus/model/labels"

	"github.com/cambium-logs/cambium/pkg/workbench"
)

// batchBytes is about how many bytes of lines one push holds.
const batchBytes = 1 << 20

// corpus is what all measurements work on.
type corpus struct {
	kind    string
	sources []workbench.Source
	raw     int64 // bytes of the lines
	lines   int64
	bodies  [][]byte // pushes: protobuf in snappy
	sizes   []int64  // raw bytes of each push
	from    time.Time
	to      time.Time
}

// newCorpus makes about size bytes of lines: those of dir with their digits changed at random from one use to the next, or made-up ones
// when dir is empty. The same seed gives the same bytes.
func newCorpus(dir string, size int64) (*corpus, error) {
	to := time.Now().Truncate(time.Second)
	c := &corpus{from: to.Add(-6 * time.Hour), to: to}
	base, err := baseSources(dir, c)
	if err != nil {
		return nil, err
	}
	rng := rand.New(rand.NewPCG(1, 2))
	for host := 0; c.raw < size; host++ {
		for _, s := range base {
			copied := workbench.Source{
				Labels: labels.NewBuilder(s.Labels).Set("host", fmt.Sprintf("host-%02d", host)).Labels(),
				Lines:  make([]workbench.Line, len(s.Lines)),
			}
			for i, line := range s.Lines {
				text := line.Text
				if host > 0 {
					text = vary(text, rng)
				}
				copied.Lines[i] = workbench.Line{Time: line.Time.Add(time.Duration(host) * time.Microsecond), Text: text, Metadata: line.Metadata}
				c.raw += int64(len(text))
				c.lines++
			}
			c.sources = append(c.sources, copied)
		}
	}
	return c, c.encode()
}

func baseSources(dir string, c *corpus) ([]workbench.Source, error) {
	if dir == "" {
		c.kind = "made-up logs"
		return workbench.NewDemo(1).Lines(40000, c.from, c.to), nil
	}
	if _, err := os.Stat(dir); err != nil {
		return nil, fmt.Errorf("logs to measure with: %w", err)
	}
	c.kind = "real logs of " + filepath.Base(dir)
	return workbench.ReadFiles(dir, "bench", c.from, c.to)
}

// vary changes the digits of a line's last number of four digits or more, and of one other in three: what differs between machines.
func vary(line string, rng *rand.Rand) string {
	out := []byte(line)
	for i := 0; i < len(out); {
		if out[i] < '0' || out[i] > '9' {
			i++
			continue
		}
		end := i
		for end < len(out) && out[end] >= '0' && out[end] <= '9' {
			end++
		}
		if end-i >= 4 || rng.IntN(3) == 0 {
			for k := i + (end-i)/2; k < end; k++ {
				out[k] = byte('0' + rng.IntN(10))
			}
		}
		i = end
	}
	return string(out)
}

// encode makes the pushes: four streams at a time, as so many agents would send them.
func (c *corpus) encode() error {
	const perAgent = 4
	for at := 0; at < len(c.sources); at += perAgent {
		group := c.sources[at:min(at+perAgent, len(c.sources))]
		for _, request := range workbench.Batches(group) {
			raw, err := request.Marshal()
			if err != nil {
				return err
			}
			size := int64(0)
			for _, s := range request.Streams {
				for _, e := range s.Entries {
					size += int64(len(e.Line))
				}
			}
			c.bodies = append(c.bodies, snappy.Encode(nil, raw))
			c.sizes = append(c.sizes, size)
		}
	}
	return nil
}
