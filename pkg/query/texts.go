package query

import (
	"context"
	"strings"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/cambium-logs/cambium/pkg/logql"
	"github.com/cambium-logs/cambium/pkg/logql/pipeline"
	"github.com/cambium-logs/cambium/pkg/storage"
)

// texts is what entries must contain to survive the stages of a query: chunks and rows that cannot contain it are passed over.
type texts struct {
	lines  [][][]byte // a stored line contains one text of every set
	values []valueText
	// parsed says that values may come out of lines, through a parser that decodes escapes.
	parsed bool
}

// valueText is a value that a label must have. It stands in the line or in the structured metadata, unless the stream itself has the label.
type valueText struct {
	label string
	value []byte
}

func textsOf(stages []logql.Stage) *texts {
	t := &texts{}
	for _, set := range pipeline.RequiredAnyOf(stages) {
		alternatives := make([][]byte, len(set))
		for i, s := range set {
			alternatives[i] = []byte(s)
		}
		t.lines = append(t.lines, alternatives)
	}
	for _, s := range stages {
		switch s := s.(type) {
		case *logql.LineFilter:
		case *logql.JSONParser, *logql.LogfmtParser:
			t.parsed = true
		case *logql.RegexpParser, *logql.PatternParser:
		case *logql.LabelFilter:
			t.addValues(s.Predicate)
		default:
			return t
		}
	}
	return t
}

// addValues adds the values that a predicate demands. A blank may stand for a byte that is not valid UTF-8, so values with blanks are left out.
func (t *texts) addValues(p logql.LabelPredicate) {
	switch p := p.(type) {
	case *logql.LogicalPredicate:
		if !p.Or {
			t.addValues(p.Left)
			t.addValues(p.Right)
		}
	case *logql.StringPredicate:
		m := p.Matcher
		if m.Type == labels.MatchEqual && m.Value != "" && m.Name != pipeline.ErrorLabel && m.Name != pipeline.ErrorDetailsLabel && !strings.ContainsAny(m.Value, " \ufffd") {
			t.values = append(t.values, valueText{m.Name, []byte(m.Value)})
		}
	}
}

// rulesOut reports whether no entry of a chunk can survive, as far as the chunk's skip filter can tell without reading it.
func (t *texts) rulesOut(ctx context.Context, stream labels.Labels, ch storage.Chunk) (bool, error) {
	if t == nil {
		return false, nil
	}
	f, ok := ch.(storage.Filtered)
	if !ok {
		return false, nil
	}
	for _, set := range t.lines {
		possible := false
		for _, text := range set {
			may, err := f.MayContain(ctx, text)
			if err != nil {
				return false, err
			}
			possible = possible || may
		}
		if !possible {
			return true, nil
		}
	}
	for _, v := range t.values {
		if stream.Has(v.label) {
			continue
		}
		may, err := f.MayContain(ctx, v.value)
		if err != nil {
			return false, err
		}
		if may {
			continue
		}
		if t.parsed {
			if verbatim, err := f.Verbatim(ctx); err != nil || !verbatim {
				return false, err
			}
		}
		return true, nil
	}
	return false, nil
}

// show lists the texts that every line must contain, for a plan.
func (t *texts) show() []string {
	var out []string
	for _, set := range t.lines {
		words := make([]string, len(set))
		for i, w := range set {
			words[i] = string(w)
		}
		out = append(out, strings.Join(words, " | "))
	}
	return out
}
