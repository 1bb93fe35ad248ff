package engine

import (
	"path/filepath"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend/log"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/thanos-io/objstore"

	"github.com/cambium-logs/cambium/pkg/storage/head"
	"github.com/cambium-logs/cambium/pkg/storage/wal"
	"github.com/cambium-logs/cambium/pkg/tenant"
)

// WALLocation says where acknowledged entries are until they are in flushed segments.
type WALLocation uint8

// Locations of the write-ahead log.
const (
	// WALOnDisk: in a log in the data directory, which belongs to one process.
	WALOnDisk WALLocation = iota
	// WALInBucket: in small segments of level 0 in the bucket, one per tenant, day and commit interval. Any number of processes may share the
	// bucket, and none has anything on its disk that must be kept.
	WALInBucket
)

// Options of an Engine. Only DataDir is needed; the zero value of every other field means its default.
type Options struct {
	// DataDir holds the write-ahead log and, without a Bucket, everything else. It is made if it is not there.
	// With WALInBucket it may be missing, and takes temporary files only; what WALOnDisk left in its log is moved to the bucket.
	DataDir string
	// Bucket holds the segments; the engine does not close it. Default: the directory bucket under DataDir.
	Bucket objstore.Bucket

	WALLocation WALLocation
	// CommitInterval is how often pushes are written with WALInBucket, and so how long most of them take. Default 250 ms.
	CommitInterval time.Duration
	// WALSync and WALCompression are for WALOnDisk.
	WALSync        wal.SyncMode
	WALCompression wal.Compression
	// Head bounds memory. Its Logger and Registerer are the engine's.
	Head head.Options
	// FlushBytes is the memory, and the raw bytes, from which the head is flushed. Default: half of Head.MaxBytes.
	FlushBytes int64
	// FlushAge is the age of the oldest unflushed entry at which the head is flushed. Default 15 minutes.
	FlushAge time.Duration
	// FlushRetry is how long a failed flush waits before the next try; it doubles up to 30 s. Default 1 s.
	FlushRetry time.Duration
	// LockWait is how long Open waits for another process that has the data directory. Default 20 s; negative: not at all.
	LockWait time.Duration

	// Compaction is the background work on segments.
	Compaction Compaction
	// Limits gives a tenant's limits, of which retention and deletion_mode count here. Default: everything is kept, and what is deleted is erased.
	// The pointer stays the same as long as the limits do.
	Limits func(tenant string) *tenant.Limits

	Logger log.Logger // default: none
	// Registerer shows the metrics of all parts while the engine is open. Several engines need one each, with a label that tells them apart.
	Registerer prometheus.Registerer // default: none

	now func() time.Time // the clock of the background work, for tests; nil = time.Now
}

func (o *Options) ensureDefaults() {
	if o.Head.MaxBytes <= 0 {
		o.Head.MaxBytes = 96 << 20
	}
	if o.FlushBytes <= 0 {
		o.FlushBytes = o.Head.MaxBytes / 2
	}
	if o.FlushAge <= 0 {
		o.FlushAge = 15 * time.Minute
	}
	if o.CommitInterval <= 0 {
		o.CommitInterval = 250 * time.Millisecond
	}
	if o.FlushRetry <= 0 {
		o.FlushRetry = time.Second
	}
	if o.LockWait == 0 {
		o.LockWait = 20 * time.Second
	}
	if o.Logger == nil {
		o.Logger = log.NewNullLogger()
	}
	o.Compaction.ensureDefaults()
	o.Head.Logger = o.Logger
}

func (o *Options) walDir() string    { return filepath.Join(o.DataDir, "wal") }
func (o *Options) markFile() string  { return filepath.Join(o.DataDir, "wal.json") }
func (o *Options) tmpDir() string    { return filepath.Join(o.DataDir, "tmp") }
func (o *Options) bucketDir() string { return filepath.Join(o.DataDir, "bucket") }
