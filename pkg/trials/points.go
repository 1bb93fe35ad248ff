package trials

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

var pointCall = regexp.MustCompile(`\bfault\.Point\("([^"]+)"\)`)

// FaultPoints gives the names of all points between durable steps that the source of this module names, sorted.
func FaultPoints() ([]string, error) {
	root, err := os.Getwd()
	if err != nil {
		return nil, err
	}
	for {
		if _, err := os.Stat(filepath.Join(root, "go.mod")); err == nil {
			break
		}
		if filepath.Dir(root) == root {
			return nil, errors.New("the source is not here: no go.mod in the working directory or above it")
		}
		root = filepath.Dir(root)
	}
	var points []string
	err = filepath.WalkDir(filepath.Join(root, "pkg"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		for _, m := range pointCall.FindAllSubmatch(text, -1) {
			points = append(points, string(m[1]))
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("look for fault points: %w", err)
	}
	slices.Sort(points)
	return slices.Compact(points), nil
}
