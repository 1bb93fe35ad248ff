// Package logql is the language: lexer, parser, syntax tree and printer.
//
// Parse turns a text into a tree or into a *ParseError whose position lies inside the text. Its messages are those of
// Loki: the position of the offending token, what it is, and what was expected where that is little.
//
//	parse error at line 1, col 11: syntax error: unexpected $end, expecting } or ,
//
// The canonical text that a tree's String method gives, and the layout of Format, parse to an equal tree. They lose
// nothing: a byte quantity is rounded as Loki prints it only where the rounded form has the same value, and a folded
// literal that is not a number is written as an operation that gives it.
//
// Stages are parsed here but built elsewhere: whether a template, a json path, an ip pattern or the regex of a line
// filter is right is found out by package pipeline, below this one. Regexes of selectors, label filters, drop, keep and
// label_replace are compiled here. The package knows nothing of storage or execution.
//
// ParseOptions.Extensions adds PromQL's functions and its aggregations quantile, group and count_values, atan2, signs in
// front of any expression, "@", and subqueries. That grammar is tried only on texts that are not LogQL, so it cannot
// change what a LogQL query means.
package logql
