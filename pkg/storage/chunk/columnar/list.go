package columnar

// Template is a skeleton that values share: pieces of text with a variable between each two.
type Template struct {
	Pieces [][]byte // at least one; they belong to the column
	Rows   int
}

// Templates lists the templates of a column of n rows, in the order of their numbers. It is nil where values are not kept as templates.
func (v *Values) Templates(n int) []Template {
	switch c := v.column.(type) {
	case constColumn:
		if n == 0 {
			return nil
		}
		return []Template{{Pieces: [][]byte{c}, Rows: n}}
	case *templateColumn:
		return c.templates()
	case *dictColumn:
		entries, ok := c.entries.(*templateColumn)
		if !ok {
			return nil
		}
		list := entries.templates()
		for i := range list {
			list[i].Rows = 0
		}
		templateOf := entries.ids.all()
		for _, id := range c.ids.all() {
			list[templateOf[id]].Rows++
		}
		return list
	}
	return nil
}

func (c *templateColumn) templates() []Template {
	list := make([]Template, len(c.list))
	for i := range c.list {
		list[i] = Template{Pieces: c.list[i].allPieces(), Rows: c.list[i].rows}
	}
	return list
}
