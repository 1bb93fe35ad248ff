package database

import (
	"context"
	"slices"
	"strings"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/cambium-logs/cambium/pkg/query"
	"github.com/cambium-logs/cambium/pkg/storage"
)

const (
	// tenantLabel tells the tenants of a multi-tenant read apart.
	tenantLabel = "__tenant_id__"
	// originalTenantLabel is what a stored label of that name is called then.
	originalTenantLabel = "original___tenant_id__"
)

// federation reads several tenants as one: a tenant "a|b" is the union of a and b, whose streams carry the label __tenant_id__.
type federation struct{ query.Source }

// Snapshot implements query.Source.
func (f federation) Snapshot(ctx context.Context, tenants string, mint, maxt int64) (storage.Snapshot, error) {
	ids := strings.Split(tenants, "|")
	if len(ids) == 1 {
		return f.Source.Snapshot(ctx, tenants, mint, maxt)
	}
	union := &union{}
	for _, id := range ids {
		snap, err := f.Source.Snapshot(ctx, id, mint, maxt)
		if err != nil {
			union.Close()
			return nil, err
		}
		union.members = append(union.members, member{id, snap})
	}
	return union, nil
}

type member struct {
	id   string
	snap storage.Snapshot
}

// union is the snapshots of several tenants.
type union struct{ members []member }

// choose splits matchers: those on the tenant pick members, the others are for the members' own streams.
func (u *union) choose(matchers []*labels.Matcher) (chosen []member, own []*labels.Matcher, err error) {
	chosen = slices.Clone(u.members)
	for _, m := range matchers {
		switch m.Name {
		case tenantLabel:
			chosen = slices.DeleteFunc(chosen, func(one member) bool { return !m.Matches(one.id) })
		case originalTenantLabel:
			renamed, err := labels.NewMatcher(m.Type, tenantLabel, m.Value)
			if err != nil {
				return nil, nil, err
			}
			own = append(own, renamed)
		default:
			own = append(own, m)
		}
	}
	return chosen, own, nil
}

// Select implements storage.Snapshot.
func (u *union) Select(ctx context.Context, mint, maxt int64, matchers ...*labels.Matcher) ([]storage.Stream, error) {
	chosen, own, err := u.choose(matchers)
	if err != nil {
		return nil, err
	}
	var all []storage.Stream
	for _, one := range chosen {
		streams, err := one.snap.Select(ctx, mint, maxt, own...)
		if err != nil {
			return nil, err
		}
		for _, s := range streams {
			b := labels.NewBuilder(s.Labels)
			if original := s.Labels.Get(tenantLabel); original != "" {
				b.Set(originalTenantLabel, original)
			}
			all = append(all, storage.Stream{Labels: b.Set(tenantLabel, one.id).Labels(), Chunks: s.Chunks})
		}
	}
	slices.SortFunc(all, func(a, b storage.Stream) int { return labels.Compare(a.Labels, b.Labels) })
	return all, nil
}

// LabelNames implements storage.Snapshot.
func (u *union) LabelNames(ctx context.Context, mint, maxt int64, matchers ...*labels.Matcher) ([]string, error) {
	return u.collect(matchers, func(one member, own []*labels.Matcher) ([]string, error) {
		names, err := one.snap.LabelNames(ctx, mint, maxt, own...)
		if len(names) == 0 || err != nil {
			return nil, err
		}
		out := slices.Clone(names)
		if slices.Contains(out, tenantLabel) {
			out = append(out, originalTenantLabel)
		}
		return append(out, tenantLabel), nil
	})
}

// LabelValues implements storage.Snapshot.
func (u *union) LabelValues(ctx context.Context, name string, mint, maxt int64, matchers ...*labels.Matcher) ([]string, error) {
	return u.collect(matchers, func(one member, own []*labels.Matcher) ([]string, error) {
		switch name {
		case originalTenantLabel:
			return one.snap.LabelValues(ctx, tenantLabel, mint, maxt, own...)
		case tenantLabel:
			names, err := one.snap.LabelNames(ctx, mint, maxt, own...)
			if len(names) == 0 || err != nil {
				return nil, err
			}
			return []string{one.id}, nil
		}
		return one.snap.LabelValues(ctx, name, mint, maxt, own...)
	})
}

func (u *union) collect(matchers []*labels.Matcher, get func(one member, own []*labels.Matcher) ([]string, error)) ([]string, error) {
	chosen, own, err := u.choose(matchers)
	if err != nil {
		return nil, err
	}
	var all []string
	for _, one := range chosen {
		some, err := get(one, own)
		if err != nil {
			return nil, err
		}
		all = append(all, some...)
	}
	slices.Sort(all)
	return slices.Compact(all), nil
}

// Close implements storage.Snapshot.
func (u *union) Close() {
	for _, one := range u.members {
		one.snap.Close()
	}
}
