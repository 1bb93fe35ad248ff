package tenant

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/common/model"
	"gopkg.in/yaml.v3"
)

// Duration is a span of time written the Prometheus way (1h30m, 7d, 2w) or as 0. Go's notation with fractions (1.5s) is read too.
type Duration time.Duration

// ParseDuration reads a Duration.
func ParseDuration(text string) (Duration, error) {
	if d, err := model.ParseDuration(text); err == nil {
		return Duration(d), nil
	}
	if d, err := time.ParseDuration(text); err == nil {
		return Duration(d), nil
	}
	return 0, fmt.Errorf("not a valid duration string: %q", text)
}

// String gives the Prometheus notation, such as 30d1h.
func (d Duration) String() string { return model.Duration(d).String() }

// UnmarshalYAML implements yaml.Unmarshaler.
func (d *Duration) UnmarshalYAML(node *yaml.Node) error {
	parsed, err := ParseDuration(node.Value)
	if err != nil {
		return fmt.Errorf("line %d: %w", node.Line, err)
	}
	*d = parsed
	return nil
}

// MarshalYAML implements yaml.Marshaler.
func (d Duration) MarshalYAML() (any, error) { return d.String(), nil }

// ByteSize is a number of bytes. In text its units are binary whatever their spelling: 256KB = 256kb = 256KiB = 262144.
type ByteSize int64

// ParseByteSize reads a ByteSize.
func ParseByteSize(text string) (ByteSize, error) {
	number := strings.TrimSpace(text)
	unit := 0
	if cut := strings.TrimRight(number, "bB"); cut != number || endsWithUnit(number) {
		number = strings.TrimRight(cut, "iI")
		if number != "" {
			if at := strings.IndexByte(unitLetters, lower(number[len(number)-1])); at >= 0 {
				unit = at + 1
				number = number[:len(number)-1]
			}
		}
	}
	value, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
	if err != nil || value < 0 || math.IsNaN(value) {
		return 0, fmt.Errorf("not a valid byte size: %q", text)
	}
	value = math.Ldexp(value, 10*unit)
	if value > math.MaxInt64/2 {
		return 0, fmt.Errorf("byte size out of range: %q", text)
	}
	return ByteSize(value), nil
}

const unitLetters = "kmgtp"

func endsWithUnit(text string) bool {
	return text != "" && strings.IndexByte(unitLetters, lower(text[len(text)-1])) >= 0
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

// String gives the largest unit that the size is a whole number of, such as 3MB or 1500B.
func (b ByteSize) String() string {
	units := [...]string{"B", "KB", "MB", "GB", "TB", "PB"}
	value, unit := int64(b), 0
	for value != 0 && value%1024 == 0 && unit < len(units)-1 {
		value /= 1024
		unit++
	}
	return strconv.FormatInt(value, 10) + units[unit]
}

// UnmarshalYAML implements yaml.Unmarshaler.
func (b *ByteSize) UnmarshalYAML(node *yaml.Node) error {
	parsed, err := ParseByteSize(node.Value)
	if err != nil {
		return fmt.Errorf("line %d: %w", node.Line, err)
	}
	*b = parsed
	return nil
}

// MarshalYAML implements yaml.Marshaler.
func (b ByteSize) MarshalYAML() (any, error) { return b.String(), nil }

// Time is an RFC 3339 time; the zero Time is an empty text.
type Time time.Time

// UnmarshalYAML implements yaml.Unmarshaler.
func (t *Time) UnmarshalYAML(node *yaml.Node) error {
	if node.Value == "" || node.Value == "0" {
		*t = Time{}
		return nil
	}
	parsed, err := time.Parse(time.RFC3339, node.Value)
	if err != nil {
		return fmt.Errorf("line %d: not an RFC 3339 time: %q", node.Line, node.Value)
	}
	*t = Time(parsed)
	return nil
}

// MarshalYAML implements yaml.Marshaler.
func (t Time) MarshalYAML() (any, error) {
	if time.Time(t).IsZero() {
		return "", nil
	}
	return time.Time(t).Format(time.RFC3339), nil
}
