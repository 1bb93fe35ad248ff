package query

import "sort"

// stretchRows bounds a stretch, so that the context is looked at often enough.
const stretchRows = bytesPerCheck / rowBytes

// stretch gives the rows that come next one after the other: those from the source's next row on, before end. There are none where rows of several
// chunks are mixed, are chosen, or come backward.
func (c *cursor) stretch() (s *source, end int) {
	s = c.src
	if c.backward || s.rows != nil || len(c.pending) > 0 || len(c.open) != 1 || c.open[0] != s {
		return s, s.row
	}
	end = min(s.end, s.row+stretchRows)
	if n := len(c.waiting); n > 0 {
		if from := c.waiting[n-1].Meta().MinT; s.reader.Timestamp(end-1) >= from {
			end = s.row + sort.Search(end-s.row, func(i int) bool { return s.reader.Timestamp(s.row+i) >= from })
		}
	}
	return s, end
}

// pass leaves a stretch behind, whose last row then is the current one.
func (c *cursor) pass(end int) {
	s := c.src
	c.sinceCheck += (end - s.row) * rowBytes
	s.read += end - s.row
	s.row = end
	c.take(rowRef{s, end - 1}, s.reader.Timestamp(end-1))
	if end != s.end {
		s.ts = s.reader.Timestamp(end)
	}
	c.settle()
}
