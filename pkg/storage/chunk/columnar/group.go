package columnar

import (
	"bytes"
	"slices"
)

// cuts are the variables that the rows of a column were cut into.
type cuts struct {
	spans []span
	first []uint32 // per row: its first span
}

// reset forgets everything, and makes room for so many rows.
func (c *cuts) reset(rows int) {
	if cap(c.first) < rows || cap(c.spans) > maxKeptSpans {
		*c = cuts{first: make([]uint32, rows+rows/4), spans: make([]span, 0, min(8*rows, maxKeptSpans))}
	}
	c.first, c.spans = c.first[:rows], c.spans[:0]
}

// maxKeptSpans bounds what an Encoder keeps from column to column.
const maxKeptSpans = 1 << 20

// noTemplate is the template of a row that has none.
const noTemplate = -1

// skeletons are the templates that rows are cut into, in order of first use.
type skeletons struct {
	list   []*template
	counts []int32 // rows of each
	after  []int32 // what came after a row of each the last time
	byHash map[uint64]int32
	last   int32      // template of the row before
	free   [][]byte   // for pieces
	slab   []template // for the list
}

// reset forgets everything. Templates that were given away stay as they are.
func (s *skeletons) reset() {
	if s.byHash == nil || len(s.byHash) > maxTemplates {
		s.byHash = map[uint64]int32{}
	}
	clear(s.byHash)
	s.list, s.counts, s.after = s.list[:0], s.counts[:0], s.after[:0]
	s.last = noTemplate
}

// find gives the template of a line, whose variables the tokenizer adds to its own. It returns noTemplate when the line cannot be cut, or when
// another skeleton has the same hash.
func (s *skeletons) find(tok *tokenizer, line []byte) int32 {
	first := len(tok.spans)
	if s.last >= 0 {
		// Lines repeat themselves, and follow each other as they did before.
		if id := s.after[s.last]; s.list[id].form != formOther && tok.follow(line, s.list[id]) {
			return s.came(id)
		}
	}
	if !tok.line(line) {
		return noTemplate
	}
	spans := tok.spans[first:]
	hash := hashLiterals(line, spans)
	id, ok := s.byHash[hash]
	if !ok {
		id = int32(len(s.list))
		s.byHash[hash] = id
		s.list = append(s.list, s.make(line, spans))
		s.list[id].form = tok.form
		s.counts = append(s.counts, 0)
		s.after = append(s.after, id)
	} else if !s.list[id].fits(line, spans) {
		return noTemplate
	}
	return s.came(id)
}

// came counts a row of a template.
func (s *skeletons) came(id int32) int32 {
	if s.last >= 0 {
		s.after[s.last] = id
	}
	s.last = id
	s.counts[id]++
	return id
}

func (s *skeletons) make(line []byte, spans []span) *template {
	if len(s.free) <= len(spans) {
		s.free = make([][]byte, max(min(4*len(s.list), 4096), len(spans)+1, 16))
	}
	if len(s.slab) == 0 {
		s.slab = make([]template, max(min(len(s.list), 256), 4))
	}
	t := &s.slab[0]
	s.slab = s.slab[1:]
	t.pieces = cut(s.free[:0:len(spans)+1], line, spans)
	s.free = s.free[len(spans)+1:]
	return t
}

// cut appends the literals of a line to pieces.
func cut(pieces [][]byte, line []byte, spans []span) [][]byte {
	at := uint32(0)
	for _, s := range spans {
		pieces = append(pieces, line[at:s.off])
		at = s.off + s.n
	}
	return append(pieces, line[at:])
}

func (t *template) fits(line []byte, spans []span) bool {
	if len(spans) != t.slots() {
		return false
	}
	at := uint32(0)
	for i, s := range spans {
		if !bytes.Equal(t.pieces[i], line[at:s.off]) {
			return false
		}
		at = s.off + s.n
	}
	return bytes.Equal(t.pieces[len(spans)], line[at:])
}

// wholeLine marks the template of the rows that share no skeleton: one variable and nothing else.
var wholeLine = [][]byte{nil, nil}

// A skeleton with fewer rows than these does not become a template.
const (
	minRows     = 8
	minWordRows = 32
)

// grouper holds what is needed while rows are grouped.
type grouper struct {
	tok, words tokenizer
	byShape    skeletons // of lines cut by tok
	byWords    skeletons // of lines cut by words

	ids      []int32 // template of each row
	shapes   []int32 // which of byShape each row has
	all      []int32 // the numbers of all rows
	rare     []int32 // rows whose shape is rare
	inWords  []int32 // which of byWords each of these has
	firsts   []uint32
	renumber []int32
}

// group cuts the values into templates, and gives the template of each value. Skeletons that differ in words only are merged where that is likely to
// be smaller, and what has no template of its own then stands whole.
func (g *grouper) group(values [][]byte, c *cuts, parts bool) (list []*template, ids []int32) {
	g.tok.parts = parts
	c.reset(len(values))
	g.all = sized(g.all, len(values))
	for i := range g.all {
		g.all[i] = int32(i)
	}
	g.shapes = sized(g.shapes, len(values))
	g.byShape.cut(&g.tok, values, g.all, g.shapes, c.first, c)

	// Templates with rows enough are kept.
	number := g.renumbered(len(g.byShape.list))
	for id, t := range g.byShape.list {
		if g.byShape.counts[id] >= minRows {
			number[id] = int32(len(list))
			list = append(list, t)
		}
	}
	g.ids = sized(g.ids, len(values))
	g.rare = g.rare[:0]
	for row, shape := range g.shapes {
		if shape >= 0 && number[shape] >= 0 {
			g.ids[row] = number[shape]
		} else {
			g.rare = append(g.rare, int32(row))
		}
	}
	if len(g.rare) > 0 {
		list = g.groupRare(list, values, c)
	}
	deal(list, g.ids, c)
	for _, t := range list {
		if t.whole() {
			continue
		}
		t.fold(values)
		if t.rare {
			t.pools = t.classify(values)
		}
	}
	return list, g.ids
}

// groupRare adds the templates of the rows whose shape is rare.
func (g *grouper) groupRare(list []*template, values [][]byte, c *cuts) []*template {
	g.inWords = sized(g.inWords, len(g.rare))
	g.firsts = sized(g.firsts, len(g.rare))
	g.byWords.cut(&g.words, values, g.rare, g.inWords, g.firsts, c)
	for id, t := range g.byWords.list {
		// From here on, counts are the numbers of the templates that are kept.
		if g.byWords.counts[id] >= minWordRows {
			g.byWords.counts[id] = int32(len(list))
			list = append(list, t)
		} else {
			g.byWords.counts[id] = noTemplate
		}
	}
	number := g.renumbered(len(g.byShape.list))
	whole := g.rare[:0]
	for i, row := range g.rare {
		switch words, shape := g.inWords[i], g.shapes[row]; {
		case words >= 0 && g.byWords.counts[words] >= 0:
			g.ids[row] = g.byWords.counts[words]
			c.first[row] = g.firsts[i]
		case words < 0 || shape < 0:
			whole = append(whole, row)
		default:
			if number[shape] < 0 {
				number[shape] = int32(len(list))
				t := g.byShape.list[shape]
				t.rare = true
				list = append(list, t)
			}
			g.ids[row] = number[shape]
		}
	}
	if len(whole) == 0 {
		return list
	}
	for _, row := range whole {
		g.ids[row] = int32(len(list))
		c.first[row] = uint32(len(c.spans))
		c.spans = append(c.spans, span{0, uint32(len(values[row]))})
	}
	return append(list, &template{pieces: wholeLine})
}

// renumbered is room for a new number for each of so many templates.
func (g *grouper) renumbered(n int) []int32 {
	g.renumber = sized(g.renumber, n)
	for i := range g.renumber {
		g.renumber[i] = noTemplate
	}
	return g.renumber
}

// sized is s with so many elements, which may be anything.
func sized[T any](s []T, n int) []T { return slices.Grow(s[:0], n)[:n] }

// cut cuts some of the values and finds their templates. Ids and first tell, of each of the rows, its template and its first span.
func (s *skeletons) cut(tok *tokenizer, values [][]byte, rows, ids []int32, first []uint32, c *cuts) {
	s.reset()
	tok.spans = c.spans
	for i, row := range rows {
		first[i] = uint32(len(tok.spans))
		ids[i] = s.find(tok, values[row])
	}
	c.spans, tok.spans = tok.spans, nil
}

// deal gives every template its rows.
func deal(list []*template, ids []int32, c *cuts) {
	counts := make([]int32, len(list))
	for _, id := range ids {
		counts[id]++
	}
	all := make([]int32, len(ids))
	var slot []uint32
	for id, t := range list {
		n := counts[id]
		t.rows, all = all[:0:n], all[n:]
		for len(slot) < t.slots() {
			slot = append(slot, uint32(len(slot)))
		}
		t.slot, t.cuts = slot[:t.slots()], c
	}
	for row, id := range ids {
		t := list[id]
		t.rows = append(t.rows, int32(row))
	}
}
