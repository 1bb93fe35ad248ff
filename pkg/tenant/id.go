// Package tenant holds what belongs to one tenant: its id and its limits.
package tenant

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Default is the tenant of every request where tenancy is switched off.
const Default = "fake"

// MaxIDLength is the longest tenant id, in bytes.
const MaxIDLength = 150

// ErrNoID is returned for a request that names no tenant where it must.
var ErrNoID = errors.New("no org id")

// ErrMultipleIDs is returned where several tenants are named and one is wanted.
var ErrMultipleIDs = errors.New("multiple org IDs present")

// ValidateID checks that id may be a part of a path and a key: 1 to 150 bytes of A-Z a-z 0-9 and !-_.*'() that are not "." or "..".
func ValidateID(id string) error {
	if id == "" {
		return ErrNoID
	}
	for i := range len(id) {
		if !idByte[id[i]] {
			return fmt.Errorf("tenant ID '%s' contains unsupported character '%c'", printable(id), rune(id[i]))
		}
	}
	if len(id) > MaxIDLength {
		return fmt.Errorf("tenant ID is too long: max %d characters", MaxIDLength)
	}
	if id == "." || id == ".." {
		return errors.New("tenant ID is '.' or '..'")
	}
	return nil
}

// printable bounds what an error message repeats of a bad id.
func printable(id string) string {
	const most = 2 * MaxIDLength
	if len(id) > most {
		return id[:most] + "…"
	}
	return id
}

var idByte = func() (set [256]bool) {
	for c := 'a'; c <= 'z'; c++ {
		set[c], set[c-'a'+'A'] = true, true
	}
	for c := '0'; c <= '9'; c++ {
		set[c] = true
	}
	for _, c := range "!-_.*'()" {
		set[c] = true
	}
	return set
}()

// ParseID reads the value of an X-Scope-OrgID header that must name exactly one tenant. Metadata behind a colon is cut off.
func ParseID(header string) (string, error) {
	ids, err := ParseIDs(header)
	if err != nil {
		return "", err
	}
	if len(ids) > 1 {
		return "", ErrMultipleIDs
	}
	return ids[0], nil
}

// ParseIDs reads the value of an X-Scope-OrgID header that may name several tenants, separated by "|". The result is valid, sorted and distinct.
func ParseIDs(header string) ([]string, error) {
	if header == "" {
		return nil, ErrNoID
	}
	var ids []string
	for part := range strings.SplitSeq(header, "|") {
		id, _, _ := strings.Cut(part, ":")
		if err := ValidateID(id); err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return slices.Compact(ids), nil
}
