package store

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/oklog/ulid/v2"
	"github.com/thanos-io/objstore"

	"github.com/cambium-logs/cambium/pkg/storage/segment"
)

// Names of what lies beside segments.
const (
	// QuarantineDir holds what repair has moved away. No tenant is called so: the character is not allowed in tenant ids.
	QuarantineDir = "~quarantine/"
	probeDir      = "~probe/"
	logsDir       = "~logs/"
	deletesDir    = "deletes/"
	compactorFile = "compactor.json"
)

// Scope narrows what is looked at. The zero Scope is everything.
type Scope struct {
	Tenant string
	Day    string
}

// Day is what is listed of one tenant's day.
type Day struct {
	Tenant   string
	Day      segment.Day
	Segments []segment.Name // by time, then id
	Gone     []ulid.ULID    // markers
}

// Listing receives what a walk finds.
type Listing struct {
	Day     func(Day) error
	Unknown func(name string) // an object that no part of Cambium writes
}

// Walk lists the bucket, one day at a time, tenants and days ascending.
func Walk(ctx context.Context, b objstore.BucketReader, scope Scope, l Listing) error {
	if l.Unknown == nil {
		l.Unknown = func(string) {}
	}
	tenants := []string{segment.TenantDir(scope.Tenant)}
	if scope.Tenant == "" {
		dirs, files, err := list(ctx, b, "")
		if err != nil {
			return err
		}
		tenants = dirs
		for _, name := range files {
			if name != compactorFile {
				l.Unknown(name)
			}
		}
	} else if err := segment.CheckTenant(scope.Tenant); err != nil {
		return err
	}
	for _, dir := range tenants {
		if dir == QuarantineDir || dir == probeDir || dir == logsDir {
			continue
		}
		if err := walkTenant(ctx, b, dir, scope.Day, l); err != nil {
			return err
		}
	}
	return nil
}

func walkTenant(ctx context.Context, b objstore.BucketReader, dir, only string, l Listing) error {
	dirs, files, err := list(ctx, b, dir)
	if err != nil {
		return err
	}
	for _, name := range files {
		if name != dir+segment.RetentionFile {
			l.Unknown(name)
		}
	}
	for _, name := range dirs {
		text := strings.TrimSuffix(strings.TrimPrefix(name, dir), objstore.DirDelim)
		if only != "" && text != only {
			continue
		}
		day, err := segment.ParseDay(text)
		if err != nil {
			if name != dir+deletesDir {
				l.Unknown(name)
			}
			continue
		}
		if err := walkDay(ctx, b, Day{Tenant: strings.TrimSuffix(dir, objstore.DirDelim), Day: day}, l); err != nil {
			return err
		}
	}
	return nil
}

func walkDay(ctx context.Context, b objstore.BucketReader, d Day, l Listing) error {
	dirs, files, err := list(ctx, b, segment.DayDir(d.Tenant, d.Day))
	if err != nil {
		return err
	}
	for _, name := range dirs {
		l.Unknown(name)
	}
	for _, name := range files {
		if n, err := segment.ParsePath(name); err == nil {
			d.Segments = append(d.Segments, n)
		} else if id, err := segment.ParseGonePath(name); err == nil {
			d.Gone = append(d.Gone, id)
		} else {
			l.Unknown(name)
		}
	}
	slices.SortFunc(d.Segments, func(a, b segment.Name) int {
		if a.MinT != b.MinT {
			if a.MinT < b.MinT {
				return -1
			}
			return 1
		}
		return a.ID.Compare(b.ID)
	})
	return l.Day(d)
}

// list gives the directories and the objects directly under a prefix, sorted.
func list(ctx context.Context, b objstore.BucketReader, dir string) (dirs, files []string, err error) {
	err = b.Iter(ctx, dir, func(name string) error {
		if strings.HasSuffix(name, objstore.DirDelim) {
			dirs = append(dirs, name)
		} else {
			files = append(files, name)
		}
		return nil
	})
	if err != nil {
		return nil, nil, fmt.Errorf("list %q: %w", dir, err)
	}
	slices.Sort(dirs)
	slices.Sort(files)
	return dirs, files, nil
}

// State is what a reader makes of a segment.
type State string

// States.
const (
	Visible  State = "visible"
	Replaced State = "replaced" // a listed segment names it as a source
	Gone     State = "gone"     // a marker hides it
)

// States tells the state of each listed segment; sources are what the footers of the day's segments name.
func (d *Day) States(sources map[ulid.ULID][]ulid.ULID) map[ulid.ULID]State {
	states := make(map[ulid.ULID]State, len(d.Segments))
	for _, n := range d.Segments {
		states[n.ID] = Visible
	}
	mark := func(id ulid.ULID, s State) {
		if _, ok := states[id]; ok {
			states[id] = s
		}
	}
	for _, list := range sources {
		for _, id := range list {
			mark(id, Replaced)
		}
	}
	for _, id := range d.Gone {
		mark(id, Gone)
	}
	return states
}
