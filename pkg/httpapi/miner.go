package httpapi

import (
	"cmp"
	"maps"
	"slices"
	"strings"
)

// variable stands in a pattern for what differs between lines.
const variable = "<_>"

const (
	maxClusters    = 300 // of one token count and level
	maxTokens      = 100 // of a line; the rest is one variable
	similarPercent = 60  // of tokens that must be equal for a line to belong to a cluster
)

// miner groups lines that differ only in some of their tokens.
type miner struct {
	step     int64 // of the counts, in nanoseconds
	clusters map[clusterKey][]*cluster
}

type clusterKey struct {
	level  string
	tokens int
}

// cluster is lines of one shape.
type cluster struct {
	level   string
	tokens  []string
	count   int
	buckets map[int64]int // number of the step → lines
}

func newMiner(step int64) *miner {
	return &miner{step: step, clusters: map[clusterKey][]*cluster{}}
}

// add counts a line.
func (m *miner) add(ts int64, line, level string) {
	tokens := tokenize(line)
	key := clusterKey{level, len(tokens)}
	found := nearestCluster(m.clusters[key], tokens)
	if found == nil {
		if len(m.clusters[key]) >= maxClusters {
			return
		}
		found = &cluster{level: level, tokens: tokens, buckets: map[int64]int{}}
		m.clusters[key] = append(m.clusters[key], found)
	}
	for i, t := range tokens {
		if found.tokens[i] != t {
			found.tokens[i] = variable
		}
	}
	found.count++
	bucket := ts / m.step
	if ts%m.step < 0 {
		bucket--
	}
	found.buckets[bucket]++
}

// nearestCluster is the cluster that shares most tokens, if they are enough.
func nearestCluster(clusters []*cluster, tokens []string) *cluster {
	var best *cluster
	most := -1
	for _, c := range clusters {
		equal := 0
		for i, t := range tokens {
			if c.tokens[i] == t || c.tokens[i] == variable {
				equal++
			}
		}
		if equal > most && equal*100 >= similarPercent*len(tokens) {
			best, most = c, equal
		}
	}
	return best
}

// tokenize splits a line at blanks. A token with a digit is variable, behind "=" or ":" only the rest of it.
func tokenize(line string) []string {
	fields := strings.Fields(line)
	if len(fields) > maxTokens {
		fields = append(fields[:maxTokens], variable)
	}
	for i, f := range fields {
		digit := strings.IndexAny(f, "0123456789")
		if digit < 0 {
			continue
		}
		if at := strings.LastIndexAny(f[:digit], "=:"); at >= 0 {
			fields[i] = f[:at+1] + variable
		} else {
			fields[i] = variable
		}
	}
	return fields
}

func (c *cluster) text() string { return strings.Join(c.tokens, " ") }

func (c *cluster) sortedBuckets() []int64 { return slices.Sorted(maps.Keys(c.buckets)) }

// sorted gives the clusters, the most frequent first.
func (m *miner) sorted() []*cluster {
	var all []*cluster
	for _, list := range m.clusters {
		all = append(all, list...)
	}
	slices.SortFunc(all, func(a, b *cluster) int {
		if c := cmp.Compare(b.count, a.count); c != 0 {
			return c
		}
		if c := cmp.Compare(a.text(), b.text()); c != 0 {
			return c
		}
		return cmp.Compare(a.level, b.level)
	})
	return all
}
