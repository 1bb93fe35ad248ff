package query

import (
	"math/bits"

	"github.com/cambium-logs/cambium/pkg/storage/chunk"
)

// candidateRows gives the rows of a chunk whose lines may contain a text of every set, or nil when the chunk cannot tell.
func candidateRows(r chunk.Reader, n int, t *texts) chunk.Rows {
	s, ok := r.(chunk.Searcher)
	if !ok || t == nil || len(t.lines) == 0 {
		return nil
	}
	var all chunk.Rows
	for _, set := range t.lines {
		if !worthSearching(set) {
			continue
		}
		rows := chunk.NewRows(n)
		for _, text := range set {
			s.Search(text, rows)
		}
		if all == nil {
			all = rows
			continue
		}
		for i := range all {
			all[i] &= rows[i]
		}
	}
	return all
}

// worthSearching reports whether looking for every text of a set in columns tells more than it costs: short texts are nearly everywhere, and each
// text is a search of its own.
func worthSearching(set [][]byte) bool {
	least := 2
	if len(set) > 1 {
		least = 3
	}
	for _, text := range set {
		if len(text) < least {
			return false
		}
	}
	return len(set) <= 16
}

// nextRow gives the first row of the set after a row, or end when there is none before end.
func nextRow(rows chunk.Rows, row, end int) int {
	row++
	for row < end {
		if word := rows[row>>6] >> (row & 63); word != 0 {
			return row + bits.TrailingZeros64(word)
		}
		row = row&^63 + 64
	}
	return end
}

// previousRow gives the last row of the set before a row, or -1.
func previousRow(rows chunk.Rows, row int) int {
	row--
	for row >= 0 {
		if word := rows[row>>6] << (63 - row&63); word != 0 {
			return row - bits.LeadingZeros64(word)
		}
		row = row&^63 - 1
	}
	return -1
}
