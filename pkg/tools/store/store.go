package store

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"github.com/thanos-io/objstore"
	"gopkg.in/yaml.v3"

	"github.com/cambium-logs/cambium/pkg/config"
	"github.com/cambium-logs/cambium/pkg/storage/bucket"
)

// Location is what the flags of a tool name.
type Location struct {
	Data   string // a data directory, or the directory of a bucket
	Config string // a configuration file
}

// Register adds the flags.
func (l *Location) Register(f *flag.FlagSet) {
	f.StringVar(&l.Data, "data", "", "data `directory` of a Cambium process, or the directory of a bucket")
	f.StringVar(&l.Config, "config", "", "configuration `file` that names the bucket: a cambium.yaml, or a bucket configuration with type, config and prefix")
}

// Named reports whether a flag was given.
func (l *Location) Named() bool { return l.Data != "" || l.Config != "" }

// Store is an opened location.
type Store struct {
	Bucket *bucket.Bucket
	// DataDir is the data directory; empty where only a bucket is known.
	DataDir string
	// Shown names the bucket for people.
	Shown string
}

// Open opens a location. Unless writable is set, nothing in it is changed and Bucket must only be read.
func Open(l Location, writable bool) (*Store, error) {
	data, bucketYAML, err := l.resolve()
	if err != nil {
		return nil, err
	}
	opts := bucket.Options{Config: bucketYAML, ReadOnly: !writable}
	s := &Store{DataDir: data}
	if len(bucketYAML) == 0 {
		opts.Dir = data
		if isDataDir(data) {
			opts.Dir = filepath.Join(data, "bucket")
		} else {
			s.DataDir = ""
		}
		if _, err := os.Stat(opts.Dir); errors.Is(err, os.ErrNotExist) {
			if s.DataDir == "" {
				return nil, fmt.Errorf("there is no directory %s", data)
			}
			// Nothing was ever flushed.
			s.Bucket, s.Shown = bucket.Wrap(objstore.NewInMemBucket(), bucket.Limits{}, nil), opts.Dir
			return s, nil
		}
		s.Shown = opts.Dir
	}
	if s.Bucket, err = bucket.Open(opts); err != nil {
		return nil, err
	}
	if s.Shown == "" {
		s.Shown = s.Bucket.Name()
	}
	return s, nil
}

// isDataDir tells a data directory from the directory of a bucket.
func isDataDir(dir string) bool {
	for _, name := range []string{"lock", "wal", "bucket"} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err == nil && info.IsDir() == (name != "lock") {
			return true
		}
	}
	return false
}

// resolve gives the data directory and the bucket's configuration. Either may be empty, not both.
func (l *Location) resolve() (data string, bucketYAML []byte, err error) {
	if !l.Named() {
		return "", nil, errors.New("give -data with a data directory, or -config with a configuration file")
	}
	data = l.Data
	if l.Config != "" {
		dir, text, err := readConfig(l.Config)
		if err != nil {
			return "", nil, err
		}
		bucketYAML = text
		if data == "" {
			data = dir
		}
	}
	if data != "" {
		if data, err = filepath.Abs(data); err != nil {
			return "", nil, err
		}
	}
	return data, bucketYAML, nil
}

// readConfig reads a cambium.yaml or a bucket's configuration, which has a type.
func readConfig(path string) (data string, bucketYAML []byte, err error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return "", nil, err
	}
	var kind struct {
		Type string `yaml:"type"`
	}
	if yaml.Unmarshal(text, &kind) == nil && kind.Type != "" {
		return "", text, nil
	}
	c, err := config.Load(path)
	if err != nil {
		return "", nil, err
	}
	bucketYAML, err = c.BucketYAML()
	return c.DataDir, bucketYAML, err
}

// Close closes the bucket.
func (s *Store) Close() error { return s.Bucket.Close() }
