package faultbucket

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/thanos-io/objstore"
)

// ErrNoSpace is what an upload to a full store gives.
var ErrNoSpace = errors.New("no space left in the bucket")

// Store is a bucket that any number of connections share. All changes to it go through them.
type Store struct {
	inner objstore.Bucket

	mu    sync.Mutex // guards what follows, and is held while the inner bucket changes
	sizes map[string]int64
	used  int64
	space int64 // 0 = without end
	past  []change
}

// change is an object that appeared or disappeared.
type change struct {
	at      time.Time
	name    string
	created bool
}

// remembered is how many changes a store can take back for a stale list.
const remembered = 10_000

// NewStore makes a store over an empty bucket.
func NewStore(inner objstore.Bucket) *Store {
	return &Store{inner: inner, sizes: map[string]int64{}}
}

// SetSpace bounds the bytes that the objects may have together; 0 = no bound. What is there already stays.
func (s *Store) SetSpace(n int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.space = n
}

// Used gives the bytes of all objects.
func (s *Store) Used() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.used
}

// Names gives the names of all objects, sorted.
func (s *Store) Names() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Sorted(maps.Keys(s.sizes))
}

// Object reads an object without faults.
func (s *Store) Object(ctx context.Context, name string) ([]byte, error) {
	r, err := s.inner.Get(ctx, name)
	if err != nil {
		return nil, err
	}
	b, err := io.ReadAll(r)
	return b, errors.Join(err, r.Close())
}

// Replace puts other bytes in the place of an object, as a failing disk does.
func (s *Store) Replace(ctx context.Context, name string, content []byte) error {
	return s.put(ctx, name, content, false)
}

func (s *Store) put(ctx context.Context, name string, content []byte, bounded bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	old, existed := s.sizes[name]
	used := s.used - old + int64(len(content))
	if bounded && s.space > 0 && used > s.space {
		return fmt.Errorf("%w: %d of %d bytes are in use", ErrNoSpace, s.used, s.space)
	}
	if err := s.inner.Upload(ctx, name, bytes.NewReader(content)); err != nil {
		return err
	}
	s.sizes[name], s.used = int64(len(content)), used
	if !existed {
		s.remember(name, true)
	}
	return nil
}

func (s *Store) remove(ctx context.Context, name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.inner.Delete(ctx, name); err != nil {
		return err
	}
	s.used -= s.sizes[name]
	delete(s.sizes, name)
	s.remember(name, false)
	return nil
}

func (s *Store) remember(name string, created bool) {
	if len(s.past) >= remembered {
		s.past = slices.Delete(s.past, 0, remembered/2)
	}
	s.past = append(s.past, change{time.Now(), name, created})
}

// list gives what a listing of a directory shows, as the store was at a time in the past; of objects that current picks, as it is now.
func (s *Store) list(dir string, recursive bool, at time.Time, current func(name string) bool) []string {
	s.mu.Lock()
	there := make(map[string]bool, len(s.sizes))
	for n := range s.sizes {
		there[n] = true
	}
	for i := len(s.past) - 1; i >= 0 && s.past[i].at.After(at); i-- {
		if !current(s.past[i].name) {
			there[s.past[i].name] = !s.past[i].created
		}
	}
	s.mu.Unlock()
	shown := map[string]struct{}{}
	for n, ok := range there {
		rest, under := strings.CutPrefix(n, dir)
		if !ok || !under {
			continue
		}
		if first, _, deeper := strings.Cut(rest, objstore.DirDelim); deeper && !recursive {
			n = dir + first + objstore.DirDelim
		}
		shown[n] = struct{}{}
	}
	return slices.Sorted(maps.Keys(shown))
}

// Connect gives a connection without faults, whose later faults are drawn from seed.
func (s *Store) Connect(seed uint64) *Bucket {
	return &Bucket{store: s, random: rand.New(rand.NewPCG(seed, 0xfa17))}
}
