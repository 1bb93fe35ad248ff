package compact

import (
	"cmp"
	"slices"
	"time"

	"github.com/cambium-logs/cambium/pkg/storage/segment"
)

const (
	// tierBase is the size under which all segments are of one tier; each further tier is tierFactor times larger.
	tierBase   = 256 << 10
	tierFactor = 4
	// maxSources bounds how many segments are open at a time.
	maxSources = 256
	// maxIndexMemory and maxFilterBytes bound what the sources of one merge hold in memory together.
	maxIndexMemory = 64 << 20
	maxFilterBytes = 32 << 20
	// unbalanced is how many times larger than all others together a segment may be to be merged when a day is settled.
	unbalanced = 4
)

// candidate is a segment that may be merged.
type candidate struct {
	name    segment.Name
	size    int64 // of the object
	memory  int64 // of its reader
	filters int64 // bytes of its section of filters
	rewrite bool  // it has to be, even alone
}

// pick chooses the segments to merge next, in the order of their ids; nil = nothing is to be done. Settled says that nothing was written to the day for a while.
func pick(all []candidate, settled bool, opts *Options) []candidate {
	slices.SortFunc(all, func(a, b candidate) int { return a.name.ID.Compare(b.name.ID) })
	var small []candidate
	tiers := map[int][]candidate{}
	for _, c := range all {
		if c.size <= opts.MaxSegmentBytes/2 {
			small = append(small, c)
			t := tier(c.size)
			tiers[t] = append(tiers[t], c)
		}
	}
	for t := 0; len(tiers) > 0; t++ {
		if len(tiers[t]) >= opts.MinSources {
			if job := fit(tiers[t], opts); len(job) >= opts.MinSources {
				return job
			}
		}
		delete(tiers, t)
	}
	for _, c := range all {
		if c.rewrite {
			return []candidate{c}
		}
	}
	if !settled {
		return nil
	}
	slices.SortFunc(small, func(a, b candidate) int { return cmp.Compare(a.size, b.size) })
	for len(small) > 1 {
		last := len(small) - 1
		var others int64
		for _, c := range small[:last] {
			others += c.size
		}
		if small[last].size <= unbalanced*others {
			break
		}
		small = small[:last]
	}
	if job := fit(small, opts); len(job) > 1 {
		return job
	}
	return nil
}

func tier(size int64) int {
	t := 0
	for ; size > tierBase; size /= tierFactor {
		t++
	}
	return t
}

// fit gives as many of the candidates, from the first on, as may be merged at once.
func fit(in []candidate, opts *Options) []candidate {
	var size, memory, filters int64
	for i, c := range in {
		size, memory, filters = size+c.size, memory+c.memory, filters+c.filters
		if i > 0 && (size > opts.MaxSegmentBytes || memory > maxIndexMemory || filters > maxFilterBytes) || i == maxSources {
			return in[:i]
		}
	}
	return in
}

// settled reports that the day is over and nothing was written to it for a while.
func settled(names []segment.Name, day segment.Day, now time.Time, settle time.Duration) bool {
	if now.Add(-settle).UnixNano() <= day.End() {
		return false
	}
	for _, n := range names {
		// What compaction wrote does not count, or one merge would put off the next.
		if n.Level < segment.LevelMerged && now.Sub(n.ID.Timestamp()) < settle {
			return false
		}
	}
	return true
}
