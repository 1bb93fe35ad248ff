package query

import (
	"cmp"
	"context"
	"slices"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/cambium-logs/cambium/pkg/storage"
)

// VolumeParams asks for the bytes of a selection by labels.
type VolumeParams struct {
	Selection
	TargetLabels []string // names to group by; none = the names of the = and =~ matchers, or all labels when there are no matchers
	ByLabels     bool     // one element per label name instead of one per combination of values
	Limit        int      // elements; 0 = 100
	Step         int64    // VolumeRange only, > 0
}

// DefaultVolumeLimit is how many elements a volume answer has when no limit is given.
const DefaultVolumeLimit = 100

// Volume gives the uncompressed bytes of the selection per combination of target labels, largest first, each stamped with the end of the range.
func (e *Engine) Volume(ctx context.Context, p VolumeParams) (*Result, error) {
	p.Step = 0
	series, stats, err := e.volume(ctx, p)
	if err != nil {
		return nil, err
	}
	r := &Result{Type: ResultVector, Stats: stats}
	for _, s := range series {
		r.Vector = append(r.Vector, Sample{Labels: s.Labels, Point: Point{p.End, s.Points[0].Value}})
	}
	r.Stats.Entries = int64(len(r.Vector))
	return r, nil
}

// VolumeRange gives the bytes per bucket of Step: buckets end one millisecond before a multiple of Step, the last one with the range.
func (e *Engine) VolumeRange(ctx context.Context, p VolumeParams) (*Result, error) {
	if p.Step <= 0 {
		return nil, badRequest("zero or negative query resolution step widths are not accepted. Try a positive integer")
	}
	if Span(p.Start, p.End)/p.Step > MaxPoints {
		return nil, badRequest("exceeded maximum resolution of 11,000 points per time series. Try increasing the value of the step parameter")
	}
	series, stats, err := e.volume(ctx, p)
	if err != nil {
		return nil, err
	}
	r := &Result{Type: ResultMatrix, Matrix: series, Stats: stats}
	r.Stats.Entries = int64(len(series))
	return r, nil
}

type volumeSeries struct {
	labels labels.Labels
	total  float64
	bucket map[int64]float64 // bucket number → bytes
}

func (e *Engine) volume(ctx context.Context, p VolumeParams) ([]Series, Stats, error) {
	if p.Limit < 0 {
		return nil, Stats{}, badRequest("limit must be a positive value")
	}
	groups := map[string]*volumeSeries{}
	counts := &counters{}
	err := e.with(ctx, p.Selection, func(ctx context.Context, s Selection, snap storage.Snapshot) error {
		streams, err := snap.Select(ctx, s.Start, s.End, s.Matchers...)
		if err != nil {
			return err
		}
		names := p.targets()
		for _, st := range streams {
			counts.streams.Add(1)
			for _, ls := range p.groupsOf(st.Labels, names) {
				key := ls.String()
				g := groups[key]
				if g == nil {
					if p.Limits.VolumeMaxSeries > 0 && len(groups) >= p.Limits.VolumeMaxSeries {
						return badRequest("the query hit the max number of series limit (limit: %d series)", p.Limits.VolumeMaxSeries)
					}
					g = &volumeSeries{labels: ls, bucket: map[int64]float64{}}
					groups[key] = g
				}
				for _, c := range st.Chunks {
					g.addChunk(c, s.Start, s.End, p.Step)
				}
			}
			counts.chunksTotal.Add(int64(len(st.Chunks)))
		}
		return nil
	})
	if err != nil {
		return nil, Stats{}, err
	}
	return p.top(groups), counts.stats(), nil
}

// targets are the names to group by; nil = all.
func (p *VolumeParams) targets() []string {
	if len(p.TargetLabels) > 0 {
		return p.TargetLabels
	}
	var names []string
	for _, m := range p.Matchers {
		if m.Type == labels.MatchEqual || m.Type == labels.MatchRegexp {
			names = append(names, m.Name)
		}
	}
	return names
}

// groupsOf gives the label sets that a stream's bytes count for: one per combination of the target labels, none when one is missing; by
// labels, one per name.
func (p *VolumeParams) groupsOf(ls labels.Labels, names []string) []labels.Labels {
	if p.ByLabels {
		var out []labels.Labels
		ls.Range(func(l labels.Label) {
			if len(p.TargetLabels) == 0 || slices.Contains(p.TargetLabels, l.Name) {
				out = append(out, labels.New(labels.Label{Name: l.Name}))
			}
		})
		return out
	}
	if names == nil {
		return []labels.Labels{ls}
	}
	b := labels.NewBuilder(labels.EmptyLabels())
	for _, n := range names {
		v := ls.Get(n)
		if v == "" {
			return nil
		}
		b.Set(n, v)
	}
	return []labels.Labels{b.Labels()}
}

// addChunk adds the share of a chunk's bytes that lies in the range, spread evenly over the buckets that the chunk reaches into.
func (g *volumeSeries) addChunk(c storage.Chunk, from, to, step int64) {
	m := c.Meta()
	lo, hi := max(m.MinT, from), min(m.MaxT, to)
	if hi < lo {
		return
	}
	if step == 0 {
		v := float64(m.RawBytes) * overlap(m.MinT, m.MaxT, lo, hi)
		g.total += v
		g.bucket[0] += v
		return
	}
	for b := floorTo(lo, step); b <= hi; b += step {
		v := float64(m.RawBytes) * overlap(m.MinT, m.MaxT, max(lo, b), min(hi, b+step-1))
		g.total += v
		g.bucket[b] += v
	}
}

// top picks the largest groups and gives their points.
func (p *VolumeParams) top(groups map[string]*volumeSeries) []Series {
	list := make([]*volumeSeries, 0, len(groups))
	for _, g := range groups {
		list = append(list, g)
	}
	slices.SortFunc(list, func(a, b *volumeSeries) int {
		if c := cmp.Compare(b.total, a.total); c != 0 {
			return c
		}
		return labels.Compare(a.labels, b.labels)
	})
	limit := p.Limit
	if limit == 0 {
		limit = DefaultVolumeLimit
	}
	if most := p.Limits.VolumeMaxSeries; most > 0 {
		limit = min(limit, most)
	}
	out := make([]Series, 0, min(limit, len(list)))
	for _, g := range list[:min(limit, len(list))] {
		s := Series{Labels: g.labels}
		for b, v := range g.bucket {
			end := p.End
			if p.Step > 0 {
				end = min(b+p.Step-1e6, p.End)
			}
			if v = float64(int64(v + 0.5)); v > 0 || p.Step == 0 {
				s.Points = append(s.Points, Point{end, v})
			}
		}
		slices.SortFunc(s.Points, func(a, b Point) int { return compare(a.Timestamp, b.Timestamp) })
		out = append(out, s)
	}
	return out
}
