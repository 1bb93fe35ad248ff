package bucket

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"

	"github.com/thanos-io/objstore"
)

// probeDir holds probe objects. No tenant is called so: the character is not allowed in tenant ids.
const probeDir = "~probe/"

// ProbeError says at which step a probe failed.
type ProbeError struct {
	Step string // write, read, list, delete
	Err  error
}

func (e *ProbeError) Error() string { return fmt.Sprintf("cannot %s objects: %v", e.Step, e.Err) }
func (e *ProbeError) Unwrap() error { return e.Err }

// Probe writes, reads, lists and deletes an object, and gives a *ProbeError for the step that failed. Several may run at once.
func Probe(ctx context.Context, b objstore.Bucket) error {
	content := make([]byte, 32)
	if _, err := rand.Read(content); err != nil {
		return fmt.Errorf("probe bucket: %w", err)
	}
	name := probeDir + fmt.Sprintf("%x", content[:16])
	if err := b.Upload(ctx, name, bytes.NewReader(content)); err != nil {
		return &ProbeError{"write", err}
	}
	err := probeRead(ctx, b, name, content)
	if derr := b.Delete(ctx, name); derr != nil && err == nil {
		err = &ProbeError{"delete", derr}
	}
	return err
}

func probeRead(ctx context.Context, b objstore.Bucket, name string, content []byte) error {
	got, err := ReadAll(ctx, b, name, int64(len(content)))
	if err == nil && !bytes.Equal(got, content) {
		err = errors.New("what was read is not what was written")
	}
	if err != nil {
		return &ProbeError{"read", err}
	}
	found := false
	err = b.Iter(ctx, probeDir, func(n string) error {
		found = found || n == name
		return nil
	})
	if err == nil && !found {
		err = errors.New("an object that was just written is not listed")
	}
	if err != nil {
		return &ProbeError{"list", err}
	}
	return nil
}
