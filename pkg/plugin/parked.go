package plugin

import (
	"sync"
	"time"

	"github.com/cambium-logs/cambium/pkg/httpapi"
)

// parkTime is how long a tail waits to be run. Grafana runs a stream right after it has subscribed.
const parkTime = 5 * time.Second

// parkedTails are tails that have begun with a subscription and wait for the run of their channel. Only the oldest one of a channel
// matters: a run that already goes on has everything that a later one would give.
type parkedTails struct {
	mu    sync.Mutex // guards what follows
	tails map[string]*parkedTail
}

type parkedTail struct {
	tail  httpapi.Tail
	timer *time.Timer
}

// park keeps a tail for the run of its channel, or closes it when one is waiting already or nobody takes it in time.
func (p *parkedTails) park(key string, tail httpapi.Tail) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.tails == nil {
		p.tails = map[string]*parkedTail{}
	}
	if p.tails[key] != nil {
		tail.Close()
		return
	}
	parked := &parkedTail{tail: tail}
	parked.timer = time.AfterFunc(parkTime, func() { p.expire(key, parked) })
	p.tails[key] = parked
}

// take gives the tail that waits for a channel's run, nil when there is none.
func (p *parkedTails) take(key string) httpapi.Tail {
	p.mu.Lock()
	defer p.mu.Unlock()
	parked := p.tails[key]
	if parked == nil {
		return nil
	}
	parked.timer.Stop()
	delete(p.tails, key)
	return parked.tail
}

func (p *parkedTails) expire(key string, parked *parkedTail) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.tails[key] == parked {
		delete(p.tails, key)
		parked.tail.Close()
	}
}
