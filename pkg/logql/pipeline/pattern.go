package pipeline

import (
	"errors"
	"fmt"
)

var (
	errNoCapture    = errors.New("at least one capture is required")
	errEmptyPattern = errors.New("parse error at line 1, col 1: syntax error: unexpected $end, expecting IDENTIFIER or LITERAL")
)

// patternNode is a piece of a pattern: literal text, or a capture.
type patternNode struct {
	literal string
	capture string // name, "_" for a placeholder
}

func (n patternNode) isCapture() bool { return n.capture != "" }

// parsePattern cuts a pattern such as `<ip> - <_> [<ts>]` into literals and captures. Angle brackets around anything that is no
// identifier are literal text.
func parsePattern(text string) []patternNode {
	var nodes []patternNode
	start := 0
	for i := 0; i < len(text); {
		n := captureLen(text[i:])
		if n == 0 {
			i++
			continue
		}
		if i > start {
			nodes = append(nodes, patternNode{literal: text[start:i]})
		}
		nodes = append(nodes, patternNode{capture: text[i+1 : i+n-1]})
		i += n
		start = i
	}
	if start < len(text) {
		nodes = append(nodes, patternNode{literal: text[start:]})
	}
	return nodes
}

// captureLen returns the length of the capture that s begins with, or 0.
func captureLen(s string) int {
	if len(s) < 3 || s[0] != '<' || isDigit(s[1]) {
		return 0
	}
	for i := 1; i < len(s); i++ {
		if s[i] == '>' {
			if i == 1 {
				return 0
			}
			return i + 1
		}
		if !isNameByte(s[i]) {
			return 0
		}
	}
	return 0
}

// checkConsecutive refuses captures without a literal between them.
func checkConsecutive(nodes []patternNode) error {
	for i := 1; i < len(nodes); i++ {
		if nodes[i].isCapture() && nodes[i-1].isCapture() {
			return fmt.Errorf("found consecutive capture '<%s><%s>': invalid expression", nodes[i-1].capture, nodes[i].capture)
		}
	}
	return nil
}

// checkCaptures holds the rules of the pattern parser.
func checkCaptures(text string, nodes []patternNode) error {
	if text == "" {
		return errEmptyPattern
	}
	named := 0
	for _, n := range nodes {
		if n.isCapture() && n.capture != "_" {
			named++
		}
	}
	if named == 0 {
		return errNoCapture
	}
	if err := checkConsecutive(nodes); err != nil {
		return err
	}
	seen := make(map[string]bool)
	for _, n := range nodes {
		if !n.isCapture() || n.capture == "_" {
			continue
		}
		if seen[n.capture] {
			return fmt.Errorf("duplicate capture name (%s): invalid expression", n.capture)
		}
		seen[n.capture] = true
	}
	return nil
}
