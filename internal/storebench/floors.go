package main

import (
	"bytes"
	"slices"
	"time"

	"github.com/klauspost/compress/zstd"
)

// floors are the lines of the workload in memory, and the same in zstd blocks of 1 MiB, by system.
type floors struct {
	systems []string
	texts   map[string][]byte
	blocks  map[string][][]byte
	stored  int64 // bytes of the blocks
	decoder *zstd.Decoder
}

func newFloors(w *workload) *floors {
	f := &floors{texts: map[string][]byte{}, blocks: map[string][][]byte{}}
	// Options that are constant and valid cannot fail.
	e, _ := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedDefault), zstd.WithEncoderConcurrency(1))
	defer e.Close()
	f.decoder, _ = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1))
	for _, s := range w.streams {
		system := s.labels.Get("system")
		if _, known := f.texts[system]; !known {
			f.systems = append(f.systems, system)
		}
		raw := text([]*stream{s})
		f.texts[system] = append(f.texts[system], raw...)
		for block := range lineBlocks(raw) {
			out := e.EncodeAll(block, nil)
			f.stored += int64(len(out))
			f.blocks[system] = append(f.blocks[system], out)
		}
	}
	return f
}

// lineBlocks cuts lines into blocks of about blockBytes.
func lineBlocks(raw []byte) func(func([]byte) bool) {
	return func(yield func([]byte) bool) {
		for len(raw) > 0 {
			n := len(raw)
			if n > blockBytes {
				n = bytes.LastIndexByte(raw[:blockBytes], '\n') + 1
			}
			if n == 0 {
				n = bytes.IndexByte(raw, '\n') + 1
			}
			if !yield(raw[:n]) {
				return
			}
			raw = raw[n:]
		}
	}
}

func (f *floors) of(x question) []string {
	if x.system != "" {
		return []string{x.system}
	}
	return f.systems
}

// scan looks for the literal in the lines in memory.
func (f *floors) scan(x question) time.Duration {
	best := time.Duration(0)
	for range repeats {
		began := spent()
		for _, s := range f.of(x) {
			countLiteral(f.texts[s], []byte(x.literal))
		}
		if took := spent() - began; best == 0 || took < best {
			best = took
		}
	}
	return best
}

// decompress decompresses all blocks and counts the lines with the literal or the pattern.
func (f *floors) decompress(x question) (best time.Duration, found int64) {
	var buf []byte
	for range repeats {
		began := spent()
		found = 0
		for _, s := range f.of(x) {
			for _, b := range f.blocks[s] {
				buf, _ = f.decoder.DecodeAll(b, buf[:0])
				if x.pattern != "" {
					found += countPattern(buf, x)
				} else {
					found += countLiteral(buf, []byte(x.literal))
				}
			}
		}
		if took := spent() - began; best == 0 || took < best {
			best = took
		}
	}
	return best, found
}

// countLiteral counts the lines that hold a text.
func countLiteral(raw, literal []byte) int64 {
	n := int64(0)
	for {
		at := bytes.Index(raw, literal)
		if at < 0 {
			return n
		}
		n++
		end := bytes.IndexByte(raw[at:], '\n')
		if end < 0 {
			return n
		}
		raw = raw[at+end+1:]
	}
}

// countPattern counts the lines that match a pattern.
func countPattern(raw []byte, x question) int64 {
	n := int64(0)
	re := pattern(x.pattern)
	for line := range slices.Values(bytes.Split(raw, []byte{'\n'})) {
		if re.Match(line) {
			n++
		}
	}
	return n
}
