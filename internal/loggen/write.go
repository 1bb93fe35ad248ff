package loggen

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"

	"github.com/golang/snappy"
	"github.com/grafana/loki/pkg/push"
)

// Names of the files that Write makes.
const (
	PushesFile = "batches.bin" // pushes, each behind a header
	LinesFile  = "raw.log"     // the lines in order of time, each with a line feed
	FactsFile  = "meta.json"   // Facts
)

// Facts are what was planted.
type Facts struct {
	Needle string `json:"needle"`
}

const (
	// pushBytes is how many bytes of lines a host gathers for a push.
	pushBytes = 1 << 20
	// header is the size of what stands before each push: little-endian uint32 of the body's length, of its lines' bytes and of its lines,
	// then the smallest and the largest time in nanoseconds.
	header = 28
	// maxBody bounds the body of a push that is read.
	maxBody = 64 << 20
)

// Write writes lines into the files of a directory as hosts push them: each gathers what all its systems write and sends it when it has 1 MiB,
// streams in the order in which they first appear.
func Write(o Options, dir string) (err error) {
	var out [2]*bufio.Writer
	for i, name := range []string{PushesFile, LinesFile} {
		f, err := os.Create(filepath.Join(dir, name))
		if err != nil {
			return err
		}
		defer f.Close()
		out[i] = bufio.NewWriterSize(f, 1<<20)
	}
	hosts := map[string]*gathered{}
	var order []string
	needle, err := Each(o, func(l Line) error {
		out[1].WriteString(l.Text)
		out[1].WriteByte('\n')
		g := hosts[l.Host]
		if g == nil {
			g = newGathered()
			hosts[l.Host] = g
			order = append(order, l.Host)
		}
		g.add(l)
		if g.raw < pushBytes {
			return nil
		}
		return g.send(out[0])
	})
	if err != nil {
		return err
	}
	for _, h := range order {
		if err := hosts[h].send(out[0]); err != nil {
			return err
		}
	}
	facts, err := json.Marshal(Facts{Needle: needle})
	if err != nil {
		return err
	}
	return errors.Join(out[0].Flush(), out[1].Flush(), os.WriteFile(filepath.Join(dir, FactsFile), facts, 0o600))
}

// gathered is what a host has not sent yet.
type gathered struct {
	request    push.PushRequest
	index      map[string]int
	raw, lines int
	minT, maxT int64
}

func newGathered() *gathered { return &gathered{index: map[string]int{}, minT: math.MaxInt64} }

func (g *gathered) add(l Line) {
	labels := fmt.Sprintf(`{host=%q, level=%q, pod="%s-%s", service=%q, system=%q}`, l.Host, l.Level, l.System, l.Host, "service-of-"+l.System, l.System)
	i, known := g.index[labels]
	if !known {
		i = len(g.request.Streams)
		g.index[labels] = i
		g.request.Streams = append(g.request.Streams, push.Stream{Labels: labels})
	}
	s := &g.request.Streams[i]
	s.Entries = append(s.Entries, push.Entry{Timestamp: l.Time, Line: l.Text})
	g.raw, g.lines = g.raw+len(l.Text), g.lines+1
	g.minT, g.maxT = min(g.minT, l.Time.UnixNano()), max(g.maxT, l.Time.UnixNano())
}

func (g *gathered) send(w io.Writer) error {
	if g.lines == 0 {
		return nil
	}
	message, err := g.request.Marshal()
	if err != nil {
		return err
	}
	body := snappy.Encode(nil, message)
	var h [header]byte
	binary.LittleEndian.PutUint32(h[0:], uint32(len(body)))
	binary.LittleEndian.PutUint32(h[4:], uint32(g.raw))
	binary.LittleEndian.PutUint32(h[8:], uint32(g.lines))
	binary.LittleEndian.PutUint64(h[12:], uint64(g.minT))
	binary.LittleEndian.PutUint64(h[20:], uint64(g.maxT))
	*g = *newGathered()
	if _, err := w.Write(h[:]); err != nil {
		return err
	}
	_, err = w.Write(body)
	return err
}

// Pushes reads a file of pushes. Each is passed as protobuf in snappy, with the bytes and the number of its lines; f may keep the body.
func Pushes(path string, f func(body []byte, raw, lines int64) error) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	in := bufio.NewReaderSize(file, 1<<20)
	for {
		var h [header]byte
		if _, err := io.ReadFull(in, h[:]); err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return fmt.Errorf("%s: %w", path, err)
		}
		n := binary.LittleEndian.Uint32(h[:])
		if n > maxBody {
			return fmt.Errorf("%s: a push of %d bytes, at most %d are possible", path, n, maxBody)
		}
		body := make([]byte, n)
		if _, err := io.ReadFull(in, body); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		if err := f(body, int64(binary.LittleEndian.Uint32(h[4:])), int64(binary.LittleEndian.Uint32(h[8:]))); err != nil {
			return err
		}
	}
}

// FactsOf reads what was planted in the pushes of a file. Without the file of facts beside it there are none.
func FactsOf(pushes string) (Facts, error) {
	var f Facts
	text, err := os.ReadFile(filepath.Join(filepath.Dir(pushes), FactsFile))
	if errors.Is(err, os.ErrNotExist) {
		return f, nil
	}
	if err == nil {
		err = json.Unmarshal(text, &f)
	}
	return f, err
}

// LinesOf gives the file of lines beside a file of pushes; "" = there is none.
func LinesOf(pushes string) string {
	path := filepath.Join(filepath.Dir(pushes), LinesFile)
	if _, err := os.Stat(path); err != nil {
		return ""
	}
	return path
}

// Made gives the file of pushes to measure with: the one that is named or, without a name, one that is written into a directory with lines of
// six hours of a day that is over.
func Made(pushes, dir string, o Options) (string, error) {
	if pushes != "" {
		return pushes, nil
	}
	return filepath.Join(dir, PushesFile), Write(o, dir)
}
