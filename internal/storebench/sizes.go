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

// chunkBytes is how many bytes of lines a chunk has at most.
const chunkBytes = 2 << 20

// kindSize is one log kind, stored in several ways.
type kindSize struct {
	name                               string
	raw, stored, snappy, zstd3, zstd19 int64
	times, filters                     int64 // the parts of stored that are timestamps and skip filters
	encode, decode, zstdIn, zstdOut    time.Duration
}

// measureSizes prints the table of log kinds, the samples as they are and what is made up of the workload, and how the whole workload is encoded.
func measureSizes(w *survey, logs string, b *bars) error {
	kinds, err := sampleKinds(logs)
	if err != nil {
		return err
	}
	samples := len(kinds)
	for _, name := range w.systems {
		if len(w.kinds[name]) == 0 {
			continue
		}
		k, err := measureKind(name, w.kinds[name])
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
		b.atMost("the 16 logs: stored bytes, of snappy's", 0.40, float64(all.stored)/float64(all.snappy), "")
	}
	w.printEncoding()
	b.atMost("workload: CPU of encoding, of zstd -3's", 2, w.encode.Seconds()/w.filed.took.Seconds(), " ×")
	return nil
}

func sampleKinds(logs string) (kinds []kindSize, err error) {
	if logs == "" {
		return nil, nil
	}
	files, err := filepath.Glob(filepath.Join(logs, "*.log"))
	for _, f := range files {
		data, err := os.ReadFile(f)
		if err != nil {
			return nil, err
		}
		k, err := measureKind(strings.TrimSuffix(filepath.Base(f), ".log"), []*stream{sampleStream(data)})
		if err != nil {
			return nil, err
		}
		kinds = append(kinds, k)
	}
	return kinds, err
}

// printEncoding prints what encoding the whole workload takes, as a head encodes it, beside zstd.
func (s *survey) printEncoding() {
	rate := func(d time.Duration) string { return fmt.Sprintf("%.0f MB/s", float64(s.raw)/1e6/d.Seconds()) }
	fmt.Print("\nThe whole workload, in chunks as a head of 40 MB of lines cuts them before anything is merged:\n\n| what | CPU | rate | bytes | of the lines |\n| --- | ---: | ---: | ---: | ---: |\n")
	row := func(what string, took time.Duration, size int64) {
		fmt.Printf("| %s | %.1f s | %s | %s | %.4f |\n", what, took.Seconds(), rate(took), megabytes(size), float64(size)/float64(s.raw))
	}
	row("encoding chunks, with skip filters (bytes without)", s.encode, s.encoded)
	row("zstd -3, a file of the lines", s.filed.took, s.filed.zstd)
	row("zstd -3, lines in the order of the pushes", s.pushed.took, s.pushed.zstd)
	var took time.Duration
	for _, b := range s.streamed {
		took += b.took
	}
	row("zstd -3, lines of each stream by themselves", took, s.inStreams())
	fmt.Println()
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
