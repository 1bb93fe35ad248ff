package plugin

import (
	"regexp/syntax"

	"github.com/cambium-logs/cambium/pkg/logql"
)

// searchWords are the texts to highlight in the lines of a log query, each a regular expression as Grafana wants it: what `|=` looks for,
// and the patterns of `|~`.
func searchWords(expr logql.Expr) []string {
	log, ok := expr.(*logql.LogExpr)
	if !ok {
		return nil
	}
	var words []string
	for _, stage := range log.Stages {
		filter, ok := stage.(*logql.LineFilter)
		if !ok {
			continue
		}
		for _, operand := range filter.Operands {
			switch {
			case operand.IP || operand.Text == "":
			case filter.Op == logql.LineContains:
				words = append(words, quoteRegex(operand.Text))
			case filter.Op == logql.LineMatches:
				if _, err := syntax.Parse(operand.Text, syntax.Perl); err == nil {
					words = append(words, operand.Text)
				}
			}
		}
	}
	return words
}

// quoteRegex escapes what JavaScript's regular expressions give a meaning.
func quoteRegex(text string) string {
	const special = `\.+*?()|[]{}^$/-`
	var out []byte
	for i := range len(text) {
		for j := range len(special) {
			if text[i] == special[j] {
				out = append(out, '\\')
				break
			}
		}
		out = append(out, text[i])
	}
	return string(out)
}
