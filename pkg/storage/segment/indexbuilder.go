package segment

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/tsdb/index"
)

// indexBuilder writes a Prometheus TSDB index, version 2, in memory and byte for byte as tsdb/index.Writer would.
// The library's writer needs three files, fsyncs and over 20 MiB of buffers for every index, which is too much for small segments that are written often.
type indexBuilder struct {
	ids    map[string]uint32 // symbol to its number by first use
	words  []string          // symbols by number
	pairs  []labelRef        // of all series, one after the other
	series []indexSeries
}

type labelRef struct{ name, value uint32 }

type indexSeries struct {
	pairsEnd   int
	minT, maxT int64
	firstChunk int // ordinal in the directory
}

const (
	seriesAlign  = 16
	postingAlign = 4
)

func newIndexBuilder() *indexBuilder { return &indexBuilder{ids: map[string]uint32{}} }

func (b *indexBuilder) symbol(s string) uint32 {
	if id, ok := b.ids[s]; ok {
		return id
	}
	s = strings.Clone(s)
	id := uint32(len(b.words))
	b.ids[s] = id
	b.words = append(b.words, s)
	return id
}

// add adds the next series. The caller adds them in the order of labels.Compare.
func (b *indexBuilder) add(ls labels.Labels, firstChunk int) {
	ls.Range(func(l labels.Label) {
		b.pairs = append(b.pairs, labelRef{b.symbol(l.Name), b.symbol(l.Value)})
	})
	b.series = append(b.series, indexSeries{pairsEnd: len(b.pairs), firstChunk: firstChunk, minT: math.MaxInt64, maxT: math.MinInt64})
}

// extend widens the time range of the last series.
func (b *indexBuilder) extend(minT, maxT int64) {
	s := &b.series[len(b.series)-1]
	s.minT, s.maxT = min(s.minT, minT), max(s.maxT, maxT)
}

// encode gives the index. The builder is used up.
func (b *indexBuilder) encode() ([]byte, error) {
	sorted := b.sortSymbols()
	out := binary.BigEndian.AppendUint32(nil, index.MagicIndex)
	out = append(out, index.FormatV2)

	symbolsAt := len(out)
	out, err := appendSection(out, func(out []byte) []byte {
		out = binary.BigEndian.AppendUint32(out, uint32(len(sorted)))
		for _, s := range sorted {
			out = appendString(out, s)
		}
		return out
	})
	if err != nil {
		return nil, fmt.Errorf("index symbols: %w", err)
	}

	seriesAt := len(out)
	out, refs, err := b.appendSeries(out)
	if err != nil {
		return nil, err
	}
	seriesEnd := len(out)
	out, table, err := b.appendPostings(out, sorted, refs)
	if err != nil {
		return nil, err
	}
	tableAt := len(out)
	if out, err = appendSection(out, func(out []byte) []byte { return append(out, table...) }); err != nil {
		return nil, fmt.Errorf("index postings table: %w", err)
	}

	tocAt := len(out)
	for _, at := range []int{symbolsAt, seriesAt, seriesEnd, tableAt, seriesEnd, tableAt} {
		out = binary.BigEndian.AppendUint64(out, uint64(at))
	}
	return binary.BigEndian.AppendUint32(out, checksum(out[tocAt:])), nil
}

// sortSymbols numbers the symbols in the order of their text and gives them in that order.
func (b *indexBuilder) sortSymbols() []string {
	sorted := slices.Clone(b.words)
	slices.Sort(sorted)
	renumber := make([]uint32, len(sorted))
	for i, s := range sorted {
		renumber[b.ids[s]] = uint32(i)
	}
	for i, p := range b.pairs {
		b.pairs[i] = labelRef{renumber[p.name], renumber[p.value]}
	}
	b.ids, b.words = nil, nil
	return sorted
}

// appendSeries appends the series section and gives each series' reference, which is its position in units of 16 bytes.
func (b *indexBuilder) appendSeries(out []byte) ([]byte, []uint32, error) {
	refs := make([]uint32, len(b.series))
	var body []byte
	start := 0
	for i, s := range b.series {
		out = pad(out, seriesAlign)
		if uint64(len(out)/seriesAlign) > math.MaxUint32 {
			return nil, nil, errors.New("index is larger than 64 GiB")
		}
		refs[i] = uint32(len(out) / seriesAlign)
		pairs := b.pairs[start:s.pairsEnd]
		start = s.pairsEnd
		body = binary.AppendUvarint(body[:0], uint64(len(pairs)))
		for _, p := range pairs {
			body = binary.AppendUvarint(body, uint64(p.name))
			body = binary.AppendUvarint(body, uint64(p.value))
		}
		body = binary.AppendUvarint(body, 1)
		body = binary.AppendVarint(body, s.minT)
		body = binary.AppendUvarint(body, uint64(s.maxT)-uint64(s.minT))
		body = binary.AppendUvarint(body, uint64(s.firstChunk))
		out = binary.AppendUvarint(out, uint64(len(body)))
		out = append(out, body...)
		out = binary.BigEndian.AppendUint32(out, checksum(body))
	}
	return out, refs, nil
}

// appendPostings appends the list of all series and one list per label pair, and gives the content of the table that tells where they are.
func (b *indexBuilder) appendPostings(out []byte, sorted []string, refs []uint32) ([]byte, []byte, error) {
	keys := make([]uint64, len(b.pairs))
	for i, p := range b.pairs {
		keys[i] = uint64(p.name)<<32 | uint64(p.value)
	}
	slices.Sort(keys)
	keys = slices.Compact(keys)
	slot := make(map[uint64]int, len(keys))
	for i, k := range keys {
		slot[k] = i
	}
	ends := make([]int, len(keys)+1)
	for _, p := range b.pairs {
		ends[slot[uint64(p.name)<<32|uint64(p.value)]+1]++
	}
	for i := range keys {
		ends[i+1] += ends[i]
	}
	lists := make([]uint32, len(b.pairs))
	next := slices.Clone(ends)
	start := 0
	for i, s := range b.series {
		for _, p := range b.pairs[start:s.pairsEnd] {
			k := slot[uint64(p.name)<<32|uint64(p.value)]
			lists[next[k]] = refs[i]
			next[k]++
		}
		start = s.pairsEnd
	}

	table := binary.BigEndian.AppendUint32(nil, uint32(len(keys)+1))
	var err error
	list := func(name, value string, refs []uint32) {
		out = pad(out, postingAlign)
		table = append(table, 2)
		table = appendString(table, name)
		table = appendString(table, value)
		table = binary.AppendUvarint(table, uint64(len(out)))
		var e error
		out, e = appendSection(out, func(out []byte) []byte {
			out = binary.BigEndian.AppendUint32(out, uint32(len(refs)))
			for _, r := range refs {
				out = binary.BigEndian.AppendUint32(out, r)
			}
			return out
		})
		err = errors.Join(err, e)
	}
	list("", "", refs)
	for i, k := range keys {
		list(sorted[k>>32], sorted[uint32(k)], lists[ends[i]:ends[i+1]])
	}
	return out, table, err
}

// appendSection appends content with its length before and its checksum behind it, which is how every section of an index is kept.
func appendSection(out []byte, content func([]byte) []byte) ([]byte, error) {
	at := len(out)
	out = content(append(out, 0, 0, 0, 0))
	n := len(out) - at - 4
	if n > math.MaxUint32 {
		return out, fmt.Errorf("%d bytes, at most 4 GiB are possible", n)
	}
	binary.BigEndian.PutUint32(out[at:], uint32(n))
	return binary.BigEndian.AppendUint32(out, checksum(out[at+4:])), nil
}

func appendString(out []byte, s string) []byte {
	return append(binary.AppendUvarint(out, uint64(len(s))), s...)
}

func pad(out []byte, align int) []byte {
	for len(out)%align != 0 {
		out = append(out, 0)
	}
	return out
}
