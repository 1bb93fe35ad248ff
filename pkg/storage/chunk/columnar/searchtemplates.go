package columnar

import "bytes"

func (c *templateColumn) letters() alphabet {
	var a alphabet
	for i := range c.list {
		t := &c.list[i]
		b := constColumn(t.text).letters()
		a.addAll(&b)
		for s := range t.fields {
			b := c.slotLetters(i, s)
			a.addAll(&b)
		}
	}
	for p, n := range c.inPools {
		if n > 0 {
			b := c.poolLetters(byte(p))
			a.addAll(&b)
		}
	}
	return a
}

// slotLetters returns the letters of a slot, of a rare template those of its pool.
func (c *templateColumn) slotLetters(id, slot int) alphabet {
	t := &c.list[id]
	if t.pools != nil {
		return c.poolLetters(t.pools[slot])
	}
	if k := t.fields[slot].letters; numberLetters.spells(k) {
		return *k.alphabet()
	}
	col, _ := c.column(id, slot)
	return col.letters()
}

func (c *templateColumn) poolLetters(pool byte) alphabet {
	if k := c.pools[pool].letters; numberLetters.spells(k) {
		return *k.alphabet()
	}
	return c.pool(pool).letters()
}

func (c *templateColumn) search(needle []byte, rows Rows, _ int) {
	s := templateSearch{of: c, needle: needle, kinds: kindsOf(needle), straddler: straddler{needle: needle}}
	s.literal = bytes.Contains(c.text, needle)
	for _, b := range needle {
		s.straddler.holds[b] = true
	}
	for id := range c.list {
		s.decide(id)
	}
	s.mark(rows)
}

// templateSearch looks for a needle, template by template, and then for the rows of those that may hold it.
type templateSearch struct {
	of        *templateColumn
	needle    []byte
	kinds     letterKinds
	literal   bool // the needle may lie in a literal
	straddler straddler
	matches   []templateMatch // of each template; nil as long as there is none
	anyPooled bool            // one of them is pooled
	searched  [poolCount]bool
	inPool    [poolCount]Rows // values with the needle; nil when there are none
}

// templateMatch says which of a template's rows may hold the needle.
type templateMatch struct {
	all    bool
	rows   Rows // unless all: these, by place in the template
	pooled bool // unless all: those with a value in inPool
}

func (s *templateSearch) match(id int, m templateMatch) {
	if s.matches == nil {
		s.matches = make([]templateMatch, len(s.of.list))
	}
	s.matches[id] = m
	s.anyPooled = s.anyPooled || m.pooled
}

// decide finds out about the rows of a template.
func (s *templateSearch) decide(id int) {
	c, t := s.of, &s.of.list[id]
	if s.literal && t.literal(s.needle) || s.straddler.touches(t) && s.straddler.everyRowMay(c, id, false) && s.straddler.everyRowMay(c, id, true) {
		s.match(id, templateMatch{all: true})
		return
	}
	if t.pools != nil {
		found := false
		for _, p := range t.pools {
			found = s.pool(p) != nil || found
		}
		if found {
			s.match(id, templateMatch{pooled: true})
		}
		return
	}
	var found Rows
	for slot := range t.fields {
		f := &t.fields[slot]
		if !f.letters.spells(s.kinds) || int(f.base)+int(f.part) != slot {
			continue // the needle is not made of such letters, or an earlier slot has the same text
		}
		if found == nil {
			found = NewRows(t.rows)
		}
		col, part := c.column(id, slot)
		if clock, ok := col.(*clockColumn); ok {
			clock.searchPart(part, s.needle, found, t.rows)
		} else {
			col.search(s.needle, found, t.rows)
		}
	}
	if found != nil && !found.Empty() {
		s.match(id, templateMatch{rows: found})
	}
}

// pool looks for the needle in a pool, once however many templates share it.
func (s *templateSearch) pool(p byte) Rows {
	if !s.searched[p] {
		s.searched[p] = true
		if n := s.of.inPools[p]; n > 0 && s.of.pools[p].letters.spells(s.kinds) {
			rows := NewRows(n)
			if s.of.pool(p).search(s.needle, rows, n); !rows.Empty() {
				s.inPool[p] = rows
			}
		}
	}
	return s.inPool[p]
}

// mark adds the rows of the templates that match.
func (s *templateSearch) mark(rows Rows) {
	if s.matches == nil {
		return
	}
	c := s.of
	if len(c.list) == 1 && !s.matches[0].pooled {
		s.markOnly(rows)
		return
	}
	if !s.anyPooled {
		s.markOwn(rows)
		return
	}
	next := make([]int, len(c.list))
	var inPool [poolCount]int
	for row, id := range c.ids.all() {
		m, at := &s.matches[id], next[id]
		next[id]++
		switch {
		case m.all, m.rows != nil && at < c.list[id].rows && m.rows.Has(at):
			rows.Add(row)
		case m.pooled && s.anyInPool(id, inPool):
			rows.Add(row)
		}
		for _, p := range c.list[id].pools {
			inPool[p]++
		}
	}
}

// markOwn is mark where no values of pools match.
func (s *templateSearch) markOwn(rows Rows) {
	c := s.of
	matching := make([]bool, len(c.list))
	for id := range s.matches {
		matching[id] = s.matches[id].all || s.matches[id].rows != nil
	}
	next := make([]int, len(c.list))
	for row, id := range c.ids.all() {
		if !matching[id] {
			continue
		}
		m, at := &s.matches[id], next[id]
		next[id]++
		if m.all || at < c.list[id].rows && m.rows.Has(at) {
			rows.Add(row)
		}
	}
}

// markOnly is mark for a column of one template that is not rare.
func (s *templateSearch) markOnly(rows Rows) {
	m := &s.matches[0]
	if m.all {
		rows.AddAll(s.of.list[0].rows)
		return
	}
	for i, word := range m.rows {
		rows[i] |= word
	}
}

// anyInPool reports whether one of the values of a rare template's row holds the needle. The row's values begin at these places in the pools.
func (s *templateSearch) anyInPool(id uint16, at [poolCount]int) bool {
	for _, p := range s.of.list[id].pools {
		if found := s.inPool[p]; found != nil && at[p] < s.of.inPools[p] && found.Has(at[p]) {
			return true
		}
		at[p]++
	}
	return false
}

// literal reports whether a text lies in one of the template's literals.
func (t *decodedTemplate) literal(text []byte) bool {
	if !bytes.Contains(t.text, text) {
		return false
	}
	for i := range t.ends {
		if bytes.Contains(t.piece(i), text) {
			return true
		}
	}
	return false
}

// straddler finds out whether a needle may lie across literals and variables.
type straddler struct {
	needle        []byte
	holds         [256]bool // the needle's bytes
	reached, next []bool
}

// touches reports whether a part of the needle may lie in one of a template's literals and the rest beside it. Where it is not so, the needle
// cannot lie across a literal and a variable.
func (s *straddler) touches(t *decodedTemplate) bool {
	m := len(s.needle)
	for i := range t.ends {
		piece := t.piece(i)
		inner := i > 0 && i < len(t.ends)-1
		if len(piece) == 0 {
			if inner {
				return true
			}
			continue
		}
		first, last := s.holds[piece[0]], s.holds[piece[len(piece)-1]]
		if !first && !last {
			continue
		}
		if first && last && inner && len(piece) < m && bytes.Contains(s.needle, piece) {
			return true
		}
		for p := 1; p < m; p++ {
			if last && bytes.HasSuffix(piece, s.needle[:p]) || first && bytes.HasPrefix(piece, s.needle[p:]) {
				return true
			}
		}
	}
	return false
}

// everyRowMay reports whether the needle may lie across literals and variables of a template, where a variable is taken to hold any text of its
// letters: exactly those, or what is known of them without opening columns. What lies inside one variable or literal is not considered.
func (s *straddler) everyRowMay(c *templateColumn, id int, exactly bool) bool {
	t := &c.list[id]
	needle := s.needle
	m := len(needle)
	if s.reached == nil {
		s.reached, s.next = make([]bool, m), make([]bool, m)
	}
	clear(s.reached)
	// reached[p]: needle[:p] may end where the part of the template looked at ends, 0 < p < m.
	reached, next := s.reached, s.next
	for i := range t.ends {
		piece := t.piece(i)
		clear(next)
		for p := 1; p < m; p++ {
			if !reached[p] {
				continue
			}
			rest := needle[p:]
			if len(rest) <= len(piece) {
				if bytes.HasPrefix(piece, rest) {
					return true
				}
			} else if bytes.HasPrefix(rest, piece) {
				next[p+len(piece)] = true
			}
		}
		for q := 1; q < m && q <= len(piece); q++ {
			if bytes.Equal(piece[len(piece)-q:], needle[:q]) {
				next[q] = true
			}
		}
		reached, next = next, reached
		if i == t.slots() {
			break
		}
		letters := c.roughLetters(id, i)
		if exactly {
			letters = c.slotLetters(id, i)
		}
		// The needle may go on through the variable from where it was reached, or start in it.
		copy(next, reached)
		for p := 1; p < m; p++ {
			if !reached[p] {
				continue
			}
			for q := p; letters.has(needle[q]); q++ {
				if q == m-1 {
					return true
				}
				next[q+1] = true
			}
		}
		for q := 0; q < m-1 && letters.has(needle[q]); q++ {
			next[q+1] = true
		}
		reached, next = next, reached
	}
	return false
}

// roughLetters are all letters of a slot and maybe others, without opening its column.
func (c *templateColumn) roughLetters(id, slot int) alphabet {
	t := &c.list[id]
	if t.pools != nil {
		return *c.pools[t.pools[slot]].letters.alphabet()
	}
	return *t.fields[slot].letters.alphabet()
}
