package toolstest

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/cambium-logs/cambium/pkg/config"
	"github.com/cambium-logs/cambium/pkg/database"
	"github.com/cambium-logs/cambium/pkg/server"
)

// Server is a running Cambium without authentication, on loopback.
type Server struct {
	URL  string
	Data string // data directory
	Stop func() // stops it; may be called more than once
}

// Start runs a server until the test ends.
func Start(t testing.TB, data string) *Server {
	t.Helper()
	c := config.Default()
	c.DataDir = data
	c.Server.Listen = "127.0.0.1:0"
	c.Auth.Mode = config.AuthNone
	db, err := database.Open(context.Background(), database.Options{Config: c})
	require.NoError(t, err)
	s, err := server.Listen(c, db.API(), nil)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	stopped := false
	out := &Server{URL: s.URL(), Data: data, Stop: func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		require.NoError(t, <-done)
		closing, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		require.NoError(t, db.Close(closing))
	}}
	t.Cleanup(out.Stop)
	return out
}

// DataDir is a data directory for Start.
func DataDir(t testing.TB) string { return filepath.Join(t.TempDir(), "data") }
