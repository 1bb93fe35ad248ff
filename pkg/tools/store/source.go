package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/cambium-logs/cambium/pkg/engine"
	"github.com/cambium-logs/cambium/pkg/storage"
	"github.com/cambium-logs/cambium/pkg/storage/catalog"
	"github.com/cambium-logs/cambium/pkg/storage/chunk"
	"github.com/cambium-logs/cambium/pkg/storage/deletes"
	"github.com/cambium-logs/cambium/pkg/storage/head"
	"github.com/cambium-logs/cambium/pkg/storage/wal"
)

// Source gives snapshots of one tenant: of the segments, and of what the write-ahead log holds beyond them.
type Source struct {
	catalog *catalog.Catalog
	deletes *deletes.Store
	head    *head.Head
	tenant  string
	release func()
}

// OpenSource locks the data directory, if there is one, and reads the tenant's part of the write-ahead log into memory.
func (s *Store) OpenSource(ctx context.Context, tenant string) (*Source, error) {
	release, err := s.Lock()
	if err != nil {
		return nil, err
	}
	src := &Source{
		catalog: catalog.New(catalog.Options{Bucket: s.Bucket, Exclusive: true}),
		deletes: deletes.NewStore(deletes.Options{Bucket: s.Bucket, Compile: engine.CompileDelete, Exclusive: true}),
		head:    head.New(head.Options{}),
		tenant:  tenant,
		release: release,
	}
	if err := s.replay(ctx, src); err != nil {
		src.Close()
		return nil, err
	}
	return src, nil
}

// readLog reads the write-ahead log, if there is one.
func (s *Store) readLog(ctx context.Context, handle wal.Handler) error {
	if s.DataDir == "" {
		return nil
	}
	log, err := wal.Open(wal.Options{Dir: filepath.Join(s.DataDir, "wal"), ReadOnly: true})
	if err != nil {
		return err
	}
	if _, err = log.Replay(ctx, handle); errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return err
}

func (s *Store) replay(ctx context.Context, src *Source) error {
	return s.readLog(ctx, func(tenant string, ls labels.Labels, known any, entries []chunk.Entry) (any, error) {
		if tenant != src.tenant {
			return nil, nil
		}
		series, ok := known.(*head.Series)
		if !ok {
			series = src.head.Resolve(tenant, []labels.Labels{ls})[0]
		}
		src.head.Apply(tenant, head.Reservation{}, []head.Batch{{Series: series, Entries: entries}})
		return series, nil
	})
}

// Tenants lists the tenants that have objects in the bucket or entries in the write-ahead log, sorted.
func (s *Store) Tenants(ctx context.Context) ([]string, error) {
	tenants, err := catalog.New(catalog.Options{Bucket: s.Bucket}).Tenants(ctx)
	if err != nil {
		return nil, err
	}
	err = s.readLog(ctx, func(tenant string, _ labels.Labels, _ any, _ []chunk.Entry) (any, error) {
		if !slices.Contains(tenants, tenant) {
			tenants = append(tenants, tenant)
		}
		return nil, nil
	})
	slices.Sort(tenants)
	return tenants, err
}

// Snapshot gives the tenant's entries between mint and maxt, both inclusive, without what is to be deleted.
func (src *Source) Snapshot(ctx context.Context, tenant string, mint, maxt int64) (storage.Snapshot, error) {
	if tenant != src.tenant {
		return nil, fmt.Errorf("tenant %s was not opened", tenant)
	}
	hidden, err := src.deletes.Active(ctx, tenant, mint, maxt)
	if err != nil {
		return nil, err
	}
	segments, err := src.catalog.Snapshot(ctx, tenant, mint, maxt)
	if err != nil {
		return nil, err
	}
	return deletes.Hide(storage.Merge(segments, src.head.Snapshot(tenant)), hidden), nil
}

// Close lets go of the data directory.
func (src *Source) Close() {
	src.head.Close()
	src.release()
}
