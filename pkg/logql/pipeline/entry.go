package pipeline

import (
	"strings"

	"github.com/cespare/xxhash/v2"
	"github.com/prometheus/prometheus/model/labels"
)

const (
	extractedSuffix = "_extracted"

	// maxNames bounds the names and keys that one stream's state remembers; beyond it the state starts afresh with the next entry.
	maxNames = 1 << 15
	// maxArena is the largest scratch buffer kept from entry to entry.
	maxArena = 1 << 20
)

// label is what a stream's state knows about one label name. The gen fields hold the generation (one per entry) in which the
// name was set or deleted, so that nothing has to be cleared between entries.
type label struct {
	name      string
	hash      uint64
	baseIdx   int // index into entry.base, -1 when the stream has no such label
	needed    bool
	excluded  bool   // not part of a sample's series
	extracted *label // the label named name_extracted, made when first needed

	parsedGen uint64 // the name is in entry.parsed[parsedIdx]
	parsedIdx int
	metaGen   uint64 // the name is in entry.meta[metaIdx]
	metaIdx   int
	goneGen   uint64 // the stream label was deleted
}

// field is one label of an entry. The value may point into the line or into the arena.
type field struct {
	label *label
	value string
}

// formatted is the outcome of a template.
type formatted struct {
	value string
	err   error
}

// entry is the working state of the entry that passes through the stages, and what is remembered from entry to entry of
// the same stream.
type entry struct {
	ts   int64
	line []byte

	base   []field // the stream's labels, sorted by name
	gone   []*label
	meta   []field // structured metadata; deleted ones have label.metaGen != gen
	parsed []field // in order of extraction, without deleted ones
	gen    uint64

	errKind    string
	errDetails string

	needs       *needs
	neededFound int
	repeated    bool // a parser found a name twice, of which the first value counts

	names   map[string]*label
	slots   []*label // the names that stages refer to, by slot
	metaSeq []*label // the metadata names of the entry before, which are most often those of the next one too
	keys    *keyTable
	keyed   int // nodes under keys
	epoch   int // how often the names were forgotten

	found   []field     // scratch of logfmtExpressions
	early   []formatted // scratch of labelFormat
	arena   []byte
	err     *label // __error__
	details *label // __error_details__
}

func newEntry(stream labels.Labels, names []string, needs *needs) *entry {
	e := &entry{needs: needs}
	stream.Range(func(l labels.Label) {
		e.base = append(e.base, field{value: l.Value, label: &label{name: l.Name}})
	})
	e.forget(names)
	return e
}

// forget starts the remembered names afresh.
func (e *entry) forget(names []string) {
	e.epoch++
	e.names = make(map[string]*label, len(e.base)+len(names)+8)
	for i := range e.base {
		l := e.makeLabel(e.base[i].label.name)
		l.baseIdx = i
		e.base[i].label = l
	}
	e.slots = e.slots[:0]
	for _, n := range names {
		e.slots = append(e.slots, e.label(n))
	}
	e.err = e.label(ErrorLabel)
	e.details = e.label(ErrorDetailsLabel)
	e.metaSeq = e.metaSeq[:0]
	e.keys = &keyTable{}
	e.keyed = 0
}

func (e *entry) overfull() bool { return len(e.names) > maxNames || e.keyed > maxNames }

func (e *entry) makeLabel(name string) *label {
	l := &label{name: name, hash: xxhash.Sum64String(name), baseIdx: -1}
	l.needed = e.needs.wants(name)
	l.excluded = e.needs.excludes(name)
	e.names[name] = l
	return l
}

// label returns the state of a name. The name is copied when it is new.
func (e *entry) label(name string) *label {
	if l, ok := e.names[name]; ok {
		return l
	}
	return e.makeLabel(strings.Clone(name))
}

func (e *entry) extractedOf(l *label) *label {
	if l.extracted == nil {
		l.extracted = e.label(l.name + extractedSuffix)
	}
	return l.extracted
}

// reset begins a new entry without metadata.
func (e *entry) reset(ts int64, line []byte) {
	e.ts, e.line = ts, line
	e.gen++
	e.parsed = e.parsed[:0]
	e.meta = e.meta[:0]
	e.gone = e.gone[:0]
	e.neededFound = 0
	e.repeated = false
	e.errKind, e.errDetails = "", ""
	if cap(e.arena) > maxArena {
		e.arena = nil
	}
	e.arena = e.arena[:0]
}

// setMetadata takes in structured metadata. Names of stream labels get the suffix _extracted; of two labels that then have one
// name the later one counts. An error in the metadata is the entry's error.
func (e *entry) setMetadata(metadata []labels.Label) {
	for i := range metadata {
		name, value := metadata[i].Name, metadata[i].Value
		var l *label
		if i < len(e.metaSeq) && e.metaSeq[i].name == name {
			l = e.metaSeq[i]
		} else {
			l = e.label(name)
			e.metaSeq = append(e.metaSeq[:i], l)
		}
		if l.baseIdx >= 0 {
			l = e.extractedOf(l)
		}
		switch {
		case l == e.err:
			e.errKind = value
		case l == e.details:
			e.errDetails = value
		case l.metaGen == e.gen:
			e.meta[l.metaIdx].value = value
		default:
			l.metaGen, l.metaIdx = e.gen, len(e.meta)
			e.meta = append(e.meta, field{label: l, value: value})
		}
	}
}

func (e *entry) inBase(l *label) bool { return l.baseIdx >= 0 && l.goneGen != e.gen }

// get returns the value of a label by the look-up order parsed, metadata, stream.
func (e *entry) get(l *label) (string, bool) {
	switch {
	case l.parsedGen == e.gen:
		return e.parsed[l.parsedIdx].value, true
	case l.metaGen == e.gen:
		return e.meta[l.metaIdx].value, true
	case e.inBase(l):
		return e.base[l.baseIdx].value, true
	}
	return "", false
}

// target returns the label that a parser writes for an extracted name, or nil when nothing is to be written.
func (e *entry) target(l *label) *label {
	if l.metaGen == e.gen || e.inBase(l) {
		l = e.extractedOf(l)
	}
	if l.parsedGen == e.gen {
		e.repeated = true
		return nil
	}
	if !l.needed {
		return nil
	}
	return l
}

// extract records what a parser found: it never overwrites, and avoids names of stream labels and metadata.
func (e *entry) extract(l *label, value string) {
	if t := e.target(l); t != nil {
		e.add(t, value)
	}
}

// extractMissing gives a label that was asked for and not found the empty value, unless another category has the name.
func (e *entry) extractMissing(l *label) {
	if l.metaGen != e.gen && !e.inBase(l) {
		e.extract(l, "")
	}
}

func (e *entry) add(l *label, value string) {
	l.parsedGen, l.parsedIdx = e.gen, len(e.parsed)
	e.parsed = append(e.parsed, field{label: l, value: value})
	if l.needed {
		e.neededFound++
	}
}

// satisfied reports whether every needed label has been extracted, so that a parser may stop.
func (e *entry) satisfied() bool { return e.needs.known && e.neededFound >= e.needs.total }

// set writes a parsed label, taking its name away from the other categories. A stream label that is set to the value it has stays
// one.
func (e *entry) set(l *label, value string) {
	if e.inBase(l) && l.metaGen != e.gen && l.parsedGen != e.gen && e.base[l.baseIdx].value == value {
		return
	}
	e.deleteBase(l)
	if l.metaGen == e.gen {
		l.metaGen = 0
	}
	if l.parsedGen == e.gen {
		e.parsed[l.parsedIdx].value = value
		return
	}
	e.add(l, value)
}

func (e *entry) deleteBase(l *label) {
	if e.inBase(l) {
		l.goneGen = e.gen
		e.gone = append(e.gone, l)
	}
}

// delete removes a label from every category.
func (e *entry) delete(l *label) {
	e.deleteBase(l)
	if l.metaGen == e.gen {
		l.metaGen = 0
	}
	if l.parsedGen != e.gen {
		return
	}
	last := len(e.parsed) - 1
	if l.parsedIdx != last {
		e.parsed[l.parsedIdx] = e.parsed[last]
		e.parsed[l.parsedIdx].label.parsedIdx = l.parsedIdx
	}
	e.parsed = e.parsed[:last]
	l.parsedGen = 0
	if l.needed {
		e.neededFound--
	}
}

// showsDetails reports whether the error's details are a label of the entry: also when the error itself has been dropped, but not
// on an entry that has nothing besides the labels of its stream.
func (e *entry) showsDetails() bool {
	return e.errDetails != "" && (e.errKind != "" || len(e.parsed)+len(e.meta)+len(e.gone) > 0)
}

// setError records a pipeline error. Empty details leave those of an earlier error.
func (e *entry) setError(kind, details string) {
	e.errKind = kind
	if details != "" {
		e.errDetails = details
	}
}

// visible calls f for every label of the entry in the order parsed, metadata, stream, each name once. Pipeline errors are not
// among them.
func (e *entry) visible(f func(l *label, value string)) {
	for i := range e.parsed {
		f(e.parsed[i].label, e.parsed[i].value)
	}
	for i := range e.meta {
		if l := e.meta[i].label; l.metaGen == e.gen && l.parsedGen != e.gen {
			f(l, e.meta[i].value)
		}
	}
	for i := range e.base {
		if l := e.base[i].label; l.goneGen != e.gen && l.parsedGen != e.gen && l.metaGen != e.gen {
			f(l, e.base[i].value)
		}
	}
}

// shown returns the value of a label as templates see it.
func (e *entry) shown(l *label) string {
	switch {
	case l == e.err && e.errKind != "":
		return e.errKind
	case l == e.details && e.showsDetails():
		return e.errDetails
	}
	v, _ := e.get(l)
	return v
}

// fillMap puts all labels, and the pipeline error, into m.
func (e *entry) fillMap(m map[string]string) {
	clear(m)
	e.visible(func(l *label, value string) { m[l.name] = value })
	if e.errKind != "" {
		m[ErrorLabel] = e.errKind
	}
	if e.showsDetails() {
		m[ErrorDetailsLabel] = e.errDetails
	}
}
