package engine

import (
	"context"
	"fmt"
)

// commit is one write of level-0 segments, as those wait for it whose pushes are in it.
type commit struct {
	done chan struct{} // closed when err is set
	err  error
}

func newCommit() *commit { return &commit{done: make(chan struct{})} }

func (c *commit) finish(err error) {
	if err != nil {
		c.err = fmt.Errorf("%w: the bucket cannot be written: %w", ErrUnavailable, err)
	}
	close(c.done)
}

// wait returns how the write went. After an error the push may be stored later: it is still in the head, and tried again.
func (c *commit) wait(ctx context.Context) error {
	select {
	case <-c.done:
		return c.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// failCommits tells all who wait that the bucket cannot be written: those of the generation that was tried, and those who came meanwhile and would
// be next. The flusher's token is held, and FlushError keeps others from beginning to wait.
func (e *Engine) failCommits(err error) {
	e.gate.Lock()
	defer e.gate.Unlock()
	for _, c := range []*commit{e.flusher.commit, e.commit} {
		if c != nil {
			c.finish(err)
		}
	}
	e.flusher.commit, e.commit = nil, newCommit()
}

// abandonCommits tells those who still wait that nothing is written any more. The flusher's token is held and appends are refused.
func (e *Engine) abandonCommits() {
	e.gate.Lock()
	defer e.gate.Unlock()
	for _, c := range []*commit{e.flusher.commit, e.commit} {
		if c != nil {
			c.finish(ErrClosed)
		}
	}
}
