package pipeline

import (
	"bytes"
	"regexp"
)

// decolorizer is | decolorize: it removes the escape sequences that colour terminals.
type decolorizer struct{}

// ansiSequence is the usual grammar of terminal escapes: an introducer, then either a text ended by BEL or numeric parameters and
// a final character.
var ansiSequence = regexp.MustCompile(`[\x{1b}\x{9b}][\[\]()#;?]*(?:` +
	`(?:[a-zA-Z\d]*(?:;[a-zA-Z\d]*)*)?\x07` +
	`|(?:\d{1,4}(?:;\d{0,4})*)?[\dA-PRZcf-ntqry=><~])`)

// csi8 is U+009B, the control sequence introducer as one character.
var csi8 = []byte("\u009b")

func (decolorizer) apply(e *entry) bool {
	if bytes.IndexByte(e.line, 0x1b) < 0 && !bytes.Contains(e.line, csi8) {
		return true
	}
	e.line = ansiSequence.ReplaceAll(e.line, nil)
	return true
}
