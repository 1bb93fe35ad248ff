package verify

import (
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/cambium-logs/cambium/pkg/tools/cli"
)

// Severity says how bad a finding is.
type Severity string

// Severities.
const (
	Damaged    Severity = "damaged"    // stored bytes are not what was written, or cannot be understood
	Unreadable Severity = "unreadable" // could not be checked
	Notice     Severity = "notice"     // worth knowing, nothing wrong
)

// Loss is what queries no longer find. Counts are −1 where nobody can tell any more.
type Loss struct {
	Streams     int64     `json:"streams"`
	Rows        int64     `json:"rows"`
	RawBytes    int64     `json:"rawBytes"`
	MinTime     time.Time `json:"minTime"`
	MaxTime     time.Time `json:"maxTime"`
	StreamNames []string  `json:"streamNames,omitempty"` // some of them
}

// maxNames is how many streams a loss names.
const maxNames = 10

func (l *Loss) String() string {
	count := func(n int64, noun string) string {
		if n < 0 {
			return "an unknown number of " + noun + "s"
		}
		return cli.Plural(n, noun)
	}
	text := fmt.Sprintf("%s of %s", count(l.Rows, "row"), count(l.Streams, "stream"))
	if l.RawBytes >= 0 {
		text += " (" + cli.Bytes(l.RawBytes) + ")"
	}
	return text + " between " + cli.ShortTime(l.MinTime.UnixNano()) + " and " + cli.ShortTime(l.MaxTime.UnixNano())
}

// Finding is one thing that was found.
type Finding struct {
	Severity Severity `json:"severity"`
	Object   string   `json:"object,omitempty"`
	Detail   string   `json:"detail"`
	// Lost is what queries cannot read, of a damaged segment; nil when it is nothing.
	Lost *Loss `json:"lost,omitempty"`
	// Repair says what was done about it.
	Repair string `json:"repair,omitempty"`
}

// Totals sum up a run.
type Totals struct {
	Segments    int64 `json:"segments"`
	Chunks      int64 `json:"chunks"`
	Rows        int64 `json:"rows"`
	Bytes       int64 `json:"bytes"`
	Damaged     int64 `json:"damaged"`
	Unreadable  int64 `json:"unreadable"`
	Notices     int64 `json:"notices"`
	Quarantined int64 `json:"quarantined"`
}

// report writes findings as they come.
type report struct {
	out    io.Writer
	json   bool
	quiet  bool // no notices
	paint  cli.Palette
	totals Totals
	err    error // the first failure to write
}

func (r *report) find(f Finding) {
	colour := cli.Dim
	switch f.Severity {
	case Damaged:
		r.totals.Damaged++
		colour = cli.Red
	case Unreadable:
		r.totals.Unreadable++
		colour = cli.Yellow
	case Notice:
		r.totals.Notices++
		if r.quiet {
			return
		}
	}
	if r.json {
		r.write(f)
		return
	}
	text := r.paint.Paint(colour, string(f.Severity)) + "  "
	if f.Object != "" {
		text += cli.Printable(f.Object) + ": "
	}
	r.print(text + cli.Printable(f.Detail))
	if f.Lost != nil {
		r.print("    unreadable: " + f.Lost.String())
		for _, name := range f.Lost.StreamNames {
			r.print("      " + cli.Printable(name))
		}
		if more := f.Lost.Streams - int64(len(f.Lost.StreamNames)); more > 0 && len(f.Lost.StreamNames) > 0 {
			r.print("      and " + cli.Plural(more, "other stream"))
		}
	}
	if f.Repair != "" {
		r.print("    repair: " + f.Repair)
	}
}

func (r *report) print(line string) {
	if r.err == nil {
		_, r.err = fmt.Fprintln(r.out, line)
	}
}

func (r *report) write(v any) {
	if r.err == nil {
		e := json.NewEncoder(r.out)
		e.SetEscapeHTML(false)
		r.err = e.Encode(v)
	}
}

// finish writes the summary.
func (r *report) finish() {
	t := &r.totals
	if r.json {
		r.write(struct {
			Totals Totals `json:"totals"`
		}{*t})
		return
	}
	colour, verdict := cli.Green, "sound"
	switch {
	case t.Damaged > 0:
		colour, verdict = cli.Red, fmt.Sprintf("%d damaged", t.Damaged)
		if t.Quarantined > 0 {
			verdict += fmt.Sprintf(", %d quarantined", t.Quarantined)
		}
	case t.Unreadable > 0:
		colour, verdict = cli.Yellow, fmt.Sprintf("%d unreadable", t.Unreadable)
	}
	r.print(fmt.Sprintf("%s: %s, %s, %s, %s checked; %s", r.paint.Paint(colour, verdict), cli.Plural(t.Segments, "segment"), cli.Plural(t.Chunks, "chunk"),
		cli.Plural(t.Rows, "row"), cli.Bytes(t.Bytes), cli.Plural(t.Notices, "notice")))
}
