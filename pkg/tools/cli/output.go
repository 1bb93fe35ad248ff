package cli

import (
	"bufio"
	"errors"
	"io"
	"os"
	"syscall"

	"github.com/mattn/go-isatty"
)

// Output is a buffered standard output that remembers the first failure, after which it takes everything and writes nothing.
type Output struct {
	*bufio.Writer
	terminal bool
}

// NewOutput wraps a verb's standard output.
func NewOutput(w io.Writer) *Output {
	return &Output{Writer: bufio.NewWriterSize(w, 32<<10), terminal: IsTerminal(w)}
}

// Terminal reports whether a person looks at it.
func (o *Output) Terminal() bool { return o.terminal }

// Closed reports whether an error says that the reader of a pipe has left, which is no reason to complain.
func Closed(err error) bool { return errors.Is(err, syscall.EPIPE) || errors.Is(err, io.ErrClosedPipe) }

// IsTerminal reports whether w is a terminal.
func IsTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && isatty.IsTerminal(f.Fd())
}

// Palette colours text, or leaves it as it is.
type Palette bool

// ParsePalette takes "always", "never" or "auto": colours on a terminal, unless NO_COLOR is set or TERM is dumb.
func ParsePalette(when string, terminal bool, getenv func(string) string) (Palette, error) {
	switch when {
	case "always":
		return true, nil
	case "never":
		return false, nil
	case "auto":
		return Palette(terminal && getenv("NO_COLOR") == "" && getenv("TERM") != "dumb"), nil
	}
	return false, errors.New("-color is auto, always or never")
}

// Colours as in the select graphic rendition of terminals.
const (
	Bold   = "1"
	Dim    = "2"
	Red    = "31"
	Green  = "32"
	Yellow = "33"
	Cyan   = "36"
)

// Paint gives the text in a colour.
func (p Palette) Paint(colour, text string) string {
	if !p || text == "" {
		return text
	}
	return "\x1b[" + colour + "m" + text + "\x1b[0m"
}
