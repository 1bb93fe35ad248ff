package columnar

// A template with few rows has no columns of its own: its variables go, row by row and slot by slot, to pools that all such templates
// share, one for each class of text, so that a few numbers do not pay for a column each.
const (
	poolInts = iota
	poolUUIDs
	poolHex8
	poolHex16
	poolHex32
	poolHex
	poolOther
	poolCount
)

func poolOf(v []byte) uint8 {
	digits, hex := true, true
	for i, c := range v {
		if c == '-' && len(v) == 36 && (i == 8 || i == 13 || i == 18 || i == 23) {
			continue
		}
		digits = digits && c-'0' <= 9
		hex = hex && isHex(class[c])
	}
	switch {
	case len(v) == 36 && hex:
		return poolUUIDs
	case len(v) == 8 && hex && !digits:
		return poolHex8
	case len(v) == 16 && hex && !digits:
		return poolHex16
	case len(v) == 32 && hex:
		return poolHex32
	case digits && len(v) > 0 && len(v) <= 19:
		return poolInts
	case hex && len(v) > 0:
		return poolHex
	}
	return poolOther
}

// classify returns the pool of each slot: the class that all of its values share.
func (t *template) classify(values [][]byte) []uint8 {
	n := t.slots()
	pools := make([]uint8, n)
	for s := range n {
		for i := range t.rows {
			p := poolOf(t.text(values, i, s))
			switch {
			case i == 0:
				pools[s] = p
			case p == pools[s]:
			case p < poolOther && pools[s] < poolOther && p != poolUUIDs && pools[s] != poolUUIDs:
				pools[s] = poolHex
			default:
				pools[s] = poolOther
			}
		}
	}
	return pools
}

// poolColumns appends the pools in order, each as a column; the decoder derives their lengths from the templates and ids.
func (e *Encoder) poolColumns(dst []byte, list []*template, values [][]byte, ids []uint64, depth int) []byte {
	var sizes [poolCount]int
	for _, t := range list {
		for _, p := range t.pools {
			sizes[p] += len(t.rows)
		}
	}
	markTexts := e.usedTexts
	defer func() { e.usedTexts = markTexts }()
	var pools [poolCount][][]byte
	for p, n := range sizes {
		if n > 0 {
			pools[p] = e.grabTexts(n)[:0]
		}
	}
	next := make([]int, len(list))
	for _, id := range ids {
		t := list[id]
		if t.pools == nil {
			continue
		}
		for s, p := range t.pools {
			pools[p] = append(pools[p], t.text(values, next[id], s))
		}
		next[id]++
	}
	for _, values := range pools {
		if len(values) > 0 {
			dst = e.column(dst, values, nil, depth+1)
		}
	}
	return dst
}
