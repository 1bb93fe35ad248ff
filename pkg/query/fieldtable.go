package query

import (
	"slices"

	"github.com/cespare/xxhash/v2"
)

// fieldTable collects the fields of many entries in bounded memory.
type fieldTable struct {
	byName map[string]*fieldSummary
}

const (
	// maxFields bounds the fields that are told apart: those that are met later are left out.
	maxFields = 10_000
	// maxDistinct bounds what is kept of the distinct values of one field, and allDistinct about what is of all fields together.
	maxDistinct, allDistinct = 4096, 1 << 20
)

// distinct is how much is kept of the distinct values of each field.
func (t *fieldTable) distinct() int {
	return min(maxDistinct, allDistinct/len(t.byName))
}

func newFieldTable() *fieldTable { return &fieldTable{byName: map[string]*fieldSummary{}} }

// of gives the summary of a field; nil when there are too many fields.
func (t *fieldTable) of(name string) *fieldSummary {
	f := t.byName[name]
	if f == nil {
		if len(t.byName) >= maxFields {
			return nil
		}
		f = &fieldSummary{table: t}
		t.byName[name] = f
	}
	return f
}

// merge adds what other found.
func (t *fieldTable) merge(other *fieldTable) {
	for name, f := range other.byName {
		if own := t.of(name); own != nil {
			own.merge(f)
		}
	}
}

// fields gives the fields that have a value.
func (t *fieldTable) fields() []DetectedField {
	var out []DetectedField
	for name, f := range t.byName {
		if f.kind != "" {
			out = append(out, DetectedField{Label: name, Type: f.kind, Cardinality: f.distinct.count(), Parsers: f.parsers, JSONPath: f.path})
		}
	}
	return out
}

// fieldSummary is what is known of a field.
type fieldSummary struct {
	table    *fieldTable
	kind     string // of all values so far; "" before the first, string where they differ
	distinct distinctValues
	parsers  []string
	path     []string
	keep     int // how many values are kept: the least ones
	values   map[string]struct{}
}

// add adds a value.
func (f *fieldSummary) add(value []byte) {
	if f.kind != "string" {
		f.addKind(fieldType(string(value)))
	}
	f.distinct.add(xxhash.Sum64(value), f.table.distinct())
	if f.keep > 0 {
		if _, known := f.values[string(value)]; !known {
			f.keepValue(string(value))
		}
	}
}

func (f *fieldSummary) addKind(kind string) {
	switch {
	case f.kind == "":
		f.kind = kind
	case f.kind != kind:
		f.kind = "string"
	}
}

func (f *fieldSummary) keepValue(value string) {
	if f.values == nil {
		f.values = map[string]struct{}{}
	}
	f.values[value] = struct{}{}
	if len(f.values) <= 2*f.keep+64 {
		return
	}
	all := make([]string, 0, len(f.values))
	for v := range f.values {
		all = append(all, v)
	}
	slices.Sort(all)
	for _, v := range all[f.keep:] {
		delete(f.values, v)
	}
}

func (f *fieldSummary) addParser(parser string, path []string) {
	if parser != "" && !slices.Contains(f.parsers, parser) {
		f.parsers = append(f.parsers, parser)
	}
	if f.path == nil {
		f.path = path
	}
}

func (f *fieldSummary) merge(other *fieldSummary) {
	if other.kind != "" {
		f.addKind(other.kind)
	}
	f.distinct.merge(&other.distinct, f.table.distinct())
	f.keep = max(f.keep, other.keep)
	for v := range other.values {
		f.keepValue(v)
	}
	for _, p := range other.parsers {
		f.addParser(p, nil)
	}
	if f.path == nil {
		f.path = other.path
	}
}

// distinctValues counts distinct values: exactly up to some number, and then by a sample of them, those whose hash ends in level zero bits. The error is
// about 1.2 divided by that number's root.
type distinctValues struct {
	hashes map[uint64]struct{}
	level  int
}

func (d *distinctValues) add(hash uint64, most int) {
	if hash&(1<<d.level-1) != 0 {
		return
	}
	if d.hashes == nil {
		d.hashes = map[uint64]struct{}{}
	}
	d.hashes[hash] = struct{}{}
	for len(d.hashes) > most {
		d.raise(d.level + 1)
	}
}

func (d *distinctValues) raise(level int) {
	d.level = level
	for hash := range d.hashes {
		if hash&(1<<level-1) != 0 {
			delete(d.hashes, hash)
		}
	}
}

func (d *distinctValues) merge(other *distinctValues, most int) {
	if other.level > d.level {
		d.raise(other.level)
	}
	for hash := range other.hashes {
		d.add(hash, most)
	}
}

func (d *distinctValues) count() int { return len(d.hashes) << d.level }
