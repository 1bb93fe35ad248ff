// Package logqltest makes random queries for tests and compares trees.
//
// Every tree it makes is valid: its canonical text parses to an equal tree, and its stages can be built and run.
package logqltest
