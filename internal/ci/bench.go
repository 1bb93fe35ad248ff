package ci

import (
	"context"
	"errors"
)

// Bench is set when the benchmark table exists.
func Bench(context.Context) error { return errors.New("no benchmark yet") }
