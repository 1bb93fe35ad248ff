package query

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/cambium-logs/cambium/pkg/tools/cli"
	"github.com/cambium-logs/cambium/pkg/tools/client"
)

// format is how results are written.
type format int

const (
	formatTable format = iota
	formatRaw
	formatJSON
)

func formatOf(name string) (format, error) {
	switch name {
	case "table":
		return formatTable, nil
	case "raw":
		return formatRaw, nil
	case "jsonl":
		return formatJSON, nil
	}
	return 0, errors.New("-format is table, raw or jsonl")
}

// printer writes results to standard output, and what is about them to notes.
type printer struct {
	out    *cli.Output
	notes  io.Writer
	format format
	paint  cli.Palette
	zone   *time.Location
	buf    []byte
}

func (p *printer) warn(warnings []string) {
	for _, w := range warnings {
		p.note("warning: " + w)
	}
}

func (p *printer) note(text string) { fmt.Fprintln(p.notes, cli.Printable(text)) }

// entries writes log entries. When they are all there is, a table leaves out the labels that they have in common, which are a note.
func (p *printer) entries(entries []client.Entry, all bool) error {
	hidden := map[string]bool{}
	if all && p.format == formatTable && len(entries) > 1 {
		common := commonLabels(entries)
		common.Range(func(l labels.Label) { hidden[l.Name] = true })
		if !common.IsEmpty() {
			p.note("common labels: " + common.String())
		}
	}
	for i := range entries {
		if err := p.entry(&entries[i], hidden); err != nil {
			return err
		}
	}
	return p.out.Flush()
}

func (p *printer) entry(e *client.Entry, hidden map[string]bool) error {
	b := p.buf[:0]
	switch p.format {
	case formatRaw:
		b = append(b, e.Line...)
	case formatJSON:
		text, err := marshal(struct {
			Timestamp time.Time     `json:"timestamp"`
			Labels    labels.Labels `json:"labels"`
			Line      string        `json:"line"`
		}{time.Unix(0, e.Timestamp).In(p.zone), e.Labels, e.Line})
		if err != nil {
			return err
		}
		b = append(b, text...)
	default:
		b = append(b, p.paint.Paint(levelColour(e.Labels), cli.Time(e.Timestamp, p.zone))...)
		if shown := without(e.Labels, hidden); !shown.IsEmpty() {
			b = append(append(b, ' ', ' '), p.paint.Paint(cli.Dim, cli.Printable(shown.String()))...)
		}
		b = append(append(b, ' ', ' '), cli.Printable(e.Line)...)
	}
	b = append(b, '\n')
	p.buf = b
	_, err := p.out.Write(b)
	return err
}

// levelColour is the colour of an entry's time.
func levelColour(ls labels.Labels) string {
	level := ls.Get("detected_level")
	if level == "" {
		level = ls.Get("level")
	}
	switch strings.ToLower(level) {
	case "error", "err", "fatal", "critical", "crit":
		return cli.Red
	case "warn", "warning":
		return cli.Yellow
	}
	return cli.Cyan
}

func without(ls labels.Labels, hidden map[string]bool) labels.Labels {
	if len(hidden) == 0 {
		return ls
	}
	b := labels.NewScratchBuilder(ls.Len())
	ls.Range(func(l labels.Label) {
		if !hidden[l.Name] {
			b.Add(l.Name, l.Value)
		}
	})
	return b.Labels()
}

// commonLabels are those that all entries have with one value.
func commonLabels(entries []client.Entry) labels.Labels {
	common := entries[0].Labels.Map()
	for i := range entries {
		for name, value := range common {
			if entries[i].Labels.Get(name) != value {
				delete(common, name)
			}
		}
	}
	return labels.FromMap(common)
}

// series writes the result of a metric query.
func (p *printer) series(r *client.Result) error {
	var err error
	switch p.format {
	case formatRaw:
		err = p.rawSeries(r)
	case formatJSON:
		err = p.jsonSeries(r)
	default:
		err = p.tableSeries(r)
	}
	if err != nil {
		return err
	}
	return p.out.Flush()
}

// tableSeries has a row per point: time, a column per label name, value.
func (p *printer) tableSeries(r *client.Result) error {
	names := map[string]bool{}
	for _, s := range r.Series {
		s.Labels.Range(func(l labels.Label) { names[l.Name] = true })
	}
	columns := make([]string, 0, len(names))
	for name := range names {
		columns = append(columns, name)
	}
	slices.Sort(columns)
	header := []string{"TIME"}
	for _, name := range columns {
		header = append(header, cli.Printable(name))
	}
	header = append(header, ">VALUE")
	var rows [][]string
	for _, s := range r.Series {
		for _, pt := range s.Points {
			row := []string{p.pointTime(pt.Timestamp)}
			for _, name := range columns {
				row = append(row, cli.Printable(s.Labels.Get(name)))
			}
			rows = append(rows, append(row, pt.Value))
		}
	}
	if len(rows) == 0 {
		return nil
	}
	return cli.Table(p.out, header, rows)
}

// pointTime shows the time of a point, which has milliseconds at most.
func (p *printer) pointTime(ns int64) string {
	return time.Unix(0, ns).In(p.zone).Format("2006-01-02T15:04:05.999Z07:00")
}

// rawSeries has a line per point: labels, time, value, separated by tabs.
func (p *printer) rawSeries(r *client.Result) error {
	for _, s := range r.Series {
		for _, pt := range s.Points {
			if _, err := fmt.Fprintf(p.out, "%s\t%s\t%s\n", s.Labels, p.pointTime(pt.Timestamp), pt.Value); err != nil {
				return err
			}
		}
	}
	return nil
}

func (p *printer) jsonSeries(r *client.Result) error {
	for _, s := range r.Series {
		for _, pt := range s.Points {
			text, err := marshal(struct {
				Timestamp time.Time     `json:"timestamp"`
				Labels    labels.Labels `json:"labels"`
				Value     string        `json:"value"`
			}{time.Unix(0, pt.Timestamp).In(p.zone), s.Labels, pt.Value})
			if err != nil {
				return err
			}
			if _, err := p.out.Write(append(text, '\n')); err != nil {
				return err
			}
		}
	}
	return nil
}

// marshal gives JSON without a newline and without HTML's escapes.
func marshal(v any) ([]byte, error) {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return []byte(strings.TrimSuffix(b.String(), "\n")), nil
}
