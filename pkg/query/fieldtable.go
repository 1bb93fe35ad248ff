package query

import (
	"slices"

	"github.com/cespare/xxhash/v2"
)

// fieldTable collects the fields of many entries in bounded memory.
type fieldTable struct {
	byName map[string]*fieldSummary
	cut    bool // a field was left out
}

// maxFields bounds the fields that are told apart.
const maxFields = 10_000

func newFieldTable() *fieldTable { return &fieldTable{byName: map[string]*fieldSummary{}} }

// of gives the summary of a field; nil when there are too many fields.
func (t *fieldTable) of(name string) *fieldSummary {
	f := t.byName[name]
	if f == nil {
		if len(t.byName) >= maxFields {
			t.cut = true
			return nil
		}
		f = &fieldSummary{}
		t.byName[name] = f
	}
	return f
}

// merge adds what other found.
func (t *fieldTable) merge(other *fieldTable) {
	t.cut = t.cut || other.cut
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
	f.distinct.add(xxhash.Sum64(value))
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
	f.distinct.merge(&other.distinct)
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

// distinctValues counts distinct values: exactly up to distinctKept, and then by a sample of them, those whose hash ends in level zero bits. The error is
// about 1.2/√distinctKept.
type distinctValues struct {
	hashes map[uint64]struct{}
	level  int
}

const distinctKept = 4096

func (d *distinctValues) add(hash uint64) {
	if hash&(1<<d.level-1) != 0 {
		return
	}
	if d.hashes == nil {
		d.hashes = map[uint64]struct{}{}
	}
	d.hashes[hash] = struct{}{}
	for len(d.hashes) > distinctKept {
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

func (d *distinctValues) merge(other *distinctValues) {
	if other.level > d.level {
		d.raise(other.level)
	}
	for hash := range other.hashes {
		d.add(hash)
	}
}

func (d *distinctValues) count() int { return len(d.hashes) << d.level }
