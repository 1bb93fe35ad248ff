//go:build soak

package e2e

import (
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestSoak is the kill loop for as long as CAMBIUM_SOAK says.
func TestSoak(t *testing.T) {
	length, err := time.ParseDuration(os.Getenv("CAMBIUM_SOAK"))
	require.NoError(t, err)
	killLoop(t, 1, time.Now().Add(length))
}
