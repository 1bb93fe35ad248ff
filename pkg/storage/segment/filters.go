package segment

import (
	"context"
	"fmt"
	"sync"

	"github.com/cambium-logs/cambium/pkg/storage/filter"
)

const (
	// maxKeys bounds how many of a text's keys are asked: each costs a read, and one lets at most one chunk in 64 through by mistake.
	maxKeys = 3
	// maxAnswers bounds how many texts' answers a Reader keeps.
	maxAnswers = 32
)

// filters is what a Reader knows of its section of skip filters.
type filters struct {
	mu      sync.Mutex
	header  *filter.Header
	answers map[string][]uint64 // by text: a bit per chunk that may contain it
}

// filterHeader reads the header of the section once. It is nil when the segment has no filters.
func (r *Reader) filterHeader(ctx context.Context) (*filter.Header, error) {
	section := r.footer.Filters
	if section.Length == 0 {
		return nil, nil
	}
	r.filters.mu.Lock()
	h := r.filters.header
	r.filters.mu.Unlock()
	if h != nil {
		return h, nil
	}
	_, err := r.checked(ctx, section.Offset, min(section.Length, int64(filter.HeaderBound(len(r.entries)))), func(b []byte) (err error) {
		if h, err = filter.ReadHeader(b); err != nil {
			return fmt.Errorf("%w: %w", ErrCorrupt, err)
		}
		if h.Chunks() != len(r.entries) {
			return fmt.Errorf("%w: filters of %d chunks where there are %d", ErrCorrupt, h.Chunks(), len(r.entries))
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	r.filters.mu.Lock()
	r.filters.header = h
	r.filters.mu.Unlock()
	return h, nil
}

// candidates gives a bit for every chunk that may contain a text; nil means any may.
func (r *Reader) candidates(ctx context.Context, text []byte) ([]uint64, error) {
	h, err := r.filterHeader(ctx)
	if err != nil || h == nil {
		return nil, err
	}
	r.filters.mu.Lock()
	answer, ok := r.filters.answers[string(text)]
	r.filters.mu.Unlock()
	if ok {
		return answer, nil
	}
	keys := filter.Needle(text)
	if len(keys) == 0 {
		return nil, nil
	}
	answer = make([]uint64, (len(r.entries)+63)/64)
	for i := range answer {
		answer[i] = ^uint64(0)
	}
	for _, key := range keys[:min(len(keys), maxKeys)] {
		off, length := h.Range(key)
		if off+length > r.footer.Filters.Length {
			return nil, fmt.Errorf("%w: filters lie outside of their section", ErrCorrupt)
		}
		_, err := r.checked(ctx, r.footer.Filters.Offset+off, length, func(part []byte) error {
			if err := h.Ask(key, part, answer); err != nil {
				return fmt.Errorf("%w: %w", ErrCorrupt, err)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	r.filters.mu.Lock()
	if len(r.filters.answers) >= maxAnswers || r.filters.answers == nil {
		r.filters.answers = map[string][]uint64{}
	}
	r.filters.answers[string(text)] = answer
	r.filters.mu.Unlock()
	return answer, nil
}

// Filters gives the filters of all chunks by ordinal, checked, or nil when the segment has none.
func (r *Reader) Filters(ctx context.Context) ([]filter.Packed, error) {
	section := r.footer.Filters
	if section.Length == 0 {
		return nil, nil
	}
	var out []filter.Packed
	_, err := r.checked(ctx, section.Offset, section.Length, func(b []byte) (err error) {
		if out, err = filter.DecodePacked(b); err != nil {
			return fmt.Errorf("%w: %w", ErrCorrupt, err)
		}
		if len(out) != len(r.entries) {
			return fmt.Errorf("%w: filters of %d chunks where there are %d", ErrCorrupt, len(out), len(r.entries))
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read filters of segment %s: %w", r.path, err)
	}
	return out, nil
}
