// Package idle remembers what nobody uses now, so that the rest of it can be forgotten when there is too much.
package idle

import "container/list"

// Set is a set of keys, of which it keeps those that came last. It is not safe for concurrent use.
type Set[K comparable] struct {
	limit  int
	latest *list.List // of K, the latest first
	places map[K]*list.Element
}

// NewSet makes a set of at most limit keys, which is one at least.
func NewSet[K comparable](limit int) *Set[K] {
	return &Set[K]{limit: max(limit, 1), latest: list.New(), places: map[K]*list.Element{}}
}

// Put makes a key the latest. When there are too many now it takes out the one that came first, and returns it.
func (s *Set[K]) Put(key K) (first K, over bool) {
	if at, ok := s.places[key]; ok {
		s.latest.MoveToFront(at)
		return first, false
	}
	s.places[key] = s.latest.PushFront(key)
	if len(s.places) <= s.limit {
		return first, false
	}
	first = s.latest.Remove(s.latest.Back()).(K)
	delete(s.places, first)
	return first, true
}

// Delete takes a key out, if it is in.
func (s *Set[K]) Delete(key K) {
	if at, ok := s.places[key]; ok {
		s.latest.Remove(at)
		delete(s.places, key)
	}
}

// Len is how many keys are in the set.
func (s *Set[K]) Len() int { return len(s.places) }
