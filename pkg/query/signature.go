package query

import (
	"cmp"
	"encoding/binary"
	"slices"

	"github.com/cambium-logs/cambium/pkg/storage/chunk"
)

// A signature is a line with its words that hold a digit taken out: a cheap first guess at what varies, which depends on the line alone.
// In its text the byte 0 escapes: 0 0 is a byte 0 of the line, 0 1 a word that was taken out.
type signature struct {
	level  string
	text   string
	counts map[int64]float64 // by start of the bucket
	total  float64

	bucket  int64 // the last one counted in, whose count is not in counts yet
	pending float64
}

func (s *signature) add(ts, step int64, weight float64) {
	if b := floorTo(ts, step); b != s.bucket {
		s.settle()
		s.bucket = b
	}
	s.pending += weight
}

// settle brings counts and total up to date.
func (s *signature) settle() {
	if s.pending > 0 {
		s.counts[s.bucket] += s.pending
		s.total += s.pending
		s.pending = 0
	}
}

func (s *signature) absorb(other *signature) {
	s.settle()
	other.settle()
	for b, n := range other.counts {
		s.counts[b] += n
	}
	s.total += other.total
}

// signatures counts lines by signature and level.
type signatures struct {
	step  int64
	byKey map[string]*signature
	key   []byte
}

const (
	// maxSignatures is how many signatures are kept apart; beyond, those that differ little are made one.
	maxSignatures = 20_000
	// maxSignatureBytes and maxPatternTokens are how much of a line is looked at; the rest varies.
	maxSignatureBytes = 4096
	maxPatternTokens  = 120
)

func newSignatures(step int64) *signatures {
	return &signatures{step: step, byKey: map[string]*signature{}}
}

func (s *signatures) get(level string, text []byte) *signature {
	s.key = appendSized(s.key[:0], level)
	s.key = append(s.key, text...)
	if found := s.byKey[string(s.key)]; found != nil {
		return found
	}
	made := &signature{level: level, text: string(text), counts: map[int64]float64{}}
	s.byKey[string(s.key)] = made
	return made
}

func appendSized[T string | []byte](dst []byte, text T) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(text)))
	return append(dst, text...)
}

func (s *signatures) merge(other *signatures) {
	for _, sig := range other.list() {
		s.get(sig.level, []byte(sig.text)).absorb(sig)
		if s.full() {
			s.fold()
		}
	}
}

func (s *signatures) full() bool { return len(s.byKey) > maxSignatures }

// fold makes signatures that differ little one. Signatures got before must not be used any more.
func (s *signatures) fold() {
	clusters := clusterize(s.list())
	s.byKey = make(map[string]*signature, len(clusters))
	for _, c := range clusters {
		s.get(c.level, c.signature()).absorb(&c.signatureCounts)
	}
}

// list gives all signatures, the most frequent ones first.
func (s *signatures) list() []*signature {
	out := make([]*signature, 0, len(s.byKey))
	for _, sig := range s.byKey {
		sig.settle()
		out = append(out, sig)
	}
	slices.SortFunc(out, func(a, b *signature) int {
		return cmp.Or(cmp.Compare(b.total, a.total), cmp.Compare(a.text, b.text), cmp.Compare(a.level, b.level))
	})
	return out
}

// reduce appends the text of a line's signature.
func reduce(dst, line []byte) []byte {
	from, tokens := len(dst), 0
	for i := 0; i < len(line); tokens++ {
		if tokens == maxPatternTokens {
			return append(dst, 0, 1)
		}
		start, digit := i, false
		for i < len(line) && wordClass[line[i]] != 0 {
			digit = digit || wordClass[line[i]] == wordDigit
			i++
		}
		switch {
		case digit:
			dst = append(dst, 0, 1)
		case i == start:
			if line[i] == 0 {
				dst = append(dst, 0)
			}
			dst = append(dst, line[i])
			i++
		case len(dst)-from+i-start > maxSignatureBytes:
			return append(dst, 0, 1)
		default:
			dst = append(dst, line[start:i]...)
		}
	}
	return dst
}

// stripped appends a part of a line with a digit in place of each word that holds one: in whatever line it stands, its signature is the same.
func stripped(dst, part []byte) []byte {
	for i := 0; i < len(part); {
		start, digit := i, false
		for i < len(part) && wordClass[part[i]] != 0 {
			digit = digit || wordClass[part[i]] == wordDigit
			i++
		}
		switch {
		case digit:
			dst = append(dst, '0')
		case i == start:
			dst = append(dst, part[i])
			i++
		default:
			dst = append(dst, part[start:i]...)
		}
	}
	return dst
}

// Classes of bytes in words.
const (
	wordLetter = 1
	wordDigit  = 2
)

// wordClass is 0 for what stands between words. Words are letters, digits, what joins them in numbers, paths and identifiers, and everything
// beyond ASCII.
var wordClass = func() (class [256]uint8) {
	for c := range 256 {
		switch {
		case c >= '0' && c <= '9':
			class[c] = wordDigit
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= 0x80:
			class[c] = wordLetter
		}
	}
	for _, c := range []byte("_-./@%+") {
		class[c] = wordLetter
	}
	return class
}()

// tokens splits the text of a signature. A word that was taken out is the empty token.
func tokens(text string) []string {
	var out []string
	for i := 0; i < len(text); {
		switch {
		case text[i] == 0 && i+1 < len(text) && text[i+1] == 1:
			out = append(out, "")
			i += 2
		case text[i] == 0:
			out = append(out, "\x00")
			i += 2
		case wordClass[text[i]] == 0:
			out = append(out, text[i:i+1])
			i++
		default:
			start := i
			for i < len(text) && wordClass[text[i]] != 0 {
				i++
			}
			out = append(out, text[start:i])
		}
	}
	return out
}

// shapeSignatures remembers what the signatures of the lines of a template are.
type shapeSignatures struct {
	seen shapeMap[*shapeSignature]
	room uint64 // combinations that may still be remembered
}

// shapeSignature holds the signatures of the lines of one template.
type shapeSignature struct {
	shape *chunk.Shape
	read  []int // the variables on which the signature depends; others are always a word that holds a digit
	byKey map[string]*signature
	key   []byte
	value []byte
	line  []byte

	coded   []codedVariable         // the variables that are read, when all of them are numbered and have few combinations; else nil
	total   uint64                  // combinations
	byCodes map[string][]*signature // by level and combination
}

// codedVariable is a variable whose values are numbered.
type codedVariable struct {
	codes  []uint64 // nil when all values are the same
	stride uint64
}

// maxCombinations bounds the combinations of a template's values, and maxCodedLevels the levels, whose signatures are remembered by number.
const (
	maxCombinations = 1 << 12
	maxCodedLevels  = 8
	// allCombinations bounds those of all templates together.
	allCombinations = 1 << 18
)

// number finds out whether the variables that are read are numbered, with at most room combinations, and gives how many they have then.
func (s *shapeSignature) number(room uint64) uint64 {
	total := uint64(1)
	var coded []codedVariable
	for _, slot := range s.read {
		codes, distinct := s.shape.Codes(slot)
		if distinct == 0 || total*uint64(distinct) > min(maxCombinations, room) {
			return 0
		}
		coded = append(coded, codedVariable{codes, total})
		total *= uint64(distinct)
	}
	s.coded, s.total, s.byCodes = coded, total, map[string][]*signature{}
	return total
}

// cheap reports whether the signatures of all lines of the template can be had without looking at each.
func (s *shapeSignature) cheap() bool { return len(s.read) == 0 || s.coded != nil }

// find gives what is known of the template of the line at the cursor, and which of the template's lines it is; nil when it has none.
func (s *shapeSignatures) find(c *cursor) (*shapeSignature, int) {
	if c.src.shaper == nil {
		return nil, 0
	}
	shape, at := c.src.shaper.Shape(c.row)
	if shape == nil {
		return nil, 0
	}
	seen := s.seen.at(c.src)
	known := seen[shape]
	if known == nil {
		if len(seen) == 0 || len(seen) >= maxShapes {
			s.room = allCombinations
			clear(seen)
		}
		known = &shapeSignature{shape: shape, byKey: map[string]*signature{}}
		for slot := range len(shape.Pieces()) - 1 {
			if !shape.Numeric(slot) {
				known.read = append(known.read, slot)
			}
		}
		s.room -= known.number(s.room)
		seen[shape] = known
	}
	return known, at
}

// signature gives the signature of the at-th line of the template. The line is rebuilt only when its words were not met before.
func (s *shapeSignature) signature(found *signatures, level string, at int) *signature {
	if s.coded == nil {
		return s.spelled(found, level, at)
	}
	list := s.byCodes[level]
	if list == nil {
		if len(s.byCodes) >= maxCodedLevels {
			return s.spelled(found, level, at)
		}
		list = make([]*signature, s.total)
		s.byCodes[level] = list
	}
	k := uint64(0)
	for i := range s.coded {
		if c := &s.coded[i]; c.codes != nil {
			k += c.codes[at] * c.stride
		}
	}
	if list[k] == nil {
		list[k] = s.spelled(found, level, at)
	}
	return list[k]
}

// spelled is signature by the words of the line.
func (s *shapeSignature) spelled(found *signatures, level string, at int) *signature {
	s.key = appendSized(s.key[:0], level)
	for _, slot := range s.read {
		s.value = s.shape.Append(s.value[:0], slot, at)
		from := len(s.key)
		s.key = append(s.key, 0, 0, 0, 0)
		s.key = stripped(s.key, s.value)
		binary.LittleEndian.PutUint32(s.key[from:], uint32(len(s.key)-from-4))
	}
	if sig := s.byKey[string(s.key)]; sig != nil {
		return sig
	}
	s.line = s.line[:0]
	pieces, next := s.shape.Pieces(), 0
	for i, piece := range pieces {
		s.line = append(s.line, piece...)
		switch {
		case i == len(pieces)-1:
		case next < len(s.read) && s.read[next] == i:
			s.line = s.shape.Append(s.line, i, at)
			next++
		default:
			s.line = append(s.line, '0')
		}
	}
	sig := found.get(level, reduce(nil, s.line))
	if len(s.key) <= maxSignatureBytes && len(s.byKey) < maxSignatures {
		s.byKey[string(s.key)] = sig
	}
	return sig
}
