package pipeline

import (
	"bytes"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/cambium-logs/cambium/pkg/logql"
)

// Extractor says which labels json or logfmt makes of all lines of a skeleton. It belongs to one goroutine and one stream.
type Extractor struct {
	program program
	entry   *entry
}

// Extraction is a label that a parser makes of the lines of a skeleton.
type Extraction struct {
	Name string // as it is shown: with _extracted when the stream has the name
	// Key is the name before that. Lines whose structured metadata has it show the label under another name.
	Key string
	// Slot is the variable that is the value, or -1 when Value is. A variable with the text null gives no label when Token is set, an empty one
	// none when Filled is.
	Slot   int
	Value  string
	Token  bool
	Filled bool
}

// NewExtractor returns the extractor of a parser for a stream, or nil when stage is not a json or logfmt parser of all pairs of a line.
func NewExtractor(stage logql.Stage, stream labels.Labels) *Extractor {
	c := &compiler{}
	p, err := c.compile([]logql.Stage{stage}, nil, false, false)
	if err != nil || len(p.stages) != 1 || !parsesOnly([]logql.Stage{stage}, false) {
		return nil
	}
	p.parseOnly = true
	return &Extractor{program: p, entry: newEntry(stream, p.slots, p.needs)}
}

// Extractions gives the labels of a skeleton's lines; ok is false when each line must be parsed itself.
func (x *Extractor) Extractions(sk Skeleton) (out []Extraction, ok bool) {
	s := x.program.shapeOf(x.entry, sk)
	if s == nil {
		return nil, false
	}
	x.entry.reset(0, nil)
	seen := map[string]bool{}
	for i := range s.extract {
		l := &s.extract[i]
		t := x.entry.target(l.label)
		if t == nil || seen[t.name] || l.slot < 0 && l.value == "" && !s.generous {
			return nil, false // rare: which one counts, or whether there is one, is for the parser to say
		}
		seen[t.name] = true
		out = append(out, Extraction{Name: t.name, Key: l.label.name, Slot: l.slot, Value: l.value, Token: l.token, Filled: !s.generous})
	}
	return out, true
}

// Barren reports whether the parser is sure to make no label of any line of a skeleton; when whole is set, labels of lines that it fails on do not count.
func (x *Extractor) Barren(sk Skeleton, whole bool) bool {
	pieces := sk.Pieces()
	p, ok := x.program.stages[0].(*logfmtParser)
	if !ok {
		text := bytes.TrimLeft(pieces[0], " \t\r\n")
		return len(text) > 0 && text[0] != '{'
	}
	// Variables without blanks, quotes and equals signs are part of words, and leave these what they are with stand-ins.
	var line []byte
	for i, piece := range pieces {
		if line = append(line, piece...); i == len(pieces)-1 {
			break
		}
		if !sk.Only(i, func(b byte) bool { return b > ' ' && b < 0x80 && b != '"' && b != '=' }) {
			return false
		}
		line = append(line, probe(i)...)
	}
	blank := newEntry(labels.EmptyLabels(), nil, &needs{})
	blank.reset(0, line)
	return !p.keepEmpty && bytes.IndexByte(line, '"') < 0 && p.apply(blank) && (whole && blank.errKind != "" || len(blank.parsed) == 0)
}
