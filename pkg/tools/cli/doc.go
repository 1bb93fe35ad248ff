// Package cli has what the terminal verbs share: flags, exit codes, tables, colours, times.
package cli
