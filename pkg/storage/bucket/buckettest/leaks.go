// Package buckettest helps tests of what uses buckets.
package buckettest

import "go.uber.org/goleak"

// KnownGoroutines are those that linked providers start when the program starts and that wait for ever: goleak is to ignore them.
func KnownGoroutines() []goleak.Option {
	return []goleak.Option{
		goleak.IgnoreTopFunction("github.com/baidubce/bce-sdk-go/util/log.NewLogger.func1"),
		goleak.IgnoreTopFunction("go.opencensus.io/stats/view.(*worker).start"),
	}
}
