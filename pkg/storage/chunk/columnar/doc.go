// Package columnar stores a list of byte strings as templates and typed columns, and gives them back byte by byte.
//
// A value such as a log line is cut into literals and variables by the grammar that it follows: JSON object, logfmt, or plain text by
// character class. Values with equal literals share a template, and each variable of a template is a column of its own, stored by what it
// holds: one constant, decimal or hex numbers, numbers with decimals, times of day, a dictionary, the text of an earlier variable, again
// templates, or raw bytes. Templates with few rows share pools of variables instead. Whatever the values are, decoding gives them back
// exactly: a column is chosen only when every one of its values can be printed back from it.
//
// docs/format/chunk-columnar.md has the bytes.
package columnar
