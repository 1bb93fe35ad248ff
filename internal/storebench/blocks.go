package main

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"os"
	"sync"
	"time"

	"github.com/golang/snappy"
	"github.com/klauspost/compress/zstd"
)

// blockBytes is the size of the blocks that snappy and zstd compress.
const blockBytes = 1 << 20

// codec compresses as zstd -3 does, with one goroutine. Its options are constant and valid, so making it cannot fail.
var codec = sync.OnceValues(func() (*zstd.Encoder, *zstd.Decoder) {
	e, _ := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedDefault), zstd.WithEncoderConcurrency(1))
	d, _ := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1))
	return e, d
})

// blocks are lines compressed in blocks of 1 MiB.
type blocks struct {
	keeps        bool // the blocks for decompressing, and the size in snappy
	open, out    []byte
	kept         [][]byte
	zstd, snappy int64 // bytes of all blocks
	took         time.Duration
}

func newBlocks(keeps bool) *blocks { return &blocks{keeps: keeps} }

func (b *blocks) add(line []byte) {
	if len(b.open)+len(line) >= blockBytes {
		b.end()
	}
	b.open = append(append(b.open, line...), '\n')
}

// end compresses the block that is open.
func (b *blocks) end() {
	if len(b.open) == 0 {
		return
	}
	e, _ := codec()
	b.took += lesserOfTwo(func() { b.out = e.EncodeAll(b.open, b.out[:0]) })
	b.zstd += int64(len(b.out))
	if b.keeps {
		b.kept = append(b.kept, bytes.Clone(b.out))
		b.snappy += int64(len(snappy.Encode(nil, b.open)))
	}
	b.open = b.open[:0]
}

// addFile adds the lines of a file.
func (b *blocks) addFile(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	in := bufio.NewReaderSize(f, 1<<20)
	for {
		line, err := in.ReadSlice('\n')
		if len(line) > 0 {
			b.add(bytes.TrimSuffix(line, []byte{'\n'}))
		}
		if errors.Is(err, io.EOF) {
			b.end()
			return nil
		}
		if err != nil {
			return err
		}
	}
}
