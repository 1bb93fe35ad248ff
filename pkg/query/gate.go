package query

import (
	"context"
	"sync"
)

// gate lets a fixed number of queries run at once. Those that wait are served tenant by tenant in turn, so that one tenant's backlog
// does not delay another's query by more than one turn.
type gate struct {
	mu      sync.Mutex
	free    int
	waiting map[string][]chan struct{} // by tenant, oldest first; never an empty list
	turns   []string                   // tenants with waiting queries, the next one first
}

func newGate(n int) *gate { return &gate{free: n, waiting: map[string][]chan struct{}{}} }

// enter waits for a slot. It fails with ErrTooMany when the tenant has maxWaiting queries waiting already, or with the context's error.
func (g *gate) enter(ctx context.Context, tenant string, maxWaiting int) error {
	g.mu.Lock()
	if g.free > 0 {
		g.free--
		g.mu.Unlock()
		return nil
	}
	if len(g.waiting[tenant]) >= maxWaiting {
		g.mu.Unlock()
		return ErrTooMany
	}
	slot := make(chan struct{})
	if len(g.waiting[tenant]) == 0 {
		g.turns = append(g.turns, tenant)
	}
	g.waiting[tenant] = append(g.waiting[tenant], slot)
	g.mu.Unlock()

	select {
	case <-slot:
		return nil
	case <-ctx.Done():
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	queue := g.waiting[tenant]
	for i, s := range queue {
		if s == slot {
			g.setQueue(tenant, append(queue[:i:i], queue[i+1:]...))
			return ctx.Err()
		}
	}
	g.pass()
	return ctx.Err()
}

// leave gives the slot to whose turn it is.
func (g *gate) leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.pass()
}

func (g *gate) pass() {
	if len(g.turns) == 0 {
		g.free++
		return
	}
	tenant := g.turns[0]
	queue := g.waiting[tenant]
	close(queue[0])
	g.turns = g.turns[1:]
	if len(queue) > 1 {
		g.turns = append(g.turns, tenant)
		g.waiting[tenant] = queue[1:]
		return
	}
	delete(g.waiting, tenant)
}

func (g *gate) setQueue(tenant string, queue []chan struct{}) {
	if len(queue) > 0 {
		g.waiting[tenant] = queue
		return
	}
	delete(g.waiting, tenant)
	for i, t := range g.turns {
		if t == tenant {
			g.turns = append(g.turns[:i:i], g.turns[i+1:]...)
			return
		}
	}
}
