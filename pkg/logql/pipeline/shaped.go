package pipeline

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/prometheus/prometheus/model/labels"
)

// Skeleton describes lines that differ only in their variables, and gives the variables. A line is piece 0, variable 0, piece 1, …, last piece.
type Skeleton interface {
	Pieces() [][]byte
	// Only reports whether all bytes of a variable's values satisfy ok; it may say no although they do.
	Only(slot int, ok func(b byte) bool) bool
	// Numeric reports whether all values of a variable are decimal numbers.
	Numeric(slot int) bool
	// Distinct gives a variable's distinct values when they are few, else nil.
	Distinct(slot int) [][]byte
	// Append appends a variable of the at-th line.
	Append(dst []byte, slot, at int) []byte
	// Codes numbers a variable's distinct values: codes holds the number, below distinct, of each line's, or is nil when distinct is 1.
	// Distinct is 0 when values are not numbered.
	Codes(slot int) (codes []uint64, distinct int)
	// Numbers gives a variable's values as the numbers that strconv.ParseFloat makes of them, unless ok is false; nil when they are not stored so.
	Numbers(slot int) func(at int) (v float64, ok bool)
}

// Shaped is what parsing any line of one skeleton extracts, worked out once. It belongs to the stream state that made it.
type Shaped struct {
	skeleton Skeleton
	extract  []shapedLabel
	generous bool // empty values are kept
	memo     *memo
	epoch    int // of the entry that the labels belong to
}

// shapedLabel is one label that the parser extracts, in the parser's order.
type shapedLabel struct {
	label *label
	slot  int    // -1: the value is constant
	value string // of a constant
	token bool   // an unquoted JSON value that may be null, which gives no label
}

// probeStart is what stand-ins for variables begin with. They are digits, so that they are good values wherever a value may stand. A skeleton that
// holds the start itself has none: what stands in it would be taken for a variable.
const probeStart = "918273"

// probe gives the stand-in for a variable.
func probe(slot int) string {
	if slot < len(probes) {
		return probes[slot]
	}
	return makeProbe(slot)
}

var probes = func() (made [256]string) {
	for slot := range made {
		made[slot] = makeProbe(slot)
	}
	return made
}()

func makeProbe(slot int) string { return fmt.Sprintf("%s%04d", probeStart, slot) }

// shapeOf parses a line of the skeleton with stand-ins for its variables and sees which labels they become. It returns nil when a line of the skeleton must be parsed
// itself: when the variables could change what the parser makes of the rest of the line.
func (p *program) shapeOf(e *entry, sk Skeleton) *Shaped {
	if !p.parseOnly {
		return nil
	}
	pieces := sk.Pieces()
	var line []byte
	for i, piece := range pieces {
		if bytes.Contains(piece, []byte(probeStart)) {
			return nil
		}
		line = append(line, piece...)
		if i < len(pieces)-1 {
			line = append(line, probe(i)...)
		}
	}
	_, isJSON := p.stages[0].(jsonParser)
	logfmt, _ := p.stages[0].(*logfmtParser)
	nulls := make([]bool, len(pieces)-1)
	for slot := range nulls {
		ok := false
		if isJSON {
			ok, nulls[slot] = safeInJSON(sk, slot)
		} else {
			ok = safeInLogfmt(sk, slot)
		}
		if !ok {
			return nil
		}
	}
	blank := newEntry(labels.EmptyLabels(), nil, &needs{})
	blank.reset(0, line)
	if !p.stages[0].apply(blank) || blank.errKind != "" {
		return nil
	}
	generous := isJSON || logfmt.keepEmpty
	if blank.repeated && (!generous || slices.Contains(nulls, true)) {
		return nil // which of two values counts depends on whether the first one gives a label
	}
	s := &Shaped{skeleton: sk, generous: generous, epoch: e.epoch}
	mapped := make([]bool, len(nulls))
	for _, f := range blank.parsed {
		l := shapedLabel{slot: -1, value: strings.Clone(f.value)}
		for slot := range nulls {
			pr := probe(slot)
			if strings.Contains(f.label.name, pr) || f.value != pr && strings.Contains(f.value, pr) {
				return nil
			}
			if f.value == pr {
				l.slot, l.token, mapped[slot] = slot, nulls[slot], true
			}
		}
		if name := e.label(f.label.name); name.needed || e.needs.wants(name.name+extractedSuffix) {
			l.label = name
			s.extract = append(s.extract, l)
		}
	}
	if !isJSON {
		for _, m := range mapped {
			if !m {
				return nil // a key that comes twice, or a variable that is not a value
			}
		}
	}
	return s
}

// safeInJSON reports whether no value of a variable can be taken for anything but one value of the place it stands in, to be shown as it is, and
// whether one may be null.
func safeInJSON(sk Skeleton, slot int) (ok, null bool) {
	pieces := sk.Pieces()
	if bytes.HasSuffix(pieces[slot], []byte{'"'}) && bytes.HasPrefix(pieces[slot+1], []byte{'"'}) {
		return sk.Only(slot, func(b byte) bool { return b < 0x80 && b != '"' && b != '\\' }), false
	}
	if sk.Numeric(slot) {
		return tokenEnds(pieces, slot), false
	}
	values := sk.Distinct(slot)
	for _, v := range values {
		switch string(v) {
		case "true", "false":
		case "null":
			null = true
		default:
			if !plainNumber(v) {
				return false, false
			}
		}
	}
	return values != nil && tokenEnds(pieces, slot), null
}

// tokenEnds reports whether an unquoted value begins and ends where the variable does.
func tokenEnds(pieces [][]byte, slot int) bool {
	before, after := pieces[slot], pieces[slot+1]
	if len(before) == 0 || len(after) == 0 || !endsJSONToken(after[0]) {
		return false
	}
	switch before[len(before)-1] {
	case ':', ',', '[', ' ', '\t', '\n', '\r':
		return true
	}
	return false
}

func plainNumber(v []byte) bool {
	digits := 0
	for i, c := range v {
		switch {
		case isDigit(c):
			digits++
		case c == '-' && i == 0, c == '.' && digits > 0:
		default:
			return false
		}
	}
	return digits > 0
}

// safeInLogfmt is safeInJSON for logfmt: a whole value, quoted or not.
func safeInLogfmt(sk Skeleton, slot int) bool {
	pieces := sk.Pieces()
	before, after := pieces[slot], pieces[slot+1]
	if bytes.HasSuffix(before, []byte(`="`)) && bytes.HasPrefix(after, []byte{'"'}) {
		return sk.Only(slot, func(b byte) bool { return b < 0x80 && b != '"' && b != '\\' })
	}
	if !bytes.HasSuffix(before, []byte{'='}) || len(after) > 0 && after[0] > ' ' || len(after) == 0 && slot != len(pieces)-2 {
		return false
	}
	return sk.Only(slot, func(b byte) bool { return b > ' ' && b < 0x80 && b != '"' && b != '=' })
}

// runShaped is run for the at-th line of a skeleton, which is not needed itself.
func (p *program) runShaped(e *entry, ts int64, s *Shaped, at int, metadata []labels.Label) bool {
	e.reset(ts, nil)
	if len(metadata) > 0 {
		e.setMetadata(metadata)
	}
	if s.epoch != e.epoch {
		for i := range s.extract {
			s.extract[i].label = e.label(s.extract[i].label.name)
		}
		s.epoch = e.epoch
	}
	for i := range s.extract {
		if e.satisfied() {
			break
		}
		x := &s.extract[i]
		t := e.target(x.label)
		if t == nil {
			continue
		}
		v := x.value
		if x.slot >= 0 {
			start := len(e.arena)
			e.arena = s.skeleton.Append(e.arena, x.slot, at)
			v = viewString(e.arena[start:])
			if x.token && v == "null" {
				continue
			}
		}
		if v == "" && !s.generous {
			continue
		}
		e.add(t, v)
	}
	for _, st := range p.stages[1:] {
		if !st.apply(e) {
			return false
		}
	}
	return true
}

// Shape works out what the sampler's parser makes of lines of a skeleton, or returns nil when each of them must be processed itself.
func (p *StreamSampler) Shape(sk Skeleton) *Shaped {
	s := p.sampler.shapeOf(p.entry, sk)
	p.remember(s)
	return s
}

// Shapes reports whether Shape may return anything.
func (p *StreamSampler) Shapes() bool {
	return p.constant == nil && p.sampler.parseOnly && !p.sampler.bytes
}

// FromColumns reports whether samples can be made of skeletons and their variables, without lines.
func (s *Sampler) FromColumns() bool { return s.parseOnly && !s.bytes }

// FiltersColumns reports whether the pipeline begins with a parser and label filters, so that skeletons and their variables may tell that a line
// is dropped.
func (p *Pipeline) FiltersColumns() bool { return p.filter != nil }

// ProcessShaped is Process for the at-th line of a skeleton.
func (p *StreamSampler) ProcessShaped(ts int64, s *Shaped, at int, metadata []labels.Label) (value float64, result *LabelsResult, keep bool) {
	o := s.outcome(at, metadata)
	if o == nil {
		return p.processShaped(ts, s, at, metadata)
	}
	number := 0.0
	if s.memo.number != nil {
		ok := false
		if number, ok = s.memo.number(at); !ok {
			return p.processShaped(ts, s, at, metadata)
		}
	}
	if !o.known {
		o.value, o.result, o.keep = p.processShaped(ts, s, at, metadata)
		o.known = true
	}
	if s.memo.number != nil {
		return number, o.result, o.keep
	}
	return o.value, o.result, o.keep
}

func (p *StreamSampler) processShaped(ts int64, s *Shaped, at int, metadata []labels.Label) (value float64, result *LabelsResult, keep bool) {
	if !p.sampler.runShaped(p.entry, ts, s, at, metadata) {
		return 0, nil, false
	}
	return p.sample()
}

// StreamFilter drops lines that a pipeline would drop, by what its first label filters say of lines of a skeleton.
type StreamFilter struct {
	program *program
	entry   *entry
}

// Filter returns the filter of a stream, or nil when the pipeline does not begin with a parser and label filters.
func (p *Pipeline) Filter(stream labels.Labels) *StreamFilter {
	if p.filter == nil {
		return nil
	}
	return &StreamFilter{program: p.filter, entry: newEntry(stream, p.filter.slots, p.filter.needs)}
}

// Shape works out what the filter's parser makes of lines of a skeleton, or returns nil when it cannot tell.
func (f *StreamFilter) Shape(sk Skeleton) *Shaped {
	s := f.program.shapeOf(f.entry, sk)
	if s != nil {
		s.memo = f.program.memoOf(s, -1)
	}
	return s
}

// Keeps reports whether the pipeline may keep the at-th line of a skeleton.
func (f *StreamFilter) Keeps(ts int64, s *Shaped, at int, metadata []labels.Label) bool {
	o := s.outcome(at, metadata)
	if o == nil {
		return f.program.runShaped(f.entry, ts, s, at, metadata)
	}
	if !o.known {
		o.keep, o.known = f.program.runShaped(f.entry, ts, s, at, metadata), true
	}
	return o.keep
}
