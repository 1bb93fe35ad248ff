package pipeline

import (
	"slices"
	"strings"

	"github.com/prometheus/prometheus/model/labels"
)

const (
	// maxOutcomes bounds the combinations of values for which outcomes are remembered.
	maxOutcomes = 1 << 10
	// maxSets bounds the sets of structured metadata for which they are, and maxSetOutcomes the outcomes of all sets together.
	maxSets, maxSetOutcomes = 16, 4 * maxOutcomes
	// lineOutcomes is how many outcomes there are for each line at most: chunks may have thousands of skeletons with few lines.
	lineOutcomes = 2
)

// memo remembers what becomes of a skeleton's lines by the values that decide about it, where these are numbered and few, and by the
// entries' structured metadata.
type memo struct {
	coded    []codedSlot
	outcomes []outcome // of entries without metadata
	sets     []metadataOutcomes
	last     int // the set that was asked for last
	// number gives the sample's value of the lines whose outcome does not depend on it; nil when outcomes have it.
	number func(at int) (float64, bool)
}

// metadataOutcomes are the outcomes of entries with one set of structured metadata; nil when they are not remembered.
type metadataOutcomes struct {
	set      []labels.Label
	outcomes []outcome
}

// codedSlot is a variable whose values are numbered.
type codedSlot struct {
	codes  []uint64
	stride uint64
}

// outcome is what becomes of a line.
type outcome struct {
	known, keep bool
	value       float64
	result      *LabelsResult
	mark        int // of the Outcome
}

// outcome gives what is remembered of the at-th line, or nil when nothing can be.
func (s *Shaped) outcome(at int, metadata []labels.Label) *outcome {
	m := s.memo
	if m == nil {
		return nil
	}
	outcomes := m.outcomes
	if len(metadata) > 0 {
		if outcomes = s.outcomesWith(metadata); outcomes == nil {
			return nil
		}
	}
	return &outcomes[m.index(at)]
}

// index numbers the combination of values that the at-th line has.
func (m *memo) index(at int) (k uint64) {
	for i := range m.coded {
		k += m.coded[i].codes[at] * m.coded[i].stride
	}
	return k
}

// outcomesWith gives the outcomes of entries with a set of metadata; nil when there are too many sets.
func (s *Shaped) outcomesWith(metadata []labels.Label) []outcome {
	m := s.memo
	if m.last < len(m.sets) && slices.Equal(m.sets[m.last].set, metadata) {
		return m.sets[m.last].outcomes
	}
	for i := range m.sets {
		if slices.Equal(m.sets[i].set, metadata) {
			m.last = i
			return m.sets[i].outcomes
		}
	}
	if len(m.sets) == maxSets || (len(m.sets)+1)*len(m.outcomes) > maxSetOutcomes {
		return nil
	}
	of := metadataOutcomes{set: slices.Clone(metadata)}
	if m.number == nil || !s.meets(metadata) {
		of.outcomes = make([]outcome, len(m.outcomes))
	}
	m.last = len(m.sets)
	m.sets = append(m.sets, of)
	return of.outcomes
}

// meets reports whether a label that is extracted might get another name for the sake of metadata.
func (s *Shaped) meets(metadata []labels.Label) bool {
	for i := range metadata {
		plain := strings.TrimSuffix(metadata[i].Name, extractedSuffix)
		for k := range s.extract {
			if strings.TrimSuffix(s.extract[k].label.name, extractedSuffix) == plain {
				return true
			}
		}
	}
	return false
}

// memoOf makes a memo over the variables that are extracted, except number; nil when they have too many values for the lines, or are not numbered.
func (p *program) memoOf(s *Shaped, number int) *memo {
	for _, st := range p.stages[1:] {
		switch st.(type) {
		case *labelFilter, *dropLabels, *keepLabels:
		default:
			return nil
		}
	}
	m := &memo{}
	total, lines := 1, 0
	seen := map[int]bool{-1: true, number: true}
	for i := range s.extract {
		slot := s.extract[i].slot
		if seen[slot] {
			continue
		}
		seen[slot] = true
		codes, distinct := s.skeleton.Codes(slot)
		if distinct == 0 || total*distinct > maxOutcomes {
			return nil
		}
		if codes != nil {
			m.coded = append(m.coded, codedSlot{codes, uint64(total)})
			total, lines = total*distinct, len(codes)
		}
	}
	if total > lineOutcomes*lines && total > 1 {
		return nil
	}
	m.outcomes = make([]outcome, total)
	return m
}

// remember gives the shape a memo of the sampler's outcomes, where there can be one.
func (p *StreamSampler) remember(s *Shaped) {
	if s == nil || p.sampler.bytes {
		return
	}
	if slot := p.unwrappedSlot(s); slot >= 0 {
		if number := s.skeleton.Numbers(slot); number != nil {
			if m := p.sampler.memoOf(s, slot); m != nil {
				m.number = number
				s.memo = m
				return
			}
		}
	}
	s.memo = p.sampler.memoOf(s, -1)
}

// unwrappedSlot gives the variable that is unwrapped as a plain number and decides about nothing else, or -1.
func (p *StreamSampler) unwrappedSlot(s *Shaped) int {
	u := p.sampler.unwrap
	if u == nil || !u.plain {
		return -1
	}
	l := p.entry.slots[u.slot]
	slot := -1
	for i := range s.extract {
		if x := &s.extract[i]; x.label == l {
			if slot >= 0 {
				return -1 // a key that comes twice
			}
			slot = x.slot
		}
	}
	if slot < 0 || l.baseIdx >= 0 || strings.HasSuffix(l.name, extractedSuffix) {
		return -1
	}
	for i := range s.extract {
		if x := &s.extract[i]; x.slot == slot && x.label != l {
			return -1
		}
	}
	if g := p.sampler.group; g != nil && !g.without {
		for _, named := range g.slots {
			if named == u.slot {
				return -1
			}
		}
	} else if !l.excluded {
		return -1
	}
	for _, f := range u.filters {
		if reads(f, u.slot) {
			return -1
		}
	}
	for _, st := range p.sampler.stages[1:] {
		f, ok := st.(*labelFilter)
		if !ok || reads(f.predicate, u.slot) {
			return -1
		}
	}
	return slot
}

// reads reports whether a predicate may look at a label.
func reads(p predicate, slot int) bool {
	switch p := p.(type) {
	case *errorPredicate:
		return false
	case *stringPredicate:
		return p.slot == slot
	case *ipPredicate:
		return p.slot == slot
	case interface{ reads(slot int) bool }:
		return p.reads(slot)
	case *andPredicate:
		return reads(p.left, slot) || reads(p.right, slot)
	case *orPredicate:
		return reads(p.left, slot) || reads(p.right, slot)
	}
	return true
}

func (p *comparison[T]) reads(slot int) bool { return p.slot == slot }
