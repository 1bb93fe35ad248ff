package pipeline

import (
	"bytes"

	"github.com/cambium-logs/cambium/pkg/logql"
)

// patternParser is | pattern "<ip> - <user> [<ts>]": each named capture becomes a label.
type patternParser struct {
	leading []byte // must begin the line
	parts   []patternPart
}

// patternPart is a capture and the literal that ends it. The literal is empty for a capture at the end of the pattern.
type patternPart struct {
	slot int // -1 for a placeholder
	end  []byte
}

func newPatternParser(c *compiler, s *logql.PatternParser) (stage, error) {
	nodes := parsePattern(s.Pattern)
	if err := checkCaptures(s.Pattern, nodes); err != nil {
		return nil, &ParserError{"pattern", err}
	}
	p := &patternParser{}
	for i, n := range nodes {
		switch {
		case n.isCapture():
			part := patternPart{slot: -1}
			if n.capture != "_" {
				part.slot = c.slot(n.capture)
			}
			p.parts = append(p.parts, part)
		case i == 0:
			p.leading = []byte(n.literal)
		default:
			p.parts[len(p.parts)-1].end = []byte(n.literal)
		}
	}
	return p, nil
}

func (p *patternParser) apply(e *entry) bool {
	if len(e.line) == 0 || e.satisfied() || !bytes.HasPrefix(e.line, p.leading) {
		return true
	}
	rest := e.line[len(p.leading):]
	for _, part := range p.parts {
		at := -1
		if len(part.end) > 0 {
			at = bytes.Index(rest, part.end)
		}
		value := rest
		if at >= 0 {
			value = rest[:at]
		}
		if part.slot >= 0 {
			e.extract(e.slots[part.slot], viewString(value))
		}
		if at < 0 {
			break
		}
		rest = rest[at+len(part.end):]
	}
	return true
}
