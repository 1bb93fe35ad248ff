package plugin

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

type probedDB struct {
	fakeDB
	probes atomic.Int32
	hold   chan struct{}
}

func (d *probedDB) Probe(context.Context) error {
	d.probes.Add(1)
	if d.hold != nil {
		<-d.hold
	}
	return d.probe
}

// TestStoresAreNotTriedAtEachQuestion: who asks for health again and again does not make the bucket work each time, but what failed is tried again.
func TestStoresAreNotTriedAtEachQuestion(t *testing.T) {
	var p probing
	db := &probedDB{fakeDB: fakeDB{probe: errors.New("access denied")}}
	for range 3 {
		require.ErrorContains(t, p.probe(t.Context(), db), "access denied")
	}
	require.EqualValues(t, 3, db.probes.Load())
	db.probe = nil
	for range 5 {
		require.NoError(t, p.probe(t.Context(), db))
	}
	require.EqualValues(t, 4, db.probes.Load())
}

func TestOneTriesAStoreAtATime(t *testing.T) {
	var p probing
	db := &probedDB{hold: make(chan struct{})}
	first := make(chan error)
	go func() { first <- p.probe(t.Context(), db) }()
	require.Eventually(t, func() bool { return db.probes.Load() == 1 }, 10*time.Second, time.Millisecond)
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, p.probe(gone, db), context.Canceled)
	close(db.hold)
	require.NoError(t, <-first)
	require.NoError(t, p.probe(t.Context(), db))
	require.EqualValues(t, 1, db.probes.Load())
}
