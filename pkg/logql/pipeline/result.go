package pipeline

import (
	"strings"

	"github.com/cespare/xxhash/v2"
	"github.com/prometheus/prometheus/model/labels"
)

// LabelsResult is the label set of an entry or sample after its pipeline. It is immutable, owns its memory, and may be kept and
// shared after the StreamPipeline has moved on. Within one StreamPipeline or StreamSampler, equal pointers mean equal labels, and
// equal labels give equal pointers until the bounded table of results starts afresh.
type LabelsResult struct {
	// The categories, disjoint in name. They are empty in the results of a StreamSampler.
	Stream, Metadata, Parsed labels.Labels
	// Merged is what a client sees: all categories, or the labels of a sample's series. Values may be empty.
	Merged labels.Labels
	// Hash is Merged.Hash().
	Hash uint64

	errKind string
}

// Error returns the *Error that a sample with these labels fails its query with, or nil.
func (r *LabelsResult) Error() error {
	if r.errKind == "" {
		return nil
	}
	return &Error{Kind: r.errKind, Series: r.Merged.String()}
}

// maxResults bounds the table of results of one stream.
const maxResults = 1 << 14

type category uint8

const (
	catParsed category = iota
	catMetadata
	catGone  // a stream label that was removed; the value is empty
	catError // kind
	catErrorDetails
	catGroup // a label of a group
)

type cachedField struct {
	field
	category category
}

// cached is a result together with the state it was made from, as far as that differs from the plain stream.
type cached struct {
	fields []cachedField
	result *LabelsResult
	next   *cached // same hash
}

// results interns LabelsResults by the state of the entry.
type results struct {
	byState map[uint64]*cached
	n       int
	state   []cachedField // scratch
	plain   *LabelsResult // for the untouched stream
	builder labels.ScratchBuilder
	// byLabels finds a result by Merged, for samples: there, different states may have equal labels.
	byLabels map[uint64][]*LabelsResult
}

func (r *results) forget() {
	r.byState, r.byLabels = nil, nil
	r.n = 0
	r.plain = nil
}

// collect puts what makes this entry's labels differ from the stream's into r.state, in any order, and returns its hash,
// which does not depend on that order. Fields of label names for which skip is set are left out.
func (r *results) collect(e *entry, withExcluded bool) uint64 {
	s := r.state[:0]
	var h uint64
	for i := range e.parsed {
		f := e.parsed[i]
		if f.label.excluded && !withExcluded || e.shadowed(f.label) {
			continue
		}
		s = append(s, cachedField{f, catParsed})
		h += mix(f, catParsed)
	}
	for i := range e.meta {
		f := e.meta[i]
		l := f.label
		if l.metaGen != e.gen || l.parsedGen == e.gen || l.excluded && !withExcluded {
			continue
		}
		s = append(s, cachedField{f, catMetadata})
		h += mix(f, catMetadata)
	}
	for _, l := range e.gone {
		if l.excluded && !withExcluded {
			continue
		}
		f := field{label: l}
		s = append(s, cachedField{f, catGone})
		h += mix(f, catGone)
	}
	if e.errKind != "" {
		f := field{label: e.err, value: e.errKind}
		s = append(s, cachedField{f, catError})
		h += mix(f, catError)
	}
	if e.showsDetails() {
		f := field{label: e.details, value: e.errDetails}
		s = append(s, cachedField{f, catErrorDetails})
		h += mix(f, catErrorDetails)
	}
	r.state = s
	return h
}

func mix(f field, c category) uint64 {
	h := xxhash.Sum64String(f.value)
	h ^= f.label.hash + uint64(c)*0x9e3779b97f4a7c15
	h *= 0xff51afd7ed558ccd
	return h ^ h>>32
}

// lookup finds the cached result for r.state, which was collected from e.
func (r *results) lookup(e *entry, hash uint64) *LabelsResult {
	for c := r.byState[hash]; c != nil; c = c.next {
		if c.equals(e, r.state) {
			return c.result
		}
	}
	return nil
}

// equals compares as sets: fields are unique by label and category.
func (c *cached) equals(e *entry, state []cachedField) bool {
	if len(c.fields) != len(state) {
		return false
	}
	for i := range state {
		if c.fields[i] != state[i] && !c.fields[i].holds(e) { // most often the order is the same
			return false
		}
	}
	return true
}

// holds reports whether e has the field.
func (f *cachedField) holds(e *entry) bool {
	l := f.label
	switch f.category {
	case catParsed:
		return l.parsedGen == e.gen && e.parsed[l.parsedIdx].value == f.value && !e.shadowed(l)
	case catMetadata:
		return l.metaGen == e.gen && l.parsedGen != e.gen && e.meta[l.metaIdx].value == f.value
	case catGone:
		return l.goneGen == e.gen
	case catError:
		return e.errKind == f.value
	case catErrorDetails:
		return e.showsDetails() && e.errDetails == f.value
	}
	return false
}

func (r *results) store(hash uint64, res *LabelsResult) {
	if r.n >= maxResults {
		plain := r.plain
		r.forget()
		r.plain = plain
	}
	if r.byState == nil {
		r.byState = make(map[uint64]*cached)
	}
	fields := make([]cachedField, len(r.state))
	copy(fields, r.state)
	for i := range fields {
		fields[i].value = strings.Clone(fields[i].value)
	}
	r.byState[hash] = &cached{fields: fields, result: res, next: r.byState[hash]}
	r.n++
}

// full returns the result of a log entry: all categories.
func (r *results) full(e *entry) *LabelsResult {
	h := r.collect(e, true)
	if len(r.state) == 0 {
		if r.plain == nil {
			r.plain = r.buildFull(e)
		}
		return r.plain
	}
	if res := r.lookup(e, h); res != nil {
		return res
	}
	res := r.buildFull(e)
	r.store(h, res)
	return res
}

func (r *results) buildFull(e *entry) *LabelsResult {
	res := &LabelsResult{errKind: e.sampleError()}
	var all, part []labels.Label
	flush := func() labels.Labels {
		all = append(all, part...)
		l := r.build(part)
		part = part[:0]
		return l
	}
	for i := range e.base {
		if l := e.base[i].label; e.inBase(l) && l.parsedGen != e.gen && l.metaGen != e.gen {
			part = append(part, labels.Label{Name: l.name, Value: e.base[i].value})
		}
	}
	res.Stream = flush()
	for i := range e.meta {
		l := e.meta[i].label
		if l.metaGen == e.gen && l.parsedGen != e.gen {
			part = append(part, labels.Label{Name: l.name, Value: e.meta[i].value})
		}
	}
	res.Metadata = flush()
	for i := range e.parsed {
		l := e.parsed[i].label
		if !e.shadowed(l) {
			part = append(part, labels.Label{Name: l.name, Value: e.parsed[i].value})
		}
	}
	if e.errKind != "" {
		part = append(part, labels.Label{Name: ErrorLabel, Value: e.errKind})
	}
	if e.showsDetails() {
		part = append(part, labels.Label{Name: ErrorDetailsLabel, Value: e.errDetails})
	}
	res.Parsed = flush()
	res.Merged = r.build(all)
	res.Hash = res.Merged.Hash()
	return res
}

// build makes labels that own their memory: Labels copies all names and values into one string.
func (r *results) build(ls []labels.Label) labels.Labels {
	r.builder.Reset()
	for _, l := range ls {
		r.builder.Add(l.Name, l.Value)
	}
	r.builder.Sort()
	return r.builder.Labels()
}

// shadowed reports whether l is a label from the data that the entry's own error hides.
func (e *entry) shadowed(l *label) bool {
	return l == e.err && e.errKind != "" || l == e.details && e.showsDetails()
}

// sampleError is the error that fails a query when this entry becomes a sample: a pipeline error, or a label __error__ that came
// with the data.
func (e *entry) sampleError() string {
	if e.errKind != "" {
		return e.errKind
	}
	v, _ := e.get(e.err)
	return v
}
