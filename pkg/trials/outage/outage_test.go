package outage

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/stretchr/testify/require"
	"github.com/thanos-io/objstore"

	"github.com/cambium-logs/cambium/pkg/engine"
	"github.com/cambium-logs/cambium/pkg/ingest"
	"github.com/cambium-logs/cambium/pkg/query"
	"github.com/cambium-logs/cambium/pkg/storage/bucket"
	"github.com/cambium-logs/cambium/pkg/storage/chunk"
	"github.com/cambium-logs/cambium/pkg/storage/faultbucket"
	"github.com/cambium-logs/cambium/pkg/storage/head"
	"github.com/cambium-logs/cambium/pkg/trials"
)

const tenant = "org-1"

// TestTenMinutesWithoutABucket: pushes are taken as long as there is room, then refused with the reason; nothing that was acknowledged is
// lost, over a restart too; a minute after the bucket is back, so is the service.
func TestTenMinutesWithoutABucket(t *testing.T) {
	// Pools of memory are emptied behind the simulation: what was pooled in it must not be used outside.
	defer runtime.GC()
	defer runtime.GC()
	synctest.Test(t, func(t *testing.T) {
		for _, location := range []engine.WALLocation{engine.WALOnDisk, engine.WALInBucket} {
			for _, restart := range []bool{false, true} {
				tenMinutes(t, location, restart)
			}
		}
	})
}

func tenMinutes(t *testing.T, location engine.WALLocation, restart bool) {
	store := faultbucket.NewStore(objstore.NewInMemBucket())
	ledger := trials.NewLedger()
	opts := engine.Options{DataDir: t.TempDir(), WALLocation: location, Head: head.Options{MaxBytes: 300_000}, FlushAge: 20 * time.Second}
	var conn *faultbucket.Bucket
	var e *engine.Engine
	open := func(down error) {
		conn = store.Connect(1)
		conn.Down(down)
		opts.Bucket = bucket.Wrap(conn, bucket.Limits{}, nil)
		var err error
		e, err = engine.Open(t.Context(), opts)
		require.NoError(t, err)
	}
	push := func() error {
		now := time.Now().UnixNano()
		streams := []ingest.Stream{{Labels: labels.FromStrings("app", "a"), Entries: []chunk.Entry{{Timestamp: now, Line: fmt.Appendf(nil, "%d %s", now, strings.Repeat("x", 2000))}}}}
		ledger.Tried(tenant, streams)
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		err := e.Append(ctx, tenant, streams)
		if err == nil {
			ledger.Acked(tenant, streams, 1, now)
		}
		return err
	}
	check := func() {
		mint, maxt := time.Now().Add(-time.Hour).UnixNano(), time.Now().UnixNano()
		got, err := trials.Read(t.Context(), query.New(query.Options{Source: e}), tenant, mint, maxt)
		require.NoError(t, err)
		require.NoError(t, ledger.Check(tenant, mint, maxt, got, nil, nil))
	}
	open(nil)
	for range 30 {
		require.NoError(t, push())
		time.Sleep(time.Second)
	}
	gone := errors.New("dial tcp: connection refused")
	conn.Down(gone)
	taken, refused := 0, 0
	var last error
	for end := time.Now().Add(10 * time.Minute); time.Now().Before(end); time.Sleep(time.Second) {
		if last = push(); last == nil {
			taken++
		} else if refused++; errors.Is(last, engine.ErrUnavailable) {
			require.ErrorContains(t, last, gone.Error())
		} else {
			require.ErrorIs(t, last, context.DeadlineExceeded, "the one that waits while it is being tried")
		}
		if restart && taken+refused == 100 {
			require.NoError(t, ignoreUnavailable(e.Close(t.Context()), location))
			open(gone)
		}
	}
	t.Logf("log in bucket: %t, restart: %t: %d pushes taken, %d refused: %v", location == engine.WALInBucket, restart, taken, refused, last)
	require.ErrorIs(t, last, engine.ErrUnavailable)
	require.Positive(t, refused)
	require.Equal(t, location == engine.WALOnDisk, taken > 0, "the disk takes some, a bucket that is gone none")

	conn.Down(nil)
	time.Sleep(time.Minute)
	require.NoError(t, push(), "service returns by itself")
	time.Sleep(time.Minute)
	require.NoError(t, e.FlushError())
	check()
	require.NoError(t, e.Close(t.Context()))
	open(nil)
	check()
	require.NoError(t, e.Close(t.Context()))
}

// ignoreUnavailable leaves out that a close could not write what nobody was told is stored.
func ignoreUnavailable(err error, location engine.WALLocation) error {
	if location == engine.WALInBucket {
		return nil
	}
	return err
}
