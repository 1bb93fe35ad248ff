package segment

import (
	"fmt"
	"math"
	"time"
)

const dayLayout = "2006-01-02"

const nanosPerDay = int64(24 * time.Hour)

// Day is a UTC day, counted from 1970-01-01. A segment holds entries of one day.
type Day int32

// DayOf gives the day that holds a time in nanoseconds since the epoch.
func DayOf(t int64) Day {
	d := t / nanosPerDay
	if t%nanosPerDay < 0 {
		d--
	}
	return Day(d)
}

// ParseDay reads what String wrote.
func ParseDay(s string) (Day, error) {
	t, err := time.Parse(dayLayout, s)
	if err != nil {
		return 0, fmt.Errorf("not a day: %q", s)
	}
	d := t.Unix() / int64(24*60*60)
	if t.Unix()%int64(24*60*60) < 0 {
		d--
	}
	if d < int64(DayOf(math.MinInt64)) || d > int64(DayOf(math.MaxInt64)) {
		return 0, fmt.Errorf("day %q is outside of the years that nanoseconds can count", s)
	}
	return Day(d), nil
}

// String gives the day as in object names: 2006-01-02.
func (d Day) String() string {
	return time.Unix(int64(d)*24*60*60, 0).UTC().Format(dayLayout)
}

// Start and End are the first and the last nanosecond of the day.
func (d Day) Start() int64 {
	if d <= DayOf(math.MinInt64) {
		return math.MinInt64
	}
	return int64(d) * nanosPerDay
}

// End is the last nanosecond of the day.
func (d Day) End() int64 {
	if d >= DayOf(math.MaxInt64) {
		return math.MaxInt64
	}
	return int64(d+1)*nanosPerDay - 1
}
