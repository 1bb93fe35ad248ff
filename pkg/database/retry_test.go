package database

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/cambium-logs/cambium/pkg/engine"
	"github.com/cambium-logs/cambium/pkg/storage/bucket"
)

// TestFailuresAreToldNowAndThen: not each time, although each has a number of its own, and not again when nothing is new.
func TestFailuresAreToldNowAndThen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var f Failures
		told := 0
		for i := range 100 {
			if f.Worth(fmt.Errorf("failure %d", i)) {
				told++
			}
			time.Sleep(RetryEvery)
		}
		require.Equal(t, 7, told)
		time.Sleep(failuresEvery)
		require.True(t, f.Worth(errors.New("the same")))
		time.Sleep(failuresEvery)
		require.False(t, f.Worth(errors.New("the same")))
		require.True(t, f.Worth(errors.New("another")))
	})
}

func TestPasses(t *testing.T) {
	require.True(t, Passes(fmt.Errorf("open: %w", &bucket.ProbeError{Step: "write", Err: errors.New("down")})))
	require.True(t, Passes(fmt.Errorf("move: %w", engine.ErrUnavailable)))
	require.False(t, Passes(engine.ErrLocked))
}
