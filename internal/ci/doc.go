// Package ci is what the targets of Magefile.go do: build, run, test, measure. Every target starts in the root of the repository and
// uses only the Go and Node tool chains; what else it needs it installs or asks for.
package ci
