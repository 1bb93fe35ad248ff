package inspect

import (
	"fmt"
	"io"
	"strings"

	"github.com/cambium-logs/cambium/pkg/storage/segment"
	"github.com/cambium-logs/cambium/pkg/tools/cli"
)

// write shows the segment to a person.
func (d *description) write(w io.Writer) error {
	f := &d.Footer
	rows := [][]string{
		{"segment", d.Segment},
		{"level", fmt.Sprint(f.Level)},
		{"time", cli.ShortTime(f.MinT) + " to " + cli.ShortTime(f.MaxT)},
		{"content", cli.Plural(int64(f.Streams), "stream") + ", " + cli.Plural(int64(f.Chunks), "chunk") + ", " + cli.Plural(f.Rows, "row")},
		{"size", fmt.Sprintf("%s for %s raw, ratio %s", cli.Bytes(d.Size), cli.Bytes(f.RawBytes), cli.Ratio(f.RawBytes, d.Size))},
	}
	for i, id := range f.Sources {
		rows = append(rows, []string{first(i, "sources"), id.String()})
	}
	for i, id := range f.Deletes {
		rows = append(rows, []string{first(i, "deletes"), cli.Printable(id)})
	}
	if err := cli.Table(w, nil, rows); err != nil {
		return err
	}
	if err := d.writeSections(w); err != nil {
		return err
	}
	if err := d.writeEncodings(w); err != nil {
		return err
	}
	for i := range d.Streams {
		if err := d.Streams[i].write(w); err != nil {
			return err
		}
	}
	if d.Omitted > 0 {
		_, err := fmt.Fprintf(w, "\n%s not shown\n", cli.Plural(int64(d.Omitted), "stream"))
		return err
	}
	return nil
}

func first(i int, name string) string {
	if i > 0 {
		return ""
	}
	return name
}

func (d *description) writeSections(w io.Writer) error {
	f := &d.Footer
	var rows [][]string
	end := int64(0)
	for _, s := range []struct {
		name string
		segment.Section
	}{{"chunks", f.ChunkData}, {"filters", f.Filters}, {"index", f.Index}, {"directory", f.Directory}} {
		sum := "per part"
		if s.CRC != 0 {
			sum = fmt.Sprintf("%08x", s.CRC)
		}
		rows = append(rows, []string{s.name, cli.Count(s.Offset), cli.Count(s.Length), d.share(s.Length), sum})
		end = s.Offset + s.Length
	}
	rows = append(rows, []string{"footer", cli.Count(end), cli.Count(d.Size - end), d.share(d.Size - end), ""})
	fmt.Fprintln(w)
	return cli.Table(w, []string{"SECTION", ">OFFSET", ">BYTES", ">SHARE", "CRC32C"}, rows)
}

func (d *description) share(n int64) string {
	return fmt.Sprintf("%.1f%%", 100*float64(n)/float64(max(d.Size, 1)))
}

func (d *description) writeEncodings(w io.Writer) error {
	var rows [][]string
	for _, e := range d.Encodings {
		rows = append(rows, append([]string{e.Name}, e.cells()...))
	}
	fmt.Fprintln(w)
	return cli.Table(w, []string{"ENCODING", ">CHUNKS", ">ROWS", ">RAW", ">STORED", ">RATIO"}, rows)
}

func (s *sizes) cells() []string {
	return []string{cli.Count(int64(s.Chunks)), cli.Count(s.Rows), cli.Bytes(s.RawBytes), cli.Bytes(s.StoredBytes), cli.Ratio(s.RawBytes, s.StoredBytes)}
}

func (s *stream) write(w io.Writer) error {
	fmt.Fprintf(w, "\n%s\n", cli.Printable(s.Labels.String()))
	var rows [][]string
	for _, c := range s.Chunks {
		rows = append(rows, []string{"", fmt.Sprint(c.Ordinal), cli.Count(c.Offset), clock(c.MinTime), clock(c.MaxTime), cli.Count(int64(c.Rows)),
			cli.Bytes(c.RawBytes), cli.Bytes(c.StoredBytes), cli.Ratio(c.RawBytes, c.StoredBytes), c.Encoding})
	}
	if err := cli.Table(w, []string{"", ">CHUNK", ">OFFSET", "FROM", "TO", ">ROWS", ">RAW", ">STORED", ">RATIO", "ENCODING"}, rows); err != nil {
		return err
	}
	if len(s.Templates) == 0 {
		return nil
	}
	rows = rows[:0]
	for _, t := range s.Templates {
		rows = append(rows, []string{"", cli.Count(t.Rows), shorten(cli.Printable(t.Text))})
	}
	if s.OtherTemplates > 0 {
		rows = append(rows, []string{"", cli.Count(s.OtherRows), "(" + cli.Plural(int64(s.OtherTemplates), "other template") + ")"})
	}
	return cli.Table(w, []string{"", ">ROWS", "TEMPLATE"}, rows)
}

// maxShown is the length at which a template is cut in text.
const maxShown = 400

func shorten(s string) string {
	if len(s) <= maxShown {
		return s
	}
	return strings.ToValidUTF8(s[:maxShown], "") + "…"
}
