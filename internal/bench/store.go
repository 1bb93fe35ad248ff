package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/cambium-logs/cambium/pkg/config"
	"github.com/cambium-logs/cambium/pkg/database"
	"github.com/cambium-logs/cambium/pkg/httpapi"
)

const tenantID = "bench"

// open opens a database that refuses nothing for its rate and flushes only when told.
func open(ctx context.Context, dir, sync string) (*database.Database, error) {
	c := config.Default()
	c.DataDir, c.WAL.Sync = dir, sync
	c.Head.MaxBytes, c.Head.FlushBytes = 4<<30, 3<<30
	unlimited(&c)
	return database.Open(ctx, database.Options{Config: c})
}

func unlimited(c *config.Config) {
	c.Limits.IngestionRateMB, c.Limits.IngestionBurstSizeMB = 1e6, 1e6
	c.Limits.PerStreamRateLimit, c.Limits.PerStreamRateLimitBurst = 1<<40, 1<<40
	c.Limits.MaxGlobalStreamsPerUser = 0
}

// pushAll sends all bodies with some clients at once and gives the time it took.
func (c *corpus) pushAll(clients int, send func(body []byte) error) (time.Duration, error) {
	var next atomic.Int64
	errs := make([]error, clients)
	var wait sync.WaitGroup
	began := time.Now()
	for i := range clients {
		wait.Go(func() {
			for {
				n := next.Add(1) - 1
				if n >= int64(len(c.bodies)) || errs[i] != nil {
					return
				}
				errs[i] = send(c.bodies[n])
			}
		})
	}
	wait.Wait()
	took := time.Since(began)
	for _, err := range errs {
		if err != nil {
			return took, err
		}
	}
	return took, nil
}

// handlerSend pushes into a handler without a socket.
func handlerSend(h http.Handler) func([]byte) error {
	return func(body []byte) error {
		ctx := httpapi.WithPrincipal(context.Background(), httpapi.Principal{Tenant: tenantID, Role: httpapi.RoleAdmin})
		request := httptest.NewRequestWithContext(ctx, http.MethodPost, "/loki/api/v1/push", bytes.NewReader(body))
		request.Header.Set("Content-Type", "application/x-protobuf")
		answer := httptest.NewRecorder()
		h.ServeHTTP(answer, request)
		if answer.Code != http.StatusNoContent {
			return fmt.Errorf("push: %d %s", answer.Code, answer.Body)
		}
		return nil
	}
}

// pushFloor writes and syncs as many bytes as each push holds of lines.
func (c *corpus) pushFloor(dir string, sync bool) (time.Duration, error) {
	file, err := os.Create(filepath.Join(dir, "floor"))
	if err != nil {
		return 0, err
	}
	defer file.Close()
	buffer := make([]byte, 16<<20)
	began := time.Now()
	for _, size := range c.sizes {
		if _, err := file.Write(buffer[:min(size, int64(len(buffer)))]); err != nil {
			return 0, err
		}
		if sync {
			if err := file.Sync(); err != nil {
				return 0, err
			}
		}
	}
	return time.Since(began), nil
}

// withCores runs f with a number of cores.
func withCores(n int, f func() error) error {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(n))
	return f()
}

// zstdSize compresses each stream's lines as one text.
func (c *corpus) zstdSize() (int64, time.Duration, error) {
	encoder, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedDefault), zstd.WithEncoderConcurrency(1))
	if err != nil {
		return 0, 0, err
	}
	defer encoder.Close()
	size := int64(0)
	began := time.Now()
	for _, text := range c.texts {
		size += int64(len(encoder.EncodeAll(text, nil)))
	}
	return size, time.Since(began), nil
}
