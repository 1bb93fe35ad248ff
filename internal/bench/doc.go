// Command bench measures what `go tool mage bench` prints: pushing, building segments, scanning, stored size and memory, each beside a
// floor of the same run, so that a number means something on any machine.
package main
