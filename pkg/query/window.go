package query

// slide gives every window that holds a cell its value. The cells of a window lie on two stacks: those that leave it next, each with the merged
// state of itself and the ones above it, and those that came later, as one merged state. So a cell is merged at most twice, however many windows
// it is in, and nothing is ever subtracted.
func (a *aggregate[P]) slide(c *cells[P], g *grid, emit func(step int, v float64)) {
	var (
		i, mid, j int // cells [i, mid) are on the first stack, [mid, j) on the second
		leaving   []P // leaving[x-base] is the state of cells x … mid-1
		base      int
		arrived   P // the state of cells mid … j-1; meaningless when mid == j
	)
	turn := func() {
		base, mid = i, j
		leaving = append(leaving[:0], c.state[i:j]...)
		for n := len(leaving) - 2; n >= 0; n-- {
			a.merge(&leaving[n], &leaving[n+1])
		}
	}
	for k := 0; k < g.n; k++ {
		first, last := g.window(k)
		for ; j < len(c.index) && c.index[j] <= last; j++ {
			if j == mid {
				arrived = c.state[j]
			} else {
				a.merge(&arrived, &c.state[j])
			}
		}
		for ; i < j && c.index[i] < first; i++ {
			if i == mid {
				turn()
			}
		}
		if i == j {
			mid = j
			if j == len(c.index) {
				return
			}
			k = g.stepReaching(c.index[j], k+1) - 1
			continue
		}
		state := arrived
		if i < mid {
			state = leaving[i-base]
			if mid < j {
				a.merge(&state, &arrived)
			}
		}
		to := g.time(k) - g.offset
		emit(k, a.value(&state, to-g.rng, to))
	}
}
