package columnar

// Codes numbers the distinct values of a variable where they are stored as a dictionary or a constant: codes holds the number, below distinct, of
// each value, or is nil when distinct is 1. Distinct is 0 when values have no numbers.
func (s *Shape) Codes(slot int) (codes []uint64, distinct int) {
	switch c := s.column(slot).(type) {
	case constColumn:
		return nil, 1
	case *dictColumn:
		return c.ids.all(), c.count
	}
	return nil, 0
}

// exactFloat is the bound below which every whole number is a float64.
const exactFloat = 1 << 53

// Numbers gives the values of a variable as the numbers that their text stands for, rounded as strconv.ParseFloat does; ok is false for a value
// that has to be read from its text. It is nil where values are not stored as numbers.
func (s *Shape) Numbers(slot int) func(at int) (v float64, ok bool) {
	var whole *intStream
	switch c := s.column(slot).(type) {
	case *intColumn:
		whole = c.values
	case *fixedColumn:
		whole = c.values
	case *digitsColumn:
		whole = c.values
	case *decimalColumn:
		values, unit := c.values.all(), float64(pow10[c.places])
		return func(at int) (float64, bool) {
			v := int64(unzigzag(values[at]))
			// Both are exact, so that the quotient is rounded once, as reading the text does.
			return float64(v) / unit, v > -exactFloat && v < exactFloat
		}
	default:
		return nil
	}
	values := whole.all()
	return func(at int) (float64, bool) { return float64(values[at]), values[at] < exactFloat }
}

// Distinct is how many numbered values there are when values are stored as a dictionary or a constant, else 0.
func (v *Values) Distinct() int {
	switch c := v.column.(type) {
	case constColumn:
		return 1
	case *dictColumn:
		return c.count
	}
	return 0
}

// AppendDistinct appends the value with a number below Distinct.
func (v *Values) AppendDistinct(dst []byte, number int) []byte {
	if c, ok := v.column.(*dictColumn); ok {
		return c.entries.append(dst, number)
	}
	return v.column.append(dst, 0)
}

// Number gives the number of row's value. Distinct is not 0.
func (v *Values) Number(row int) int {
	if c, ok := v.column.(*dictColumn); ok {
		return int(c.ids.at(row))
	}
	return 0
}

// Numbers gives the numbers of all values, which must not be changed, or nil when all are 0. Distinct is not 0.
func (v *Values) Numbers() []uint64 {
	if c, ok := v.column.(*dictColumn); ok {
		return c.ids.all()
	}
	return nil
}
