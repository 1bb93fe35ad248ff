package engine

import (
	"errors"
	"fmt"
	"time"
)

// Errors that callers decide by. What is returned wraps one of them.
var (
	// ErrBusy: the push is faster than the disk or the bucket; the same push may succeed later. See BusyError.
	ErrBusy = errors.New("too much is waiting to be written")
	// ErrUnavailable: nothing can be written now; the reason is in the text. It goes away by itself when the reason does.
	ErrUnavailable = errors.New("storage is unavailable")
	// ErrTooLarge: the push can never be taken.
	ErrTooLarge = errors.New("push is too large")
	// ErrInvalid: an entry that no validated push contains.
	ErrInvalid = errors.New("invalid entry")
	// ErrClosed: the engine is stopping. It is also an ErrUnavailable.
	ErrClosed = fmt.Errorf("%w: engine is closed", ErrUnavailable)
	// ErrLocked: another process has the data directory.
	ErrLocked = errors.New("data directory is in use")
)

// BusyError is an ErrBusy, and an ErrUnavailable too when the reason is that flushes fail.
type BusyError struct {
	RetryAfter time.Duration
	HeadBytes  int64
	MaxBytes   int64
	FlushError error // why the head does not get emptier; nil = it does
}

func (e *BusyError) Error() string {
	s := fmt.Sprintf("%s: %d of %d bytes of the head are in use", ErrBusy, e.HeadBytes, e.MaxBytes)
	if e.FlushError != nil {
		s += ", and flushing it fails: " + e.FlushError.Error()
	}
	return s
}

// Is makes errors.Is know both kinds.
func (e *BusyError) Is(target error) bool {
	return target == ErrBusy || (target == ErrUnavailable && e.FlushError != nil)
}
