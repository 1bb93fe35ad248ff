package httpapi

import (
	"slices"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/cambium-logs/cambium/pkg/logql"
)

// detectedLabels serves /loki/api/v1/detected_labels: the labels of the streams, but for those that only hold ids.
func (c *call) detectedLabels() error {
	if err := c.form(); err != nil {
		return err
	}
	s, err := c.selection()
	if err != nil {
		return err
	}
	if text := c.value("query"); text != "" {
		if s.Matchers, err = logql.ParseSelector(text); err != nil {
			return err
		}
	}
	if s.Start > s.End {
		return errStartAfterEnd
	}
	sets, err := c.api.options.Query.Series(c.ctx(), s, [][]*labels.Matcher{s.Matchers})
	if err != nil {
		return err
	}
	c.w.json(contentTypeJSON)
	j := newJSONWriter(c.w)
	writeDetectedLabels(j, sets)
	j.flush()
	return nil
}

func writeDetectedLabels(j *jsonWriter, sets []labels.Labels) {
	values := map[string]map[string]struct{}{}
	for _, ls := range sets {
		ls.Range(func(l labels.Label) {
			if values[l.Name] == nil {
				values[l.Name] = map[string]struct{}{}
			}
			values[l.Name][l.Value] = struct{}{}
		})
	}
	var names []string
	for name, set := range values {
		if alwaysShown[name] || !onlyIDs(set) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	if len(names) == 0 {
		j.raw("{}\n")
		return
	}
	j.raw(`{"detectedLabels":[`)
	for i, name := range names {
		if i > 0 {
			j.raw(",")
		}
		j.raw(`{"label":`)
		j.label(name)
		j.raw(`,"cardinality":`)
		j.int(int64(len(values[name])))
		j.raw("}")
		j.room()
	}
	j.raw("]}\n")
}

// alwaysShown are labels that are shown whatever they hold.
var alwaysShown = map[string]bool{"cluster": true, "namespace": true, "instance": true, "pod": true}

// onlyIDs reports whether all values are numbers or UUIDs. Values that are only 0 and 1 are no ids.
func onlyIDs(values map[string]struct{}) bool {
	flags := true
	for v := range values {
		if v != "0" && v != "1" {
			flags = false
		}
		if !isNumber(v) && !isUUID(v) {
			return false
		}
	}
	return !flags
}

func isNumber(text string) bool {
	digits := 0
	for i := range len(text) {
		switch c := text[i]; {
		case c >= '0' && c <= '9':
			digits++
		case c == '.', c == '-' && i == 0:
		default:
			return false
		}
	}
	return digits > 0
}

func isUUID(text string) bool {
	if len(text) != 36 {
		return false
	}
	for i := range len(text) {
		c := text[i]
		if i == 8 || i == 13 || i == 18 || i == 23 {
			if c != '-' {
				return false
			}
		} else if !(c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F') {
			return false
		}
	}
	return true
}
