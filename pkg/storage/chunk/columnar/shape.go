package columnar

// Shape is one template of a column: values that differ only in their variables.
type Shape struct {
	of *templateColumn
	id int
}

// shapes are the templates of a column, made when they are first asked for.
func (c *templateColumn) shapes() []Shape {
	c.shapesOnce.Do(func() {
		c.shapeList = make([]Shape, len(c.list))
		for i := range c.list {
			c.shapeList[i] = Shape{of: c, id: i}
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
	id, at := c.place(row)
	return &c.shapes()[id], at
}

// Shapes gives the templates of all values: value i has template ids[i], of whose rows it is row at[i]. Where ids is nil, all have the first one
// and value i is its row i. Without templates there is none. The slices must not be changed.
func (v *Values) Shapes() (shapes []Shape, ids []uint16, at []int32) {
	c, ok := v.column.(*templateColumn)
	switch {
	case !ok:
		return nil, nil, nil
	case len(c.list) == 1:
		return c.shapes(), nil, nil
	}
	return c.shapes(), c.ids.all(), c.allPlaces().index
}

// Pieces are the literals: a value is piece 0, variable 0, piece 1, …, last piece. They must not be changed.
func (s *Shape) Pieces() [][]byte { return s.of.list[s.id].allPieces() }

// column returns the column of a variable; nil when it is part of a time of day or pooled.
func (s *Shape) column(slot int) column {
	t := &s.of.list[s.id]
	if t.pools != nil {
		return nil
	}
	col, _ := s.of.column(s.id, slot)
	if _, ok := col.(*clockColumn); ok {
		return nil
	}
	return col
}

// Only reports whether all bytes of the values of a variable satisfy ok. It may say no although they do.
func (s *Shape) Only(slot int, ok func(b byte) bool) bool {
	letters := s.of.slotLetters(s.id, slot)
	for b := range 256 {
		if letters.has(byte(b)) && !ok(byte(b)) {
			return false
		}
	}
	return true
}

// Numeric reports whether all values of a variable are decimal numbers: an optional minus, digits, and maybe a point and more digits.
func (s *Shape) Numeric(slot int) bool {
	switch s.column(slot).(type) {
	case *intColumn, *fixedColumn, *digitsColumn, *decimalColumn:
		return true
	}
	return false
}

// Distinct returns the distinct values of a variable when it is stored as a dictionary or a constant, else nil.
func (s *Shape) Distinct(slot int) [][]byte {
	switch c := s.column(slot).(type) {
	case constColumn:
		return [][]byte{c}
	case *dictColumn:
		out, size := make([][]byte, c.count), 0
		for i := range out {
			out[i] = c.entries.append(nil, i)
			if size += len(out[i]); size > s.of.longest {
				s.of.fault.set(errTooLong)
				return nil
			}
		}
		return out
	}
	return nil
}

// Append appends a variable of the at-th value.
func (s *Shape) Append(dst []byte, slot, at int) []byte {
	if s.of.list[s.id].pools != nil {
		return s.of.appendPooledSlot(dst, s.id, slot, at)
	}
	return s.of.appendSlot(dst, s.id, slot, at)
}
