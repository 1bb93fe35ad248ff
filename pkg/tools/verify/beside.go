package verify

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/cambium-logs/cambium/pkg/storage/bucket"
	"github.com/cambium-logs/cambium/pkg/storage/chunk"
	"github.com/cambium-logs/cambium/pkg/storage/deletes"
	"github.com/cambium-logs/cambium/pkg/storage/segment"
	"github.com/cambium-logs/cambium/pkg/storage/wal"
	"github.com/cambium-logs/cambium/pkg/tools/cli"
	"github.com/cambium-logs/cambium/pkg/tools/store"
)

// maxRequest bounds the file of a delete request.
const maxRequest = 1 << 20

// beside checks what lies beside segments: delete requests, unfinished uploads, what was set aside.
func (c *checker) beside(ctx context.Context, scope store.Scope) error {
	tenants := []string{scope.Tenant}
	if scope.Tenant == "" {
		var err error
		if tenants, err = c.store.Tenants(ctx); err != nil {
			return err
		}
	}
	for _, tenant := range tenants {
		if err := c.sealed(ctx, deletes.Dir(tenant), "delete request"); err != nil {
			return err
		}
	}
	if scope.Tenant != "" {
		return nil
	}
	if err := c.sealed(ctx, deletes.LogsDir, "mark of a write-ahead log"); err != nil {
		return err
	}
	if dir, ok := c.store.Bucket.IsLocal(); ok {
		c.files(filepath.Join(dir, ".tmp"), "", "unfinished upload; it is removed a day after it was begun")
	}
	if c.store.DataDir != "" {
		c.files(filepath.Join(c.store.DataDir, "tmp"), "", "segment under construction; a start removes it")
		c.files(filepath.Join(c.store.DataDir, "wal"), ".damaged", "copy of a damaged file of the write-ahead log, for whoever wants to look at it")
		aside, err := filepath.Glob(filepath.Join(c.store.DataDir, "wal-aside-*"))
		if err != nil {
			return err
		}
		for _, dir := range aside {
			c.report.find(Finding{Severity: Notice, Object: dir, Detail: "a write-ahead log that came back too late to be read; see the operations page"})
		}
		if err := c.log(ctx); err != nil {
			return err
		}
	}
	return c.quarantined(ctx)
}

// sealed checks the objects of a directory that carry a checksum. what names them.
func (c *checker) sealed(ctx context.Context, dir, what string) error {
	var names []string
	err := c.store.Bucket.Iter(ctx, dir, func(name string) error {
		names = append(names, name)
		return nil
	})
	if err != nil {
		return err
	}
	for _, name := range names {
		if !strings.HasSuffix(name, ".json") {
			c.report.find(Finding{Severity: Notice, Object: name, Detail: "nothing of Cambium has this name"})
			continue
		}
		text, err := bucket.ReadAll(ctx, c.store.Bucket, name, maxRequest)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case c.isNotFound(err):
		case err != nil:
			c.report.find(Finding{Severity: Unreadable, Object: name, Detail: err.Error()})
		default:
			// A request that cannot be understood is left where it is: without it, what it hides would come back.
			if err := deletes.CheckObject(text); err != nil {
				c.report.find(Finding{Severity: Damaged, Object: name, Detail: what + ": " + err.Error()})
			}
		}
	}
	return nil
}

// log reads the write-ahead log. An unfinished end is no damage: a process may be writing it, and a start cuts it off.
func (c *checker) log(ctx context.Context) error {
	dir := filepath.Join(c.store.DataDir, "wal")
	log, err := wal.Open(wal.Options{Dir: dir, ReadOnly: true})
	if err != nil {
		return err
	}
	stats, err := log.Replay(ctx, func(string, labels.Labels, any, []chunk.Entry) (any, error) { return nil, nil })
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, os.ErrNotExist):
	case err != nil:
		c.report.find(Finding{Severity: Unreadable, Object: dir, Detail: err.Error()})
	case stats.Damages > 0 || stats.Undeclared > 0:
		c.report.find(Finding{Severity: Damaged, Object: dir, Detail: fmt.Sprintf("%s cannot be read, and %s have lost their stream; the other %s are sound and a start keeps them",
			cli.Plural(int64(stats.Damages), "place"), cli.Plural(stats.Undeclared, "row"), cli.Count(stats.Entries))})
	case stats.Entries > 0:
		c.report.find(Finding{Severity: Notice, Object: dir, Detail: "write-ahead log of " + cli.Plural(stats.Entries, "row")})
	}
	return nil
}

// files tells of the files in a directory whose names have an ending.
func (c *checker) files(dir, ending, detail string) {
	list, err := os.ReadDir(dir)
	if err != nil {
		return
	}
	for _, f := range list {
		if !f.IsDir() && strings.HasSuffix(f.Name(), ending) {
			c.report.find(Finding{Severity: Notice, Object: filepath.Join(dir, f.Name()), Detail: detail})
		}
	}
}

// quarantined counts what repairs have moved away.
func (c *checker) quarantined(ctx context.Context) error {
	n := int64(0)
	var count func(string) error
	count = func(name string) error {
		switch {
		case strings.HasSuffix(name, "/"):
			return c.store.Bucket.Iter(ctx, name, count)
		case strings.HasSuffix(name, segment.Extension):
			n++
		}
		return nil
	}
	if err := c.store.Bucket.Iter(ctx, store.QuarantineDir, count); err != nil {
		return err
	}
	if n > 0 {
		c.report.find(Finding{Severity: Notice, Object: store.QuarantineDir, Detail: fmt.Sprintf("holds %s that repairs have moved there", cli.Plural(n, "segment"))})
	}
	return nil
}
