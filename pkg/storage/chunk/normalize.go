package chunk

import (
	"bytes"
	"slices"
	"sort"

	"github.com/cespare/xxhash/v2"
	"github.com/prometheus/prometheus/model/labels"
)

// pairwiseRun is the length up to which a run of equal timestamps is searched for duplicates by comparing all pairs.
const pairwiseRun = 12

// Normalize sorts entries by timestamp, keeps the order of equal timestamps, and drops every entry that equals an earlier one
// in timestamp, line and metadata. It works in place and returns the shortened slice.
func Normalize(entries []Entry) []Entry {
	if !sort.SliceIsSorted(entries, func(i, j int) bool { return entries[i].Timestamp < entries[j].Timestamp }) {
		slices.SortStableFunc(entries, func(a, b Entry) int {
			switch {
			case a.Timestamp < b.Timestamp:
				return -1
			case a.Timestamp > b.Timestamp:
				return 1
			}
			return 0
		})
	}
	out := 0
	for start := 0; start < len(entries); {
		end := start + 1
		for end < len(entries) && entries[end].Timestamp == entries[start].Timestamp {
			end++
		}
		out = appendDistinct(entries, out, start, end)
		start = end
	}
	clear(entries[out:])
	return entries[:out]
}

// appendDistinct moves the distinct entries of entries[start:end], which share a timestamp, to entries[out:] and returns the new end.
func appendDistinct(entries []Entry, out, start, end int) int {
	first := out
	if end-start <= pairwiseRun {
		for i := start; i < end; i++ {
			if !containsEqual(entries[first:out], &entries[i]) {
				entries[out] = entries[i]
				out++
			}
		}
		return out
	}
	// Positions of kept entries by hash; equal hashes chain through next.
	seen := make(map[uint64]int, end-start)
	next := make([]int, 0, end-start)
	for i := start; i < end; i++ {
		h := entries[i].hash()
		at, ok := seen[h]
		duplicate := false
		for k := at; ok && k >= 0; k = next[k] {
			if entries[first+k].sameContent(&entries[i]) {
				duplicate = true
				break
			}
		}
		if duplicate {
			continue
		}
		if !ok {
			at = -1
		}
		seen[h] = out - first
		next = append(next, at)
		entries[out] = entries[i]
		out++
	}
	return out
}

func containsEqual(entries []Entry, e *Entry) bool {
	for i := range entries {
		if entries[i].sameContent(e) {
			return true
		}
	}
	return false
}

// sameContent reports whether line and metadata are equal; the caller knows that the timestamps are.
func (e *Entry) sameContent(o *Entry) bool {
	return bytes.Equal(e.Line, o.Line) && slices.Equal(e.Metadata, o.Metadata)
}

// Equal reports whether both are the same entry.
func (e *Entry) Equal(o *Entry) bool {
	return e.Timestamp == o.Timestamp && e.sameContent(o)
}

func (e *Entry) hash() uint64 {
	h := xxhash.Sum64(e.Line)
	for _, l := range e.Metadata {
		h = h*31 + xxhash.Sum64String(l.Name)
		h = h*31 + xxhash.Sum64String(l.Value)
	}
	return h
}

// ReadAll appends all rows of r to dst as entries that own their bytes.
func ReadAll(dst []Entry, r Reader) []Entry {
	var line []byte
	var md []labels.Label
	for row := range r.Len() {
		line = r.Line(row, line)
		md = r.Metadata(row, md)
		e := Entry{Timestamp: r.Timestamp(row), Line: bytes.Clone(line)}
		if len(md) > 0 {
			e.Metadata = slices.Clone(md)
		}
		dst = append(dst, e)
	}
	return dst
}
