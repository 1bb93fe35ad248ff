package engine

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/cambium-logs/cambium/pkg/storage/catalog"
	"github.com/cambium-logs/cambium/pkg/storage/chunk"
	"github.com/cambium-logs/cambium/pkg/storage/segment"
)

// follower gives a subscription what other processes on the bucket accept: it looks for their segments of level 0 and reads the new ones.
//
// A segment is the past when it was listed before the snapshot that the subscription begins with was taken, or when the snapshot holds it,
// itself or in a compacted segment. All others are new, whatever has become of them meanwhile: what compaction replaces stays in the bucket
// for longer than a follower may be late.
type follower struct {
	engine *Engine
	tenant string
	sub    *Subscription

	days map[segment.Day]map[ulid.ULID]struct{} // the segments of each day that are past or were given
	turn int

	cancel context.CancelFunc
	done   chan struct{}
}

const (
	// followEvery is how often a follower looks. The catalog lists a day once a second at most, for all who follow.
	followEvery = 500 * time.Millisecond
	// followOften is how many days around today are looked at every time; the others, as far back as followDays, every followRarely-th time.
	followOften  = 1
	followDays   = 8
	followRarely = 10
	// forgetAfter is how long an id is remembered that listings do not show any more.
	forgetAfter = time.Hour
)

// newFollower lists what is past. The snapshot is taken between this call and start.
func (e *Engine) newFollower(ctx context.Context, tenant string) (*follower, error) {
	f := &follower{engine: e, tenant: tenant, days: map[segment.Day]map[ulid.ULID]struct{}{}, done: make(chan struct{})}
	days, err := e.catalog.Days(ctx, tenant)
	if err != nil {
		return nil, fmt.Errorf("follow tenant %s: %w", tenant, err)
	}
	today := segment.DayOf(time.Now().UnixNano())
	for _, day := range days {
		if day < today-followDays {
			f.days[day] = nil // an old day that was there before is not looked at
			continue
		}
		names, err := f.listed(ctx, day)
		if err != nil {
			return nil, fmt.Errorf("follow tenant %s: %w", tenant, err)
		}
		f.know(day, names)
	}
	return f, nil
}

// start marks what the snapshot holds and begins to follow.
func (f *follower) start(ctx context.Context, sub *Subscription, pinned *catalog.Snapshot) error {
	for _, name := range pinned.Segments() {
		if known, seen := f.days[name.Day]; seen && known == nil {
			continue
		}
		f.know(name.Day, []segment.Name{name})
		if name.Level < segment.LevelMerged {
			continue
		}
		r, err := f.engine.catalog.Reader(ctx, name)
		if err != nil {
			return fmt.Errorf("follow tenant %s: %w", f.tenant, err)
		}
		for _, id := range r.Footer().Sources {
			f.days[name.Day][id] = struct{}{}
		}
	}
	background, cancel := context.WithCancel(context.WithoutCancel(ctx))
	f.sub, f.cancel = sub, cancel
	if !sub.follow(f) {
		cancel() // the engine is being closed
		return nil
	}
	go f.run(background)
	return nil
}

// stop ends the following and waits for it. It may be called more than once.
func (f *follower) stop() {
	f.cancel()
	<-f.done
}

func (f *follower) run(ctx context.Context) {
	defer close(f.done)
	tick := time.NewTicker(followEvery)
	defer tick.Stop()
	failing := false
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		err := f.look(ctx)
		if err != nil && ctx.Err() == nil && !failing {
			f.engine.opts.Logger.Warn("A tail cannot see what other processes accept; it is tried again", "tenant", f.tenant, "error", err)
		}
		failing = err != nil
	}
}

// look gives what is new, in the order of the segments' ids, which is that of their writing. After an error it is continued by the next call.
func (f *follower) look(ctx context.Context) error {
	days, err := f.engine.catalog.Days(ctx, f.tenant)
	if err != nil {
		return err
	}
	today := segment.DayOf(time.Now().UnixNano())
	rarely := f.turn%followRarely == 0
	f.turn++
	var found []segment.Name
	for _, day := range days {
		known, seen := f.days[day]
		switch {
		case seen && known == nil, seen && !rarely && (day < today-followOften || day > today+followOften):
			continue
		}
		names, err := f.listed(ctx, day)
		if err != nil {
			return err
		}
		for _, name := range names {
			if _, past := known[name.ID]; !past {
				found = append(found, name)
			}
		}
		f.know(day, nil)
		f.forget(day, names)
	}
	slices.SortFunc(found, func(a, b segment.Name) int { return a.ID.Compare(b.ID) })
	for _, name := range found {
		if err := f.give(ctx, name); err != nil {
			return err
		}
	}
	return nil
}

// listed gives the segments of level 0 that other processes wrote, as far as they exist, replaced or not.
func (f *follower) listed(ctx context.Context, day segment.Day) ([]segment.Name, error) {
	d, err := f.engine.catalog.Inspect(ctx, f.tenant, day)
	if err != nil {
		return nil, err
	}
	all := slices.Concat(d.Visible, d.Replaced, d.Marked)
	return slices.DeleteFunc(all, func(n segment.Name) bool { return n.Level != segment.LevelBatch || f.engine.batches.made(n.ID) }), nil
}

func (f *follower) know(day segment.Day, names []segment.Name) {
	if f.days[day] == nil {
		f.days[day] = make(map[ulid.ULID]struct{}, len(names))
	}
	for _, name := range names {
		f.days[day][name.ID] = struct{}{}
	}
}

// forget drops ids of a day that do not exist any more.
func (f *follower) forget(day segment.Day, names []segment.Name) {
	known := f.days[day]
	if len(known) <= 2*len(names)+1000 {
		return
	}
	exist := make(map[ulid.ULID]struct{}, len(names))
	for _, name := range names {
		exist[name.ID] = struct{}{}
	}
	old := ulid.Timestamp(time.Now().Add(-forgetAfter))
	for id := range known {
		if _, ok := exist[id]; !ok && id.Time() < old {
			delete(known, id)
		}
	}
}

// give reads a segment for the subscription.
func (f *follower) give(ctx context.Context, name segment.Name) error {
	events, err := f.read(ctx, name)
	switch {
	case segment.IsCorrupt(err):
		// Queries that need it say so as well; what comes after it is not kept waiting.
		f.engine.opts.Logger.Error("A tail leaves out a damaged segment", "segment", name, "error", err)
	case err != nil:
		return err
	}
	f.know(name.Day, []segment.Name{name})
	if len(events) > 0 {
		f.sub.offer(events)
	}
	return nil
}

// read gives the entries of a segment that the subscription wants, by time.
func (f *follower) read(ctx context.Context, name segment.Name) ([]Event, error) {
	r, err := f.engine.catalog.Reader(ctx, name)
	if err != nil {
		return nil, err
	}
	streams, err := r.Select(ctx, name.MinT, name.MaxT, f.sub.matchers...)
	if err != nil {
		return nil, err
	}
	type place struct {
		stream int
		entry  chunk.Entry
	}
	var all []place
	for i, st := range streams {
		for _, c := range st.Chunks {
			reader, err := c.Open(ctx)
			if err != nil {
				return nil, err
			}
			for _, entry := range chunk.ReadAll(nil, reader) {
				all = append(all, place{i, entry})
			}
			err = chunk.Fault(reader)
			reader.Close()
			if err != nil {
				return nil, err
			}
		}
	}
	slices.SortStableFunc(all, func(a, b place) int {
		switch {
		case a.entry.Timestamp < b.entry.Timestamp:
			return -1
		case a.entry.Timestamp > b.entry.Timestamp:
			return 1
		}
		return 0
	})
	var events []Event
	for i, p := range all {
		if i == 0 || p.stream != all[i-1].stream {
			events = append(events, Event{Labels: streams[p.stream].Labels})
		}
		last := &events[len(events)-1]
		last.Entries = append(last.Entries, p.entry)
	}
	return events, nil
}
