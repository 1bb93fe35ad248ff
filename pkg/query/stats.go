package query

import (
	"sync/atomic"
	"time"

	"github.com/cambium-logs/cambium/pkg/storage/chunk"
)

// Stats says what a query did. Bytes are uncompressed unless said otherwise; in JSON, durations are nanoseconds.
type Stats struct {
	ExecTime  time.Duration `json:"execTime"` // without QueueTime
	QueueTime time.Duration `json:"queueTime"`

	Streams       int64 `json:"streams"`     // selected
	ChunksTotal   int64 `json:"chunksTotal"` // of the selected streams, overlapping the range
	ChunksOpened  int64 `json:"chunksOpened"`
	ChunksCounted int64 `json:"chunksCounted"` // answered from the chunk directory alone
	ChunksTimed   int64 `json:"chunksTimed"`   // answered from timestamps, or lengths of lines, that were read without the lines
	ChunksReused  int64 `json:"chunksReused"`  // answered from the cache of what stored chunks contribute
	ChunksSkipped int64 `json:"chunksSkipped"` // not needed: limit reached, or outside every window
	ChunksPruned  int64 `json:"chunksPruned"`  // the part of ChunksSkipped that a skip filter ruled out
	CacheHits     int64 `json:"cacheHits"`     // runs of chunks whose contribution was known
	CacheMisses   int64 `json:"cacheMisses"`   // runs whose contribution was not known, but is now
	CacheBytes    int64 `json:"cacheBytes"`    // of the contributions that were known

	HeadChunks     int64 `json:"headChunks"` // opened chunks that are not in a segment yet
	HeadBytes      int64 `json:"headBytes"`
	HeadLines      int64 `json:"headLines"`
	BytesProcessed int64 `json:"bytesProcessed"` // lines and structured metadata of the rows read
	MetadataBytes  int64 `json:"metadataBytes"`  // the part of it that is structured metadata
	LinesProcessed int64 `json:"linesProcessed"`
	LinesMatched   int64 `json:"linesMatched"` // rows that survived the pipeline
	StoredBytes    int64 `json:"storedBytes"`  // read of chunks, as encoded
	Duplicates     int64 `json:"duplicates"`   // rows dropped because an equal entry was read already
	Entries        int64 `json:"entries"`      // entries or series in the result
	Shards         int64 `json:"shards"`       // tasks that ran
}

// counters collects Stats from concurrent workers.
type counters struct {
	chunksTotal, chunksOpened, chunksCounted, chunksSkipped atomic.Int64
	chunksTimed, chunksReused, chunksPruned                 atomic.Int64
	cacheHits, cacheMisses, cacheBytes                      atomic.Int64
	headChunks, headBytes, headLines                        atomic.Int64
	bytes, metadataBytes, lines, matched                    atomic.Int64
	storedBytes, duplicates, streams, tasks                 atomic.Int64
}

func (c *counters) opened(m chunk.Meta) {
	c.chunksOpened.Add(1)
	c.storedBytes.Add(m.StoredBytes)
	if m.Encoding == chunk.EncodingHead {
		c.headChunks.Add(1)
	}
}

// scanned accounts for rows read from a chunk; bytes are its mean per row, so that counting costs nothing per row.
func (c *counters) scanned(m chunk.Meta, rows int) {
	if rows <= 0 || m.Rows <= 0 {
		return
	}
	raw, meta := m.RawBytes, m.RawBytes-m.LineBytes
	if rows < m.Rows {
		raw = int64(float64(raw) * float64(rows) / float64(m.Rows))
		meta = int64(float64(meta) * float64(rows) / float64(m.Rows))
	}
	c.lines.Add(int64(rows))
	c.bytes.Add(raw)
	c.metadataBytes.Add(meta)
	if m.Encoding == chunk.EncodingHead {
		c.headBytes.Add(raw)
		c.headLines.Add(int64(rows))
	}
}

func (c *counters) stats() Stats {
	return Stats{
		Streams:        c.streams.Load(),
		ChunksTotal:    c.chunksTotal.Load(),
		ChunksOpened:   c.chunksOpened.Load(),
		ChunksCounted:  c.chunksCounted.Load(),
		ChunksTimed:    c.chunksTimed.Load(),
		ChunksReused:   c.chunksReused.Load(),
		ChunksSkipped:  c.chunksSkipped.Load(),
		ChunksPruned:   c.chunksPruned.Load(),
		CacheHits:      c.cacheHits.Load(),
		CacheMisses:    c.cacheMisses.Load(),
		CacheBytes:     c.cacheBytes.Load(),
		HeadChunks:     c.headChunks.Load(),
		HeadBytes:      c.headBytes.Load(),
		HeadLines:      c.headLines.Load(),
		BytesProcessed: c.bytes.Load(),
		MetadataBytes:  c.metadataBytes.Load(),
		LinesProcessed: c.lines.Load(),
		LinesMatched:   c.matched.Load(),
		StoredBytes:    c.storedBytes.Load(),
		Duplicates:     c.duplicates.Load(),
		Shards:         c.tasks.Load(),
	}
}
