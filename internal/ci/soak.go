package ci

import (
	"context"
	"os"
	"time"
)

// Soak runs, each for the duration in CAMBIUM_SOAK: the end-to-end kill loop, and the trials of the engine.
func Soak(ctx context.Context) error {
	length, err := durationFrom("CAMBIUM_SOAK", 10*time.Minute)
	if err != nil {
		return err
	}
	if err := Backend(ctx); err != nil {
		return err
	}
	return command(ctx, os.Stdout, []string{"CAMBIUM_SOAK=" + length.String()},
		"go", "test", "-tags", "soak", "-count=1", "-v", "-p", "1", "-run", "^TestSoak$", "-timeout", (length + 10*time.Minute).String(), "./pkg/e2e", "./pkg/trials/...")
}
