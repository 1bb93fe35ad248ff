package pipeline

import "strings"

// needs says which labels are read after a parser. The zero value says that all of them are.
type needs struct {
	known bool
	names map[string]struct{}
	// total is how many extracted labels satisfy everybody; it is never reached when the pipeline's errors are read too.
	total int
	// drop names the labels that do not belong to a sample's series.
	drop map[string]struct{}
}

func (n *needs) wants(name string) bool {
	if !n.known {
		return true
	}
	_, ok := n.names[name]
	return ok
}

// wantsWithin reports whether a nested object whose name is prefix may hold a wanted label.
func (n *needs) wantsWithin(prefix string) bool {
	if !n.known {
		return true
	}
	for name := range n.names {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}

func (n *needs) excludes(name string) bool {
	_, ok := n.drop[name]
	return ok
}

// empty reports that no label is read at all.
func (n *needs) empty() bool { return n.known && len(n.names) == 0 }

// newNeeds makes the needs of a pipeline whose labels are read by name.
func newNeeds(names map[string]struct{}) *needs {
	n := &needs{known: true, names: names, total: len(names)}
	if n.wants(ErrorLabel) || n.wants(ErrorDetailsLabel) {
		n.total = int(^uint(0) >> 1)
	}
	return n
}
