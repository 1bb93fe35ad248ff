package engine

import (
	"context"

	"github.com/cambium-logs/cambium/pkg/storage/bucket"
	"github.com/cambium-logs/cambium/pkg/storage/catalog"
)

// openStore opens the bucket and what is known of it. exclusive says that no other process is on the bucket.
func (e *Engine) openStore() (exclusive bool, err error) {
	e.bucket = e.opts.Bucket
	if e.bucket == nil {
		b, err := bucket.Open(bucket.Options{Dir: e.opts.bucketDir(), Registerer: e.registry})
		if err != nil {
			return false, err
		}
		e.onClose(b.Close)
		e.bucket, exclusive = b, true // the directory's lock is held
	}
	e.buildDir = e.segmentDir
	if b, ok := e.bucket.(interface{ TempDir(fallback string) string }); ok {
		e.buildDir = b.TempDir(e.segmentDir)
	}
	e.catalog = catalog.New(catalog.Options{Bucket: e.bucket, Exclusive: exclusive, Registerer: e.registry, Now: e.opts.now})
	return exclusive, e.openBackground(exclusive)
}

// Probe writes, reads, lists and deletes an object in the bucket. The error says which of them failed.
func (e *Engine) Probe(ctx context.Context) error { return bucket.Probe(ctx, e.bucket) }

// Catalog knows the engine's segments; for compaction, retention and tools.
func (e *Engine) Catalog() *catalog.Catalog { return e.catalog }
