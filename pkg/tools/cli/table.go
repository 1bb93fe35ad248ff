package cli

import (
	"io"
	"strings"
	"unicode/utf8"
)

const columnGap = "  "

// Table writes rows in aligned columns under a header, which may be nil. Columns whose header begins with ">" are aligned to the right.
// Nothing follows the last column's text.
func Table(w io.Writer, header []string, rows [][]string) error {
	var widths []int
	right := make([]bool, len(header))
	measure := func(row []string) {
		for i, cell := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	names := make([]string, len(header))
	for i, name := range header {
		names[i], right[i] = strings.CutPrefix(name, ">")
	}
	measure(names)
	for _, row := range rows {
		measure(row)
	}
	var b strings.Builder
	write := func(row []string) error {
		b.Reset()
		for i, cell := range row {
			if i > 0 {
				b.WriteString(columnGap)
			}
			space := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell))
			if i < len(right) && right[i] {
				b.WriteString(space + cell)
			} else {
				b.WriteString(cell + space)
			}
		}
		_, err := io.WriteString(w, strings.TrimRight(b.String(), " ")+"\n")
		return err
	}
	if len(names) > 0 {
		if err := write(names); err != nil {
			return err
		}
	}
	for _, row := range rows {
		if err := write(row); err != nil {
			return err
		}
	}
	return nil
}
