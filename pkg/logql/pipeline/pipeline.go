package pipeline

import (
	"fmt"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/cambium-logs/cambium/pkg/logql"
)

// Options change how a pipeline is compiled. The zero value is right for log queries: every label is shown.
type Options struct {
	// Needed says which labels the caller reads from the results; others may be missing from them.
	Needed NeededLabels
}

// Pipeline is a compiled sequence of stages. It is safe for concurrent use.
type Pipeline struct {
	program
	filter *program // the parser and label filters it begins with, when it does
}

// program is what Pipeline and Sampler have in common.
type program struct {
	lineFilters []stage // the leading stages that look only at the line as it is stored
	stages      []stage // the others
	slots       []string
	needs       *needs
	hints       []valueHint // looked at before the stages
	// parseOnly says that the line is read by the first stage alone, which is json or logfmt without expressions.
	parseOnly bool
}

// Compile builds the stages of a log query. It returns a *StageError or *ParserError when a stage cannot be built.
func Compile(stages []logql.Stage, opts Options) (*Pipeline, error) {
	var names map[string]struct{}
	if opts.Needed.Known {
		names = opts.Needed.set()
	}
	c := &compiler{}
	prog, err := c.compile(stages, names, true, false)
	if err != nil {
		return nil, err
	}
	p := &Pipeline{program: prog}
	if head := leadingFilters(stages); head != nil {
		names := map[string]struct{}{}
		f := &compiler{}
		prog, err := f.compile(head, names, false, false)
		if err != nil {
			return nil, err
		}
		if prog.parseOnly {
			p.filter = &prog
		}
	}
	return p, nil
}

// leadingFilters returns the parser that stages begin with and the label filters right behind it, or nil.
func leadingFilters(stages []logql.Stage) []logql.Stage {
	for i, s := range stages {
		_, filter := s.(*logql.LabelFilter)
		if i > 0 && !filter {
			stages = stages[:i]
			break
		}
	}
	if len(stages) < 2 || !parsesOnly(stages, false) {
		return nil
	}
	return stages
}

// parsesOnly reports whether stages read the line in the first one only, a parser of all pairs of a line.
func parsesOnly(stages []logql.Stage, lineRead bool) bool {
	if lineRead || len(stages) == 0 {
		return false
	}
	switch s := stages[0].(type) {
	case *logql.JSONParser:
		if len(s.Extractions) > 0 {
			return false
		}
	case *logql.LogfmtParser:
		if len(s.Extractions) > 0 {
			return false
		}
	default:
		return false
	}
	for _, s := range stages[1:] {
		switch s := s.(type) {
		case *logql.LabelFilter, *logql.DropLabels, *logql.KeepLabels:
		case *logql.LabelFormat:
			for _, a := range s.Assignments {
				if !a.Rename && readsLine(a.Template) {
					return false
				}
			}
		default:
			return false
		}
	}
	return true
}

// compile builds stages whose results are read under the given names, all of them when names is nil. lineRead says that the line
// is read behind the last stage. c.needs is set when it returns.
func (c *compiler) compile(stages []logql.Stage, names map[string]struct{}, lineRead, sampling bool) (program, error) {
	if names == nil || !addReadLabels(names, stages) {
		c.needs = &needs{}
	} else {
		c.needs = newNeeds(names)
	}
	// Everything is built, also what is left out below, so that a bad stage is always reported, and the first one first.
	built := make(map[logql.Stage]stage, len(stages))
	for _, s := range stages {
		st, err := c.stage(s)
		if err != nil {
			return program{}, err
		}
		built[s] = st
	}
	ordered := reorder(stages)
	ordered = prune(ordered, c.needs, lineRead, sampling)

	var p program
	for i, s := range ordered {
		if _, ok := s.(*logql.LineFilter); ok && len(p.stages) == 0 {
			p.lineFilters = append(p.lineFilters, built[s])
			continue
		}
		p.stages = append(p.stages, built[ordered[i]])
	}
	p.hints = c.valueHints(ordered)
	p.slots = c.names
	p.needs = c.needs
	p.parseOnly = len(p.lineFilters) == 0 && parsesOnly(ordered, lineRead)
	return p, nil
}

func (c *compiler) stage(s logql.Stage) (stage, error) {
	switch s := s.(type) {
	case *logql.LineFilter:
		return newLineFilter(s)
	case *logql.JSONParser:
		if len(s.Extractions) > 0 {
			return newJSONExpressions(c, s)
		}
		return jsonParser{}, nil
	case *logql.LogfmtParser:
		if len(s.Extractions) > 0 {
			return newLogfmtExpressions(c, s)
		}
		return &logfmtParser{strict: s.Strict, keepEmpty: s.KeepEmpty}, nil
	case *logql.RegexpParser:
		return newRegexpParser(c, s)
	case *logql.PatternParser:
		return newPatternParser(c, s)
	case *logql.UnpackParser:
		return unpackParser{}, nil
	case *logql.LineFormat:
		return newLineFormat(c, s)
	case *logql.LabelFormat:
		return newLabelFormat(c, s)
	case *logql.Decolorize:
		return decolorizer{}, nil
	case *logql.DropLabels:
		return newDropLabels(c, s)
	case *logql.KeepLabels:
		return newKeepLabels(c, s)
	case *logql.LabelFilter:
		return newLabelFilter(c, s)
	}
	return nil, fmt.Errorf("unknown pipeline stage %T", s)
}

// StreamPipeline runs a Pipeline over the entries of one stream. It belongs to one goroutine.
type StreamPipeline struct {
	program *program
	entry   *entry
	results results
}

// ForStream binds the pipeline to a stream.
func (p *Pipeline) ForStream(stream labels.Labels) *StreamPipeline {
	return &StreamPipeline{program: &p.program, entry: newEntry(stream, p.slots, p.needs)}
}

// Process runs the stages over one entry: ts in nanoseconds since the Unix epoch, the stored line, and its structured metadata
// with unique names. It reports whether the entry is kept, and if so its line and labels after the last stage. line and metadata
// are not modified and are not referred to by the result; out may be part of line, and is valid until the next call.
func (p *StreamPipeline) Process(ts int64, line []byte, metadata []labels.Label) (out []byte, result *LabelsResult, keep bool) {
	e := p.entry
	if !p.program.run(e, ts, line, metadata) {
		return nil, nil, false
	}
	result = p.results.full(e)
	if e.overfull() {
		p.results.forget()
		e.forget(p.program.slots)
	}
	return e.line, result, true
}

// run reports whether the entry is kept; its outcome is then in e.
func (p *program) run(e *entry, ts int64, line []byte, metadata []labels.Label) bool {
	e.reset(ts, line)
	for _, s := range p.lineFilters {
		if !s.apply(e) {
			return false
		}
	}
	if len(metadata) > 0 {
		e.setMetadata(metadata)
	}
	for i := range p.hints {
		if p.hints[i].refuses(e) {
			return false
		}
	}
	for _, s := range p.stages {
		if !s.apply(e) {
			return false
		}
	}
	return true
}
