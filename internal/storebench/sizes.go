package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/golang/snappy"
	"github.com/klauspost/compress/zstd"
	"github.com/prometheus/prometheus/model/labels"

	"github.com/cambium-logs/cambium/pkg/storage/chunk"
	"github.com/cambium-logs/cambium/pkg/storage/segment"
)

const (
	blockBytes = 1 << 20 // of the blocks that snappy and zstd compress
	chunkBytes = 2 << 20 // of lines in a chunk
)

// kindSize is one log kind, stored in several ways.
type kindSize struct {
	name                               string
	raw, stored, snappy, zstd3, zstd19 int64
	times, filters                     int64 // the parts of stored that are timestamps and skip filters
	encode, decode, zstdIn, zstdOut    time.Duration
}

// measureSizes prints the table of log kinds: the samples as they are, and the access logs of the workload.
func measureSizes(w *workload, logs string, b *bars) error {
	var kinds []kindSize
	files, _ := filepath.Glob(filepath.Join(logs, "*.log"))
	if logs == "" {
		files = nil
	}
	for _, f := range files {
		data, err := os.ReadFile(f)
		if err != nil {
			return err
		}
		k, err := measureKind(strings.TrimSuffix(filepath.Base(f), ".log"), []*stream{sampleStream(data)})
		if err != nil {
			return err
		}
		kinds = append(kinds, k)
	}
	samples := len(kinds)
	var systems []string
	for _, s := range w.streams {
		if name := s.labels.Get("system"); !slices.Contains(systems, name) && (samples == 0 || strings.HasPrefix(name, "web-")) {
			systems = append(systems, name)
		}
	}
	for _, name := range systems {
		k, err := measureKind(name, w.of(name))
		if err != nil {
			return err
		}
		kinds = append(kinds, k)
	}
	fmt.Print("### Sizes and encoding\n\n| logs | raw | stored / raw | / snappy | / zstd -3 | / zstd best | timestamps | filters | encode | of zstd -3's CPU | decode | zstd decode |\n| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n")
	for _, k := range kinds {
		k.print()
	}
	if samples > 0 {
		all := sumKinds("the samples together", kinds[:samples])
		all.print()
		b.atMost("samples: stored bytes, of snappy's", 0.40, float64(all.stored)/float64(all.snappy), "")
	}
	all := sumKinds("all together", kinds)
	all.print()
	b.atMost("CPU of encoding, of zstd -3's", 2, all.encode.Seconds()/all.zstdIn.Seconds(), " ×")
	fmt.Println()
	return nil
}

func (k *kindSize) print() {
	rate := func(d time.Duration) string { return fmt.Sprintf("%.0f MB/s", float64(k.raw)/1e6/d.Seconds()) }
	of := func(n int64) string { return fmt.Sprintf("%.3f", float64(k.stored)/float64(n)) }
	part := func(n int64) string { return fmt.Sprintf("%.0f%%", 100*float64(n)/float64(k.stored)) }
	fmt.Printf("| %s | %s | %s | %s | %s | %s | %s | %s | %s | %.2f × | %s | %s |\n", k.name, megabytes(k.raw), of(k.raw), of(k.snappy), of(k.zstd3), of(k.zstd19), part(k.times), part(k.filters),
		rate(k.encode), k.encode.Seconds()/k.zstdIn.Seconds(), rate(k.decode), rate(k.zstdOut))
}

func sumKinds(name string, kinds []kindSize) kindSize {
	s := kindSize{name: name}
	for _, k := range kinds {
		s.raw, s.stored, s.snappy, s.zstd3, s.zstd19 = s.raw+k.raw, s.stored+k.stored, s.snappy+k.snappy, s.zstd3+k.zstd3, s.zstd19+k.zstd19
		s.times, s.filters = s.times+k.times, s.filters+k.filters
		s.encode, s.decode, s.zstdIn, s.zstdOut = s.encode+k.encode, s.decode+k.decode, s.zstdIn+k.zstdIn, s.zstdOut+k.zstdOut
	}
	return s
}

// sampleStream makes a stream of a sample's lines, some milliseconds apart.
func sampleStream(data []byte) *stream {
	s := &stream{labels: labels.FromStrings("system", "sample")}
	at := segment.DayOf(time.Now().UnixNano()).Start()
	for line := range bytes.Lines(data) {
		at += int64(1+len(s.entries)*7919%97) * 1e6
		s.entries = append(s.entries, chunk.Entry{Timestamp: at, Line: bytes.TrimRight(line, "\r\n")})
	}
	return s
}

// measureKind stores streams as a segment with filters and index, and their lines as blocks. Times are the best of two.
func measureKind(name string, streams []*stream) (k kindSize, err error) {
	k.name = name
	for _, s := range streams {
		for _, e := range s.entries {
			k.raw += int64(len(e.Line))
		}
	}
	raw := text(streams)
	for range 2 {
		once := kindSize{name: name, raw: k.raw}
		if err := once.store(streams); err != nil {
			return k, err
		}
		if err := once.compress(raw); err != nil {
			return k, err
		}
		if k.encode > 0 {
			once.encode, once.decode = min(once.encode, k.encode), min(once.decode, k.decode)
			once.zstdIn, once.zstdOut = min(once.zstdIn, k.zstdIn), min(once.zstdOut, k.zstdOut)
		}
		k = once
	}
	k.zstd19 = compressed(raw, zstd.SpeedBestCompression)
	return k, nil
}

func (k *kindSize) store(streams []*stream) error {
	w, err := segment.NewWriter(io.Discard, segment.WriterOptions{Tenant: tenant, Level: 1})
	if err != nil {
		return err
	}
	var e segment.Encoder
	var buf, line []byte
	for _, s := range streams {
		for order, rest := uint64(0), s.entries; len(rest) > 0; order++ {
			n := chunkOf(rest)
			began := spent()
			c, err := e.Encode(nil, rest[:n], order)
			k.encode += spent() - began
			if err != nil {
				return err
			}
			if err := w.Append(s.labels, c); err != nil {
				return err
			}
			o, err := chunk.ReadOutline(c.Meta, false, func(off, n int64) ([]byte, error) { return c.Data[off : off+n], nil })
			if err != nil {
				return err
			}
			k.times += o.Read
			buf = append(buf[:0], c.Data...)
			began = spent()
			r, err := chunk.Open(buf, c.Meta)
			if err != nil {
				return err
			}
			for row := range r.Len() {
				if got := r.Line(row, line); cap(got) > cap(line) {
					line = got
				}
			}
			r.Close()
			k.decode += spent() - began
			rest = rest[n:]
		}
	}
	info, err := w.Close()
	k.stored, k.filters = info.Size, info.Footer.Filters.Length
	return err
}

// chunkOf is how many entries go into the next chunk.
func chunkOf(entries []chunk.Entry) int {
	size := 0
	for i := range entries {
		if size += len(entries[i].Line); size > chunkBytes && i > 0 {
			return i
		}
	}
	return len(entries)
}

func (k *kindSize) compress(raw []byte) error {
	e, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedDefault), zstd.WithEncoderConcurrency(1))
	if err != nil {
		return err
	}
	defer e.Close()
	d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1))
	if err != nil {
		return err
	}
	defer d.Close()
	var out, back []byte
	for block := range slices.Chunk(raw, blockBytes) {
		k.snappy += int64(len(snappy.Encode(nil, block)))
		began := spent()
		out = e.EncodeAll(block, out[:0])
		k.zstdIn += spent() - began
		k.zstd3 += int64(len(out))
		began = spent()
		if back, err = d.DecodeAll(out, back[:0]); err != nil {
			return err
		}
		k.zstdOut += spent() - began
	}
	return nil
}

func compressed(raw []byte, level zstd.EncoderLevel) int64 {
	e, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(level), zstd.WithEncoderConcurrency(1))
	if err != nil {
		return 0
	}
	defer e.Close()
	n := int64(0)
	var out []byte
	for block := range slices.Chunk(raw, blockBytes) {
		out = e.EncodeAll(block, out[:0])
		n += int64(len(out))
	}
	return n
}
