package ingest

import (
	"fmt"
	"strings"
)

// groupedErrors counts equal texts: one alone is shown as it is, several as "2 errors like: …; 1 errors like: …".
type groupedErrors struct {
	texts  []string
	counts map[string]int
	total  int
}

// maxDistinctErrors is how many different texts one answer holds.
const maxDistinctErrors = 50

// full reports whether a further text that is not there yet would only be counted, so that it need not be composed.
func (g *groupedErrors) full() bool { return len(g.texts) >= maxDistinctErrors }

func (g *groupedErrors) add(text string, n int) {
	g.total += n
	if g.counts == nil {
		g.counts = map[string]int{}
	}
	if _, known := g.counts[text]; !known {
		if g.full() {
			return
		}
		g.texts = append(g.texts, text)
	}
	g.counts[text] += n
}

func (g *groupedErrors) String() string {
	if g.total == 1 {
		return g.texts[0]
	}
	var out strings.Builder
	shown := 0
	for i, text := range g.texts {
		if i > 0 {
			out.WriteString("; ")
		}
		fmt.Fprintf(&out, "%d errors like: %s", g.counts[text], text)
		shown += g.counts[text]
	}
	if shown < g.total {
		fmt.Fprintf(&out, "; and %d more", g.total-shown)
	}
	return out.String()
}
