package query

import (
	"cmp"
	"slices"
)

// cluster is signatures that were made one: of one level, with equally many tokens.
type cluster struct {
	signatureCounts signature // level and counts; it has no text
	level           string
	tokens          []string // "" = varies
}

const (
	// similarity is the share of tokens in which a signature must agree with a cluster to join it.
	similarity = 0.6
	// maxClusters bounds the clusters, and maxGroup those that one signature is compared with; beyond, a signature joins the nearest one,
	// or is not counted.
	maxClusters = 4000
	maxGroup    = 100
)

// clusterize joins signatures by a fixed-depth tree over their tokens, after Drain (He et al., ICWS 2017): signatures with equally many tokens
// and equal first words are compared, and one joins the cluster that it shares most tokens with.
func clusterize(list []*signature) []*cluster {
	groups := map[string][]*cluster{}
	var all []*cluster
	for _, sig := range list {
		parts := tokens(sig.text)
		key := groupKey(sig.level, parts)
		var best *cluster
		bestShare := -1.0
		for _, c := range groups[key] {
			if share := c.share(parts); share > bestShare {
				best, bestShare = c, share
			}
		}
		full := len(all) >= maxClusters || len(groups[key]) >= maxGroup
		switch {
		case best != nil && (bestShare >= similarity || full):
			best.join(parts)
		case len(all) >= maxClusters:
			continue
		default:
			best = &cluster{level: sig.level, tokens: parts, signatureCounts: signature{counts: map[int64]float64{}}}
			groups[key] = append(groups[key], best)
			all = append(all, best)
		}
		best.signatureCounts.absorb(sig)
	}
	return all
}

// groupKey is what signatures of one cluster have in common: level, number of tokens, and the first two words that do not vary.
func groupKey(level string, parts []string) string {
	key := appendSized(make([]byte, 0, 64), level)
	key = append(key, byte(len(parts)), byte(len(parts)>>8))
	words := 0
	for _, t := range parts {
		if t != "" && wordClass[t[0]] != 0 {
			key = append(append(key, 0), t...)
			if words++; words == 2 {
				break
			}
		}
	}
	return string(key)
}

func (c *cluster) share(parts []string) float64 {
	equal := 0
	for i, t := range parts {
		if c.tokens[i] == t {
			equal++
		}
	}
	if len(parts) == 0 {
		return 1
	}
	return float64(equal) / float64(len(parts))
}

func (c *cluster) join(parts []string) {
	for i, t := range parts {
		if c.tokens[i] != t {
			c.tokens[i] = ""
		}
	}
}

// signature is the text of a signature that has the cluster's tokens.
func (c *cluster) signature() []byte {
	var b []byte
	for _, t := range c.tokens {
		switch t {
		case "":
			b = append(b, 0, 1)
		case "\x00":
			b = append(b, 0, 0)
		default:
			b = append(b, t...)
		}
	}
	return b
}

// text is the pattern: variable tokens as <_>, neighbouring ones as a single one.
func (c *cluster) text() string {
	var b []byte
	variable := false
	for _, t := range c.tokens {
		if t == "" {
			if !variable {
				b = append(b, "<_>"...)
			}
			variable = true
			continue
		}
		b = append(b, t...)
		variable = false
	}
	return string(b)
}

// patterns gives the patterns of what was counted, most frequent first. Equal ones are one.
func (s *signatures) patterns() []Pattern {
	type key struct{ text, level string }
	type merged struct {
		key
		counts *signature
	}
	at := map[key]int{}
	var list []merged
	for _, c := range clusterize(s.list()) {
		k := key{c.text(), c.level}
		if i, known := at[k]; known {
			list[i].counts.absorb(&c.signatureCounts)
			continue
		}
		at[k] = len(list)
		list = append(list, merged{k, &c.signatureCounts})
	}
	slices.SortFunc(list, func(a, b merged) int {
		return cmp.Or(cmp.Compare(b.counts.total, a.counts.total), cmp.Compare(a.text, b.text), cmp.Compare(a.level, b.level))
	})
	out := make([]Pattern, 0, min(len(list), maxPatterns))
	for _, m := range list[:min(len(list), maxPatterns)] {
		p := Pattern{Pattern: m.text, Level: m.level}
		for b, n := range m.counts.counts {
			p.Points = append(p.Points, Point{b, n})
		}
		slices.SortFunc(p.Points, func(a, b Point) int { return compare(a.Timestamp, b.Timestamp) })
		out = append(out, p)
	}
	return out
}
