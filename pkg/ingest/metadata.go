package ingest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/prometheus/prometheus/model/labels"
)

var errEmptyName = errors.New("label name is empty")

// normalizeName makes a name of structured metadata a label name: every character outside [A-Za-z0-9_] becomes "_", runs of "_" become
// one, a leading digit gets "key_" in front. Names of the form __x__ stay. A name of which only "_" is left is an error.
func normalizeName(name string) (string, error) {
	if name == "" {
		return "", errEmptyName
	}
	if isPlainName(name) {
		return name, nil
	}
	if len(name) > 4 && strings.HasPrefix(name, "__") && strings.HasSuffix(name, "__") && onlyNameBytes(name) {
		return name, nil
	}
	out := make([]byte, 0, len(name)+len("key_"))
	if name[0] >= '0' && name[0] <= '9' {
		out = append(out, "key_"...)
	}
	for _, r := range name {
		c := byte('_')
		if r < utf8.RuneSelf && nameByte[r] {
			c = byte(r)
		}
		if c == '_' && len(out) > 0 && out[len(out)-1] == '_' {
			continue
		}
		out = append(out, c)
	}
	if string(out) == "_" {
		return "", fmt.Errorf("normalization for label name %q resulted in invalid name %q", name, "_")
	}
	return string(out), nil
}

// isPlainName reports whether normalizeName leaves name as it is, without __x__ names.
func isPlainName(name string) bool {
	previous := byte(0)
	for i := range len(name) {
		c := name[i]
		if !nameByte[c] || (c == '_' && previous == '_') {
			return false
		}
		previous = c
	}
	return (name[0] < '0' || name[0] > '9') && name != "_"
}

func onlyNameBytes(name string) bool {
	for i := range len(name) {
		if !nameByte[name[i]] {
			return false
		}
	}
	return true
}

var nameByte = func() (set [256]bool) {
	for c := 'a'; c <= 'z'; c++ {
		set[c], set[c-'a'+'A'] = true, true
	}
	for c := '0'; c <= '9'; c++ {
		set[c] = true
	}
	set['_'] = true
	return set
}()

// normalizeMetadata makes pairs what is stored: names normalised, pairs without value removed, sorted by name, of equal names the last.
// It works in place. The error names the first name that cannot be used.
func normalizeMetadata(pairs []labels.Label) ([]labels.Label, error) {
	kept := pairs[:0]
	sorted := true
	for _, p := range pairs {
		name, err := normalizeName(p.Name)
		if err != nil {
			return nil, err
		}
		if p.Value == "" {
			continue
		}
		p.Name, p.Value = name, validText(p.Value)
		if len(kept) > 0 && kept[len(kept)-1].Name >= name {
			sorted = false
		}
		kept = append(kept, p)
	}
	if sorted {
		return kept, nil
	}
	slices.SortStableFunc(kept, func(a, b labels.Label) int { return strings.Compare(a.Name, b.Name) })
	distinct := kept[:0]
	for i, p := range kept {
		if i+1 < len(kept) && kept[i+1].Name == p.Name {
			continue
		}
		distinct = append(distinct, p)
	}
	return distinct, nil
}

// validText replaces each byte that is not UTF-8 by a blank.
func validText(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && size == 1 {
			out = append(out, ' ')
		} else {
			out = append(out, s[i:i+size]...)
		}
		i += size
	}
	return string(out)
}
