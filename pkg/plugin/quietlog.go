package plugin

import (
	"context"

	"github.com/grafana/grafana-plugin-sdk-go/backend/log"
)

// requestDone is the message with which the SDK tells the end of every call.
const requestDone = "Plugin Request Completed"

// quietLogger tells calls that went well at the debug level: agents push many times a second.
type quietLogger struct{ log.Logger }

// Info implements log.Logger.
func (l quietLogger) Info(message string, args ...any) {
	if message == requestDone {
		l.Debug(message, args...)
		return
	}
	l.Logger.Info(message, args...)
}

// With implements log.Logger.
func (l quietLogger) With(args ...any) log.Logger { return quietLogger{l.Logger.With(args...)} }

// FromContext implements log.Logger.
func (l quietLogger) FromContext(ctx context.Context) log.Logger {
	return quietLogger{l.Logger.FromContext(ctx)}
}
