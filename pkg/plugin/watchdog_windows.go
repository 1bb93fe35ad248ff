package plugin

import (
	"fmt"
	"os"
	"sync/atomic"
)

// windowsParent holds a handle of the parent: an orphan keeps its parent's id there.
type windowsParent struct{ ended atomic.Bool }

func currentParent() (parentProcess, error) {
	process, err := os.FindProcess(os.Getppid())
	if err != nil {
		return nil, fmt.Errorf("find the parent process: %w", err)
	}
	p := &windowsParent{}
	go func() {
		_, _ = process.Wait()
		p.ended.Store(true)
	}()
	return p, nil
}

func (p *windowsParent) gone() bool { return p.ended.Load() }
