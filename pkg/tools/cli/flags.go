package cli

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"
)

// Exit codes of all verbs.
const (
	ExitOK       = 0
	ExitFound    = 1 // the verb did its work and found something wrong
	ExitUnusable = 2 // the verb could not do its work
)

// Flags are the flags and arguments of one verb.
type Flags struct {
	*flag.FlagSet
	verb, synopsis, about string
}

// NewFlags starts the flags of a verb. The synopsis is what follows the verb in its usage line, about a sentence or two.
func NewFlags(verb, synopsis, about string) *Flags {
	f := &Flags{FlagSet: flag.NewFlagSet(verb, flag.ContinueOnError), verb: verb, synopsis: synopsis, about: about}
	f.SetOutput(io.Discard)
	return f
}

// Read reads the command line; flags and arguments may come in any order, and what follows "--" are arguments.
// When done is true the verb ends with the exit code: help was asked for, or the command line is wrong.
func (f *Flags) Read(command []string, stdout, stderr io.Writer) (args []string, code int, done bool) {
	for {
		err := f.Parse(command)
		if errors.Is(err, flag.ErrHelp) {
			f.help(stdout)
			return nil, ExitOK, true
		}
		if err != nil {
			return nil, f.Fail(stderr, fmt.Errorf("%w. `gpx_cambium %s -h` lists the flags", err, f.verb)), true
		}
		rest := f.Args()
		if len(rest) == 0 {
			return args, ExitOK, false
		}
		if at := len(command) - len(rest) - 1; at >= 0 && command[at] == "--" {
			return append(args, rest...), ExitOK, false
		}
		args = append(args, rest[0])
		command = rest[1:]
	}
}

func (f *Flags) help(w io.Writer) {
	fmt.Fprintf(w, "Usage: gpx_cambium %s\n\n%s\n\n", strings.TrimSpace(f.verb+" "+f.synopsis), f.about)
	f.SetOutput(w)
	f.PrintDefaults()
	f.SetOutput(io.Discard)
}

// Fail tells an error that kept the verb from doing its work.
func (f *Flags) Fail(stderr io.Writer, err error) int {
	fmt.Fprintf(stderr, "%s: %s\n", f.verb, err)
	return ExitUnusable
}
