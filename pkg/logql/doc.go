// Package logql is the language: lexer, parser, syntax tree and printer.
//
// Parse turns a text into a tree or into a *ParseError whose position lies inside the text.
// Printing a tree and parsing it again gives an equal tree. The package knows nothing of storage or execution;
// package pipeline, below it, runs the stages.
package logql
