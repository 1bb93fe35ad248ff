package conformance

import (
	"fmt"
	"io"
	"sort"
)

// Tally counts the outcomes of one group.
type Tally struct {
	Cases, Right     int // status and body
	Refused, TextOK  int // of the refusals that are compared: right status, and right text too
	Unstable, Quirks int // not compared; deviations of the reference that are optional
}

// Report collects outcomes by group.
type Report struct {
	Groups map[string]*Tally
	// Failures are the cases with a wrong status or body, TextFailures those whose text alone is wrong.
	Failures, TextFailures []Failure
}

// Failure is one case that failed.
type Failure struct {
	Case   Case
	Got    Got
	Reason string
}

// Add counts an outcome.
func (r *Report) Add(c Case, got Got, v Verdict) {
	if r.Groups == nil {
		r.Groups = map[string]*Tally{}
	}
	t := r.Groups[c.Group]
	if t == nil {
		t = &Tally{}
		r.Groups[c.Group] = t
	}
	switch {
	case c.Answer.Unstable != "":
		t.Unstable++
		return
	case c.Answer.Quirk != nil && v.Wrong != "":
		t.Quirks++
		return
	}
	t.Cases++
	if v.Wrong != "" {
		r.Failures = append(r.Failures, Failure{c, got, v.Wrong})
		return
	}
	t.Right++
	if v.Refused && !c.Answer.TextVolatile {
		t.Refused++
		if v.TextWrong == "" {
			t.TextOK++
		} else {
			r.TextFailures = append(r.TextFailures, Failure{c, got, v.TextWrong})
		}
	}
}

// Total sums the groups.
func (r *Report) Total() Tally {
	var sum Tally
	for _, t := range r.Groups {
		sum.Cases += t.Cases
		sum.Right += t.Right
		sum.Refused += t.Refused
		sum.TextOK += t.TextOK
		sum.Unstable += t.Unstable
		sum.Quirks += t.Quirks
	}
	return sum
}

// Write prints a line per group that is not perfect, and the total.
func (r *Report) Write(w io.Writer) {
	names := make([]string, 0, len(r.Groups))
	for name := range r.Groups {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		if t := r.Groups[name]; t.Right < t.Cases || t.TextOK < t.Refused {
			fmt.Fprintf(w, "%-22s %4d of %4d right   %4d of %4d texts\n", name, t.Right, t.Cases, t.TextOK, t.Refused)
		}
	}
	t := r.Total()
	fmt.Fprintf(w, "%-22s %4d of %4d right   %4d of %4d texts   %d unstable, %d quirks\n", "all", t.Right, t.Cases, t.TextOK, t.Refused, t.Unstable, t.Quirks)
}

// String shows a failure compactly: the request, what was wanted and what came.
func (f Failure) String() string {
	const most = 600
	cut := func(s string) string {
		if len(s) > most {
			return s[:most] + "…"
		}
		return s
	}
	body := ""
	if f.Case.Body != nil {
		body = " body " + cut(*f.Case.Body)
	}
	return fmt.Sprintf("%s: %s\n  %s %s %s%s\n  want %d %s\n  got  %d %s", f.Case.ID, cut(f.Reason), f.Case.Method, f.Case.Path, cut(key(f.Case.Params)), body,
		f.Case.Answer.Status, cut(key(f.Case.Answer.Body)), f.Got.Status, cut(string(f.Got.Body)))
}
