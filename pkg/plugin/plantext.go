package plugin

import (
	"fmt"
	"strings"

	"github.com/cambium-logs/cambium/pkg/query"
)

// planText is a plan as the query inspector shows it, below the query; empty without a plan.
func planText(p *query.Plan) string {
	if p == nil {
		return ""
	}
	var b strings.Builder
	b.WriteString("\n\nPlan:")
	line := func(name, value string) {
		if value != "" {
			fmt.Fprintf(&b, "\n  %s: %s", name, value)
		}
	}
	line("computed above the reads", p.PromQL)
	for i, r := range p.Reads {
		fmt.Fprintf(&b, "\nRead %d of %d: %s", i+1, len(p.Reads), r.Expression)
		line("streams", r.Matchers)
		line("a line must contain", quoted(r.Literals))
		line("stages", strings.Join(r.Stages, " "))
		if !r.AllLabels {
			line("labels that are extracted", "["+strings.Join(r.Labels, ", ")+"]")
		}
		line("folded with the samples", r.Folded)
		line("how", r.Strategy)
		for _, d := range r.Pushdown {
			by := strings.Join(d.By, ", ")
			if d.Why != "" {
				by = strings.TrimPrefix(by+"; "+d.Why, "; ")
			}
			line("decided by the store in "+d.Stage, by)
		}
	}
	for _, note := range p.Notes {
		line("note", note)
	}
	return b.String()
}

func quoted(texts []string) string {
	out := make([]string, len(texts))
	for i, text := range texts {
		out[i] = fmt.Sprintf("%q", text)
	}
	return strings.Join(out, ", ")
}
