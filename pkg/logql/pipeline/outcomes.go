package pipeline

import (
	"strings"

	"github.com/prometheus/prometheus/model/labels"
)

// Outcomes are what becomes of the lines of one skeleton whose entries have one set of structured metadata. They belong to the StreamSampler or the
// StreamFilter that made the Shaped.
type Outcomes struct {
	of       *Shaped
	metadata []labels.Label
	list     []outcome
}

// Outcome is what becomes of the lines of a skeleton that have the same values where these matter.
type Outcome struct{ *outcome }

// Outcomes gives those of the entries with a set of structured metadata, which must not change and may lack what MetadataRead leaves out; nil when
// lines must be processed one by one.
func (s *Shaped) Outcomes(metadata []labels.Label) *Outcomes {
	if s.memo == nil {
		return nil
	}
	list := s.memo.outcomes
	if len(metadata) > 0 {
		list = s.outcomesWith(metadata)
	}
	if list == nil {
		return nil
	}
	return &Outcomes{of: s, metadata: metadata, list: list}
}

// Keep reports whether lines give samples.
func (o Outcome) Keep() bool { return o.keep }

// Result is what samples have as labels.
func (o Outcome) Result() *LabelsResult { return o.result }

// Mark is what SetMark has set last, 0 at first: callers remember here what they make of the result.
func (o Outcome) Mark() int { return o.mark }

// SetMark sets the Mark.
func (o Outcome) SetMark(mark int) { o.mark = mark }

// SampleOutcome is ProcessShaped for the at-th line of a skeleton with its Outcomes; ok is false when the line must be processed itself.
func (p *StreamSampler) SampleOutcome(ts int64, o *Outcomes, at int) (value float64, result Outcome, ok bool) {
	m := o.of.memo
	out := &o.list[m.index(at)]
	if m.number != nil {
		if value, ok = m.number(at); !ok {
			return 0, result, false
		}
	}
	if !out.known {
		v, r, keep := p.processShaped(ts, o.of, at, o.metadata)
		if keep && r.errKind != "" {
			return 0, result, false // an error shows all labels
		}
		out.known, out.keep, out.value, out.result = true, keep, v, r
	}
	if m.number == nil {
		value = out.value
	}
	return value, Outcome{out}, true
}

// KeepsOutcome is Keeps for the at-th line of a skeleton with its Outcomes.
func (f *StreamFilter) KeepsOutcome(o *Outcomes, at int) bool {
	out := &o.list[o.of.memo.index(at)]
	if !out.known {
		// Parsers and label filters do not look at the time.
		out.keep, out.known = f.program.runShaped(f.entry, 0, o.of, at, o.metadata), true
	}
	return out.keep
}

// MetadataRead tells the names of structured metadata that decide about outcomes, or is nil when all may.
func (p *StreamSampler) MetadataRead() func(name string) bool { return p.sampler.metadataRead() }

// MetadataRead tells the names of structured metadata that decide about outcomes, or is nil when all may.
func (f *StreamFilter) MetadataRead() func(name string) bool { return f.program.metadataRead() }

// metadataRead goes by the labels that are read: metadata is one of them, or takes the name of one away from what a parser extracts.
func (p *program) metadataRead() func(name string) bool {
	n := p.needs
	if !n.known || n.wants(ErrorDetailsLabel) { // which are not shown of an entry without any labels
		return nil
	}
	return func(name string) bool {
		extracted := name + extractedSuffix // which a stream label makes of it, too
		return name == ErrorLabel || name == ErrorDetailsLabel || n.wants(name) || n.wants(strings.TrimSuffix(name, extractedSuffix)) || n.wants(extracted) ||
			n.wants(extracted+extractedSuffix)
	}
}
