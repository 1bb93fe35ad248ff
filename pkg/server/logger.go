package server

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"

	"github.com/grafana/grafana-plugin-sdk-go/backend/log"
)

// logger writes one line per event, and changes its level while it runs. It is a log.Logger of the plugin SDK.
type logger struct {
	out   *slog.Logger
	level *slog.LevelVar
}

// newLogger writes to w, in logfmt or JSON.
func newLogger(w io.Writer, format, level string) (*logger, error) {
	l := &logger{level: new(slog.LevelVar)}
	if err := l.setLevel(level); err != nil {
		return nil, err
	}
	options := &slog.HandlerOptions{Level: l.level}
	if format == "json" {
		l.out = slog.New(slog.NewJSONHandler(w, options))
	} else {
		l.out = slog.New(slog.NewTextHandler(w, options))
	}
	return l, nil
}

func (l *logger) setLevel(name string) error {
	var level slog.Level
	if err := level.UnmarshalText([]byte(name)); err != nil {
		return fmt.Errorf("unrecognized log level %q", name)
	}
	l.level.Set(level)
	return nil
}

func (l *logger) levelName() string { return strings.ToLower(l.level.Level().String()) }

// Debug implements log.Logger.
func (l *logger) Debug(msg string, args ...any) { l.out.Debug(msg, args...) }

// Info implements log.Logger.
func (l *logger) Info(msg string, args ...any) { l.out.Info(msg, args...) }

// Warn implements log.Logger.
func (l *logger) Warn(msg string, args ...any) { l.out.Warn(msg, args...) }

// Error implements log.Logger.
func (l *logger) Error(msg string, args ...any) { l.out.Error(msg, args...) }

// With implements log.Logger.
func (l *logger) With(args ...any) log.Logger { return &logger{l.out.With(args...), l.level} }

// FromContext implements log.Logger.
func (l *logger) FromContext(context.Context) log.Logger { return l }

// Level implements log.Logger.
func (l *logger) Level() log.Level {
	switch level := l.level.Level(); {
	case level <= slog.LevelDebug:
		return log.Debug
	case level <= slog.LevelInfo:
		return log.Info
	case level <= slog.LevelWarn:
		return log.Warn
	}
	return log.Error
}
