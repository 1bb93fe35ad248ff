package plugin

import (
	"context"
	"time"
)

// parentCheck is how often the parent is looked for. A parent that was killed takes the plugin with it within about this time.
const parentCheck = 500 * time.Millisecond

// waitForOrphan returns when the process that started this one is gone, or with ctx's error. When Grafana is killed nobody tells its
// plugins, and a new Grafana would start a second process on the same data.
func waitForOrphan(ctx context.Context, parent parentProcess) error {
	tick := time.NewTicker(parentCheck)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
			if parent.gone() {
				return nil
			}
		}
	}
}

// parentProcess tells whether the process that started this one is gone.
type parentProcess interface{ gone() bool }
