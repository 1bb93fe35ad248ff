package pipeline

import (
	"bytes"
	"fmt"
)

// linePattern is the operand of |> and !>, such as "foo <_> bar<_>".
type linePattern struct {
	literals     [][]byte
	placeholders bool // has any
	leading      bool // begins with one
	trailing     bool // ends with one
}

func newLinePattern(text string) (lineMatcher, error) {
	nodes := parsePattern(text)
	for _, n := range nodes {
		if n.isCapture() && n.capture != "_" {
			return nil, fmt.Errorf("named captures are not allowed: found '<%s>'", n.capture)
		}
	}
	if err := checkConsecutive(nodes); err != nil {
		return nil, err
	}
	p := &linePattern{}
	for i, n := range nodes {
		if !n.isCapture() {
			p.literals = append(p.literals, []byte(n.literal))
			continue
		}
		p.placeholders = true
		p.leading = p.leading || i == 0
		p.trailing = i == len(nodes)-1
	}
	return p, nil
}

// match searches the literals from left to right, each at its first occurrence, without going back. A placeholder stands for at
// least one byte; the text in front of a leading literal is free; a closing literal must end the line.
func (p *linePattern) match(line []byte) bool {
	if len(p.literals) == 0 {
		return p.placeholders == (len(line) > 0)
	}
	for i, l := range p.literals {
		at := bytes.Index(line, l)
		if at < 0 || at == 0 && (i > 0 || p.leading) {
			return false
		}
		line = line[at+len(l):]
	}
	return p.trailing == (len(line) > 0)
}
