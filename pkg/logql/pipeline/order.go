package pipeline

import "github.com/cambium-logs/cambium/pkg/logql"

// reorder moves line filters to the left. LogQL evaluates a line filter before the parsers, label_format, decolorize, drop and keep
// stages in front of it, up to the previous label filter, line_format or unpack. Beyond that it may pass label filters unseen, as
// long as nothing in between changes the line.
func reorder(stages []logql.Stage) []logql.Stage {
	out := make([]logql.Stage, 0, len(stages))
	for _, s := range stages {
		if _, ok := s.(*logql.LineFilter); !ok {
			out = append(out, s)
			continue
		}
		at := len(out)
		passedFilter := false
	back:
		for i := len(out) - 1; i >= 0; i-- {
			switch out[i].(type) {
			case *logql.LineFormat, *logql.UnpackParser:
				break back
			case *logql.Decolorize:
				if passedFilter {
					break back
				}
			case *logql.LabelFilter:
				passedFilter = true
			case *logql.LineFilter:
				break back // whatever it could pass, this one can pass too
			}
			at = i
		}
		out = append(out, nil)
		copy(out[at+1:], out[at:])
		out[at] = s
	}
	return out
}

// prune leaves out stages whose effect nobody sees. lineRead says that the line is read behind the last stage.
//
// A parser is left out when no label at all is read. A formatted line is left out of samples when no later stage and not the
// aggregation read the line, so that its errors are not seen either; a log query would show them.
func prune(stages []logql.Stage, n *needs, lineRead, sampling bool) []logql.Stage {
	drop := make([]bool, len(stages))
	for i := len(stages) - 1; i >= 0; i-- {
		switch s := stages[i].(type) {
		case *logql.LineFilter:
			lineRead = true
		case *logql.JSONParser, *logql.LogfmtParser, *logql.RegexpParser, *logql.PatternParser:
			if n.empty() {
				drop[i] = true
			} else {
				lineRead = true
			}
		case *logql.UnpackParser:
			if n.empty() && !lineRead {
				drop[i] = true
			} else {
				lineRead = true
			}
		case *logql.LineFormat:
			if !lineRead && sampling {
				drop[i] = true
			} else {
				lineRead = readsLine(s.Template)
			}
		case *logql.LabelFormat:
			for _, a := range s.Assignments {
				if !a.Rename && readsLine(a.Template) {
					lineRead = true
				}
			}
		case *logql.Decolorize:
			drop[i] = !lineRead
		}
	}
	out := stages[:0]
	for i, s := range stages {
		if !drop[i] {
			out = append(out, s)
		}
	}
	return out
}
