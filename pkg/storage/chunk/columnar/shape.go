package columnar

// Shape is one template of a column: values that differ only in their variables.
type Shape struct {
	template *decodedTemplate
	rows     []int32
}

// shapes are the templates of a column, made when they are first asked for.
func (c *templateColumn) shapes() []Shape {
	c.shapesOnce.Do(func() {
		c.locate()
		c.shapeList = make([]Shape, len(c.list))
		for i := range c.list {
			c.shapeList[i] = Shape{template: &c.list[i], rows: c.rowOf[i]}
		}
	})
	return c.shapeList
}

// Shape returns the template of row's value, and which of the template's rows it is. It returns nil when values have no templates.
func (v *Values) Shape(row int) (shape *Shape, at int) {
	c, ok := v.column.(*templateColumn)
	if !ok {
		return nil, 0
	}
	list := c.shapes()
	return &list[c.ids.all()[row]], int(c.index[row])
}

// Shapes calls f with every template, and the rows (ascending) that have it.
func (v *Values) Shapes(f func(s *Shape, rows []int32)) {
	if c, ok := v.column.(*templateColumn); ok {
		list := c.shapes()
		for i := range list {
			f(&list[i], list[i].rows)
		}
	}
}

// Pieces are the literals: a value is piece 0, variable 0, piece 1, …, last piece. They must not be changed.
func (s *Shape) Pieces() [][]byte { return s.template.pieces }

// Only reports whether all bytes of the values of a variable satisfy ok. It may say no although they do.
func (s *Shape) Only(slot int, ok func(b byte) bool) bool {
	letters := s.template.fields[slot].letters()
	for b := range 256 {
		if letters.has(byte(b)) && !ok(byte(b)) {
			return false
		}
	}
	return true
}

// Numeric reports whether all values of a variable are decimal numbers: an optional minus, digits, and maybe a point and more digits.
func (s *Shape) Numeric(slot int) bool {
	switch s.template.fields[slot].column.(type) {
	case *intColumn, *fixedColumn, *digitsColumn, *decimalColumn:
		return true
	}
	return false
}

// Distinct returns the distinct values of a variable when it is stored as a dictionary or a constant, else nil.
func (s *Shape) Distinct(slot int) [][]byte {
	switch c := s.template.fields[slot].column.(type) {
	case constColumn:
		return [][]byte{c}
	case *dictColumn:
		out := make([][]byte, c.count)
		for i := range out {
			out[i] = c.entries.append(nil, i)
		}
		return out
	}
	return nil
}

// Append appends a variable of the at-th value.
func (s *Shape) Append(dst []byte, slot, at int) []byte {
	return s.template.fields[slot].append(dst, at)
}
