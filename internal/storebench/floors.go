package main

import (
	"bytes"
	"regexp"
	"slices"
	"time"
)

// of gives the systems that a question is about.
func (s *survey) of(x question) []string {
	if x.system != "" {
		return []string{x.system}
	}
	return s.systems
}

// scan looks for the literal in lines in memory: in a part of them when there are many, and gives what all of them would take.
func (s *survey) scan(x question) time.Duration {
	return bestOf(func() time.Duration {
		took := 0.0
		for _, system := range s.of(x) {
			text := s.texts[system]
			began := spent()
			countLiteral(text, []byte(x.literal))
			took += (spent() - began).Seconds() * float64(s.bytes[system]) / float64(len(text))
		}
		return time.Duration(took * float64(time.Second))
	})
}

// decompress decompresses all blocks and counts the lines with the literal or the pattern.
func (s *survey) decompress(x question) (best time.Duration, found int64) {
	var buf []byte
	_, decoder := codec()
	best = bestOf(func() time.Duration {
		began := spent()
		found = 0
		for _, b := range s.filed.kept {
			buf, _ = decoder.DecodeAll(b, buf[:0])
			if x.pattern != "" {
				found += countPattern(buf, x)
			} else {
				found += countLiteral(buf, []byte(x.literal))
			}
		}
		return spent() - began
	})
	return best, found
}

const (
	repeats = 3
	// enough is the time from which on a measurement is not repeated.
	enough = 5 * time.Second
)

// bestOf measures some times, or once when that takes long.
func bestOf(measure func() time.Duration) (best time.Duration) {
	for n := 0; n < repeats && best < enough; n++ {
		if took := measure(); n == 0 || took < best {
			best = took
		}
	}
	return best
}

// lesserOfTwo does something short twice: what else the process had to do meanwhile, its garbage above all, seldom falls on both.
func lesserOfTwo(do func()) time.Duration {
	began := spent()
	do()
	between := spent()
	do()
	return min(between-began, spent()-between)
}

// countLiteral counts the lines that hold a text.
func countLiteral(raw, literal []byte) int64 {
	n := int64(0)
	for {
		at := bytes.Index(raw, literal)
		if at < 0 {
			return n
		}
		n++
		end := bytes.IndexByte(raw[at:], '\n')
		if end < 0 {
			return n
		}
		raw = raw[at+end+1:]
	}
}

// countPattern counts the lines that match a pattern.
func countPattern(raw []byte, x question) int64 {
	n := int64(0)
	re := pattern(x.pattern)
	for line := range slices.Values(bytes.Split(raw, []byte{'\n'})) {
		if re.Match(line) {
			n++
		}
	}
	return n
}

var patterns = map[string]*regexp.Regexp{}

func pattern(text string) *regexp.Regexp {
	if patterns[text] == nil {
		patterns[text] = regexp.MustCompile(text)
	}
	return patterns[text]
}
