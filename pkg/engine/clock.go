package engine

import "time"

// SetClock gives the background work, retention and delete requests another clock than the true one; for tests. Their grace periods last
// for hours, which a clock that runs fast makes short.
func (o *Options) SetClock(now func() time.Time) { o.now = now }
