package columnar

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/zstd"
)

func TestSizes(t *testing.T) {
	dir := os.Getenv("COL_DIR")
	files, _ := filepath.Glob(dir + "/*.log")
	z3, _ := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedDefault))
	var raw, tz, tc, tsn int
	for _, f := range files {
		b, _ := os.ReadFile(f)
		lines := bytes.Split(bytes.TrimSuffix(b, []byte("\n")), []byte("\n"))
		e := NewEncoder()
		out := e.Column(nil, lines, nil)
		col, rest, err := Decode(out, len(lines), nil, len(b))
		if err != nil || len(rest) != 0 {
			t.Fatal(f, err, len(rest))
		}
		for i, l := range lines {
			if got := col.Append(nil, i); !bytes.Equal(got, l) {
				t.Fatalf("%s row %d:\n%q\n%q", f, i, got, l)
			}
		}
		z := len(z3.EncodeAll(b, nil))
		sn := len(s2.EncodeSnappy(nil, b))
		t.Logf("%-20s raw %8d zstd %7d col %7d  ratio %.3f  snappy %.3f", filepath.Base(f), len(b), z, len(out), float64(len(out))/float64(z), float64(len(out))/float64(sn))
		raw += len(b)
		tz += z
		tc += len(out)
		tsn += sn
	}
	t.Logf("all: raw %d zstd %d col %d ratio %.3f snappy %.3f", raw, tz, tc, float64(tc)/float64(tz), float64(tc)/float64(tsn))
}
