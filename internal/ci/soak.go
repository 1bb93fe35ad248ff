package ci

import (
	"context"
	"os"
	"time"
)

// Soak runs the end-to-end kill loop for the duration in CAMBIUM_SOAK.
func Soak(ctx context.Context) error {
	length, err := durationFrom("CAMBIUM_SOAK", 10*time.Minute)
	if err != nil {
		return err
	}
	if err := Backend(ctx); err != nil {
		return err
	}
	return command(ctx, os.Stdout, []string{"CAMBIUM_SOAK=" + length.String()},
		"go", "test", "-tags", "soak", "-count=1", "-v", "-run", "^TestSoak$", "-timeout", (length + 10*time.Minute).String(), "./pkg/e2e")
}
