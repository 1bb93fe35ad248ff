package logql

// ParseExtended parses with the grammar of the extensions alone, which Parse tries second.
func ParseExtended(text string) (Expr, error) {
	e, _, err := parse(text, true)
	return e, err
}
