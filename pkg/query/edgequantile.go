package query

import "math"

// maxEdge is how many values of a cell are kept in order at most: beyond, sorting it is cheaper.
const maxEdge = 16

// edgeQuantiles is quantiles where the ranks that are asked for lie near one end of every window: only the values at that end of a cell are
// brought into order. It does nothing and gives false where they do not.
func edgeQuantiles(q float64, c *cells[valueList], g *grid, emit func(int, float64)) bool {
	if math.IsNaN(q) || q < 0 || q > 1 {
		return false
	}
	largest, total := 0, 0
	eachWindow(c, g, func(_, i, j, n int) { largest, total = max(largest, n), total+j-i })
	e := edge{top: q >= 0.5}
	e.keep = e.rank(rankOf(q, largest), largest) + 2
	if e.keep > maxEdge || e.keep*2*len(c.state) > valuesIn(c) {
		return false
	}
	for i := range c.state {
		e.order(c.state[i])
	}
	eachWindow(c, g, func(k, i, j, n int) {
		lists := c.state[i:j]
		e.begin(lists)
		emit(k, quantileOf(q, n, func(rank int) float64 { return e.at(lists, e.rank(rank, n)) }))
	})
	return true
}

func valuesIn(c *cells[valueList]) (n int) {
	for _, list := range c.state {
		n += len(list)
	}
	return n
}

// edge finds values by their rank from one end, in lists of which the values at that end come first and in order.
type edge struct {
	top  bool // the greatest come first
	keep int  // how many of each list are in order

	next  []int // of each list: its first value that was not passed yet
	rank0 int   // how many were passed
}

// rank turns a rank among n values, counted from the least one, into one counted from the edge.
func (e *edge) rank(rank, n int) int {
	if e.top {
		return n - 1 - rank
	}
	return rank
}

// comes reports whether a comes before b, as seen from the edge. NaN is less than everything.
func (e *edge) comes(a, b float64) bool {
	if e.top {
		a, b = b, a
	}
	return a < b || a != a && b == b
}

// order brings the first values, as seen from the edge, to the front of a list.
func (e *edge) order(list valueList) {
	for i, v := range list {
		n := min(i, e.keep)
		if n == e.keep && !e.comes(v, list[n-1]) {
			continue
		}
		if n == e.keep {
			list[i] = list[n-1]
			n--
		}
		for ; n > 0 && e.comes(v, list[n-1]); n-- {
			list[n] = list[n-1]
		}
		list[n] = v
	}
}

// begin starts with other lists.
func (e *edge) begin(lists []valueList) {
	e.next, e.rank0 = e.next[:0], 0
	for range lists {
		e.next = append(e.next, 0)
	}
}

// at gives the value of a rank from the edge, which is below keep.
func (e *edge) at(lists []valueList, rank int) float64 {
	if rank < e.rank0 {
		e.begin(lists)
	}
	for {
		first := -1
		for i, list := range lists {
			if e.next[i] < len(list) && (first < 0 || e.comes(list[e.next[i]], lists[first][e.next[first]])) {
				first = i
			}
		}
		if e.rank0 == rank {
			return lists[first][e.next[first]]
		}
		e.next[first]++
		e.rank0++
	}
}
