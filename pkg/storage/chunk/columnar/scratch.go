package columnar

import "sync"

// scratch is room for bytes that are decompressed and not kept.
type scratch struct{ buf []byte }

var scratches = sync.Pool{New: func() any { return &scratch{} }}

// maxScratch bounds the room that is kept.
const maxScratch = 1 << 20

func takeScratch() *scratch { return scratches.Get().(*scratch) }

// giveBack lets others use the room: nothing that lies in it may be used any more.
func (s *scratch) giveBack() {
	if cap(s.buf) <= maxScratch {
		scratches.Put(s)
	}
}

// room gives an empty slice with room for n bytes. What it gave before may not be used any more.
func (s *scratch) room(n int) []byte {
	if cap(s.buf) < n {
		s.buf = make([]byte, 0, max(n, 2*cap(s.buf)))
	}
	return s.buf[:0]
}
