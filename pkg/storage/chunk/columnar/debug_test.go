package columnar

import (
	"bytes"
	"fmt"
	"os"
	"sort"
	"testing"
)

func TestDump(t *testing.T) {
	b, _ := os.ReadFile(os.Getenv("COL_FILE"))
	lines := bytes.Split(bytes.TrimSuffix(b, []byte("\n")), []byte("\n"))
	e := NewEncoder()
	list := e.group(lines)
	fmt.Println("templates", len(list))
	type row struct {
		s string
		n int
	}
	var rows []row
	tot := 0
	var text []byte
	for _, tm := range list {
		n := tm.slots()
		for _, p := range tm.pieces {
			text = append(text, p...)
			text = append(text, 1)
		}
		for s := 0; s < n; {
			sz := 0
			used := 1
			if out, u := e.timeOfDay(nil, tm, s, lines, nil); u > 0 {
				sz = len(out)
				used = u
			} else {
				var vals [][]byte
				for i, r := range tm.rows {
					sp := tm.spans[i*n+s]
					vals = append(vals, lines[r][sp.off:sp.off+sp.n])
				}
				out := e.column(nil, vals, nil, 1)
				sz = len(out)
				rows = append(rows, row{fmt.Sprintf("kind %d rows %d slot %d of %q ex %q %q", out[0], len(tm.rows), s, bytes.Join(tm.pieces, []byte("§")), vals[0], vals[len(vals)/2]), sz})
			}
			tot += sz
			s += used
		}
	}
	sort.Slice(rows, func(i, j int) bool { return rows[i].n > rows[j].n })
	fmt.Println("cols", tot, len(rows), "text", len(text), len(e.block(nil, text, false)))
	for _, r := range rows[:min(25, len(rows))] {
		fmt.Println(r.n, r.s)
	}
}
