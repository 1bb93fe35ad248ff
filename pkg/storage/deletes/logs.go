package deletes

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// LogsDir holds what processes with a write-ahead log of their own say of it. No tenant is called so: the character is not allowed in tenant ids.
const LogsDir = "~logs/"

// LogMark is what a process says of its write-ahead log, so that no request ends while the log may hold something of what it selects.
type LogMark struct {
	// Host and Dir tell people whose log it is.
	Host string `json:"host,omitempty"`
	Dir  string `json:"dir,omitempty"`
	// Clean is a time in nanoseconds: everything that was accepted before it is in segments.
	Clean int64 `json:"clean"`
}

func logPath(id string) string { return LogsDir + id + requestName }

// MarkLog writes what is to be known of a log.
func (s *Store) MarkLog(ctx context.Context, id string, m LogMark) error {
	if err := s.write(ctx, logPath(id), m); err != nil {
		return fmt.Errorf("write %s: %w", logPath(id), err)
	}
	return nil
}

// RemoveLog forgets a log. It is no error when it is not known.
func (s *Store) RemoveLog(ctx context.Context, id string) error {
	if err := s.opts.Bucket.Delete(ctx, logPath(id)); err != nil && !s.notFound(err) {
		return fmt.Errorf("remove %s: %w", logPath(id), err)
	}
	return nil
}

// KnowsLog reports whether anything is known of a log.
func (s *Store) KnowsLog(ctx context.Context, id string) (bool, error) {
	known, err := s.opts.Bucket.Exists(ctx, logPath(id))
	if err != nil {
		return false, fmt.Errorf("look for %s: %w", logPath(id), err)
	}
	return known, nil
}

// Logs gives what is known of all logs on the bucket, by id. One that cannot be read is an error.
func (s *Store) Logs(ctx context.Context) (map[string]LogMark, error) {
	var ids []string
	err := s.opts.Bucket.Iter(ctx, LogsDir, func(path string) error {
		if id, ok := strings.CutSuffix(strings.TrimPrefix(path, LogsDir), requestName); ok && id != "" {
			ids = append(ids, id)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list %s: %w", LogsDir, err)
	}
	out := map[string]LogMark{}
	for _, id := range ids {
		var m LogMark
		found, err := s.read(ctx, logPath(id), &m)
		if errors.Is(err, errDamaged) {
			err = fmt.Errorf("%w; remove this object: its process writes it again within an hour", err)
		}
		if err != nil {
			return nil, err
		}
		if found {
			out[id] = m
		}
	}
	return out, nil
}
