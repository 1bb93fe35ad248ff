//go:build !amd64

package filter

const hasVectors = false

func (c *chooser) chooseVectors(text []byte) []uint64 { return c.chooseScalar(text) }
