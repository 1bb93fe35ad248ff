package query

import (
	"cmp"
	"context"
	"slices"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/cambium-logs/cambium/pkg/storage"
)

// PatternParams asks for the patterns of a selection's lines.
type PatternParams struct {
	Selection
	Step int64 // width of the buckets that are counted, > 0
}

// Pattern is a shape of lines, with "<_>" for what varies, and how many lines had it per bucket.
type Pattern struct {
	Pattern string
	Level   string
	Points  []Point // Timestamp is the start of the bucket, a multiple of Step; Value a count
}

const (
	// patternRows is how many rows are looked at; of a larger selection every k-th row is, and counts k times.
	patternRows = 100_000
	// maxPatterns is how many patterns an answer holds.
	maxPatterns = 300
	levelLabel  = "detected_level"
)

// Patterns clusters the lines of a selection, most frequent patterns first.
func (e *Engine) Patterns(ctx context.Context, p PatternParams) ([]Pattern, error) {
	if p.Step <= 0 {
		return nil, badRequest("zero or negative query resolution step widths are not accepted. Try a positive integer")
	}
	miner := newPatternMiner(p.Step)
	err := e.with(ctx, p.Selection, func(ctx context.Context, s Selection, snap storage.Snapshot) error {
		streams, err := snap.Select(ctx, s.Start, s.End, s.Matchers...)
		if err != nil {
			return err
		}
		var runs []run
		rows := 0
		for i, st := range streams {
			for _, r := range streamRuns(i, st) {
				rows += r.rows
				runs = append(runs, r)
			}
		}
		stride := rows/patternRows + 1
		miner.weight = float64(stride)
		counts := &counters{}
		n := 0
		for i := range runs {
			cur := newCursor(ctx, &runs[i], s.Start, s.End, false, nil, counts, nil)
			level := runs[i].labels.Get(levelLabel)
			for cur.next() {
				if n++; n%stride == 0 {
					miner.add(cur.ts, cur.line(), lineLevel(level, cur.metadata()))
				}
			}
			if err := cur.close(); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return miner.patterns(), nil
}

func lineLevel(level string, metadata []labels.Label) string {
	if level != "" {
		return level
	}
	for _, l := range metadata {
		if l.Name == levelLabel {
			return l.Value
		}
	}
	return ""
}

// patternMiner clusters lines by a fixed-depth tree over their tokens, after Drain (He et al., ICWS 2017): lines with equally many tokens and
// equal first tokens are compared, and a line joins the cluster that it shares most tokens with.
type patternMiner struct {
	step     int64
	weight   float64
	groups   map[string][]*cluster
	clusters []*cluster
	tokens   []string
}

type cluster struct {
	level  string
	tokens []string // "" = varies
	counts map[int64]float64
	total  float64
}

const (
	// similarity is the share of tokens in which a line must agree with a cluster.
	similarity = 0.6
	// maxPatternTokens is how many tokens of a line are compared.
	maxPatternTokens = 120
	// maxClusters bounds the clusters of a miner; further lines join the nearest cluster of their group, or are not counted.
	maxClusters = 4000
)

func newPatternMiner(step int64) *patternMiner {
	return &patternMiner{step: step, weight: 1, groups: map[string][]*cluster{}}
}

func (m *patternMiner) add(ts int64, line []byte, level string) {
	m.tokens = tokenize(m.tokens[:0], line)
	key := m.groupKey(level)
	var best *cluster
	bestShare := -1.0
	for _, c := range m.groups[key] {
		if share := c.share(m.tokens); share > bestShare {
			best, bestShare = c, share
		}
	}
	if best == nil || bestShare < similarity && len(m.clusters) < maxClusters {
		if len(m.clusters) >= maxClusters {
			return
		}
		best = &cluster{level: level, tokens: slices.Clone(m.tokens), counts: map[int64]float64{}}
		m.groups[key] = append(m.groups[key], best)
		m.clusters = append(m.clusters, best)
	} else {
		best.join(m.tokens)
	}
	best.counts[floorTo(ts, m.step)] += m.weight
	best.total += m.weight
}

// groupKey is what lines of one cluster have in common: level, number of tokens, and the first two words that do not vary.
func (m *patternMiner) groupKey(level string) string {
	key := append(make([]byte, 0, 64), level...)
	key = append(key, 0, byte(len(m.tokens)), byte(len(m.tokens)>>8))
	words := 0
	for _, t := range m.tokens {
		if t != "" && isWordByte(t[0]) {
			key = append(append(key, 0), t...)
			if words++; words == 2 {
				break
			}
		}
	}
	return string(key)
}

func (c *cluster) share(tokens []string) float64 {
	equal := 0
	for i, t := range tokens {
		if c.tokens[i] == t {
			equal++
		}
	}
	if len(tokens) == 0 {
		return 1
	}
	return float64(equal) / float64(len(tokens))
}

func (c *cluster) join(tokens []string) {
	for i, t := range tokens {
		if c.tokens[i] != t {
			c.tokens[i] = ""
		}
	}
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

func (m *patternMiner) patterns() []Pattern {
	type key struct{ text, level string }
	merged := map[key]*cluster{}
	var list []*cluster
	texts := map[*cluster]string{}
	for _, c := range m.clusters {
		k := key{c.text(), c.level}
		if first := merged[k]; first != nil {
			for b, n := range c.counts {
				first.counts[b] += n
			}
			first.total += c.total
			continue
		}
		merged[k] = c
		texts[c] = k.text
		list = append(list, c)
	}
	slices.SortStableFunc(list, func(a, b *cluster) int {
		return cmp.Or(cmp.Compare(b.total, a.total), cmp.Compare(texts[a], texts[b]))
	})
	out := make([]Pattern, 0, min(len(list), maxPatterns))
	for _, c := range list[:min(len(list), maxPatterns)] {
		p := Pattern{Pattern: texts[c], Level: c.level}
		for b, n := range c.counts {
			p.Points = append(p.Points, Point{b, n})
		}
		slices.SortFunc(p.Points, func(a, b Point) int { return compare(a.Timestamp, b.Timestamp) })
		out = append(out, p)
	}
	return out
}

// tokenize cuts a line into words and single bytes between them. A word that holds a digit varies, and so does what follows maxPatternTokens.
func tokenize(tokens []string, line []byte) []string {
	for i := 0; i < len(line); {
		if len(tokens) == maxPatternTokens {
			return append(tokens, "")
		}
		if !isWordByte(line[i]) {
			tokens = append(tokens, string(line[i:i+1]))
			i++
			continue
		}
		start, digit := i, false
		for i < len(line) && isWordByte(line[i]) {
			digit = digit || line[i] >= '0' && line[i] <= '9'
			i++
		}
		if digit {
			tokens = append(tokens, "")
		} else {
			tokens = append(tokens, string(line[start:i]))
		}
	}
	return tokens
}

// isWordByte: letters, digits, what joins them in numbers, paths and identifiers, and everything beyond ASCII.
func isWordByte(c byte) bool {
	switch {
	case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c >= 0x80:
		return true
	}
	return c == '_' || c == '-' || c == '.' || c == '/' || c == '@' || c == '%' || c == '+'
}
