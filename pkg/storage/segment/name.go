package segment

import (
	"crypto/rand"
	"fmt"
	"strconv"
	"strings"

	"github.com/oklog/ulid/v2"
)

const (
	// Extension ends the names of segments.
	Extension = ".seg"
	// GoneExtension ends the names of the markers that say a segment is to be ignored and will be deleted.
	GoneExtension = ".gone"
	// RetentionFile is the object beside a tenant's days that says how long its entries are kept.
	RetentionFile = "retention.json"
)

// Levels: what wrote a segment.
const (
	LevelBatch   = 0 // a batch of pushes, where the bucket is the write-ahead log
	LevelFlushed = 1 // a flushed head
	LevelMerged  = 2 // the first that compaction writes; higher ones are compacted again
	// MaxLevel is the highest there is: a merge of such segments stays at it.
	MaxLevel = 99
)

// Name says where a segment lies and what its object name tells without reading it.
type Name struct {
	Tenant     string
	Day        Day
	Level      int
	MinT, MaxT int64 // nanoseconds, both inclusive
	ID         ulid.ULID
}

// NewID gives an id that no other process chooses.
func NewID() (ulid.ULID, error) {
	id, err := ulid.New(ulid.Now(), rand.Reader)
	if err != nil {
		return id, fmt.Errorf("make segment id: %w", err)
	}
	return id, nil
}

// Path is the object name: <tenant>/<day>/<level>-<minT>-<maxT>-<ulid>.seg.
func (n Name) Path() string {
	return DayDir(n.Tenant, n.Day) + strconv.Itoa(n.Level) + "-" + strconv.FormatInt(n.MinT, 10) + "-" + strconv.FormatInt(n.MaxT, 10) + "-" + n.ID.String() + Extension
}

// GonePath is the name of the marker object that hides this segment.
func (n Name) GonePath() string { return GonePath(n.Tenant, n.Day, n.ID) }

// Overlaps reports whether the segment may hold entries between mint and maxt, both inclusive.
func (n Name) Overlaps(mint, maxt int64) bool { return n.MinT <= maxt && n.MaxT >= mint }

func (n Name) String() string { return n.Path() }

// TenantDir is the prefix of a tenant's objects, with the delimiter at its end.
func TenantDir(tenant string) string { return tenant + "/" }

// DayDir is the prefix of a tenant's segments of a day, with the delimiter at its end.
func DayDir(tenant string, day Day) string { return TenantDir(tenant) + day.String() + "/" }

// GonePath is the name of the marker object that hides a segment.
func GonePath(tenant string, day Day, id ulid.ULID) string {
	return DayDir(tenant, day) + id.String() + GoneExtension
}

// CheckTenant refuses what cannot be one element of an object name. The rules for tenant ids proper are the tenant package's.
func CheckTenant(tenant string) error {
	// compactor.json is an object beside the tenants' directories.
	if tenant == "" || tenant == "." || tenant == ".." || tenant == "compactor.json" || len(tenant) > 255 || strings.ContainsAny(tenant, "/\\") {
		return fmt.Errorf("tenant %q cannot name a directory", tenant)
	}
	for _, r := range tenant {
		if r < ' ' || r == 0x7f {
			return fmt.Errorf("tenant %q cannot name a directory", tenant)
		}
	}
	return nil
}

// ParsePath reads what Path wrote.
func ParsePath(path string) (Name, error) {
	bad := func(why string) (Name, error) { return Name{}, fmt.Errorf("not a segment name: %q: %s", path, why) }
	parts := strings.Split(path, "/")
	if len(parts) != 3 {
		return bad("expected tenant/day/file")
	}
	if err := CheckTenant(parts[0]); err != nil {
		return bad(err.Error())
	}
	day, err := ParseDay(parts[1])
	if err != nil {
		return bad(err.Error())
	}
	rest, ok := strings.CutSuffix(parts[2], Extension)
	if !ok {
		return bad("expected the ending " + Extension)
	}
	n := Name{Tenant: parts[0], Day: day}
	// Times may be negative, so the fields are cut from both ends.
	level, rest, ok := strings.Cut(rest, "-")
	if !ok || len(rest) < ulid.EncodedSize+1 || rest[len(rest)-ulid.EncodedSize-1] != '-' {
		return bad("expected level-minT-maxT-id")
	}
	if n.Level, err = strconv.Atoi(level); err != nil || n.Level < 0 || n.Level > MaxLevel {
		return bad("bad level")
	}
	if n.ID, err = ulid.ParseStrict(rest[len(rest)-ulid.EncodedSize:]); err != nil {
		return bad("bad id")
	}
	times := rest[:len(rest)-ulid.EncodedSize-1]
	at := strings.Index(times[min(1, len(times)):], "-") + 1
	if at == 0 {
		return bad("expected two times")
	}
	if n.MinT, err = strconv.ParseInt(times[:at], 10, 64); err != nil {
		return bad("bad minimum time")
	}
	if n.MaxT, err = strconv.ParseInt(times[at+1:], 10, 64); err != nil {
		return bad("bad maximum time")
	}
	if n.MinT > n.MaxT || DayOf(n.MinT) != day || DayOf(n.MaxT) != day {
		return bad("times are not within the day")
	}
	if n.Path() != path {
		return bad("not in canonical form")
	}
	return n, nil
}

// ParseGonePath gives the id of the segment that a marker object hides.
func ParseGonePath(path string) (ulid.ULID, error) {
	file := path[strings.LastIndexByte(path, '/')+1:]
	id, ok := strings.CutSuffix(file, GoneExtension)
	if !ok {
		return ulid.ULID{}, fmt.Errorf("not a marker name: %q", path)
	}
	parsed, err := ulid.ParseStrict(id)
	if err != nil || parsed.String() != id {
		return ulid.ULID{}, fmt.Errorf("not a marker name: %q", path)
	}
	return parsed, nil
}
