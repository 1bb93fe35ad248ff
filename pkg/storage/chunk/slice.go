package chunk

import "github.com/prometheus/prometheus/model/labels"

// sliceReader reads entries that are already in memory.
type sliceReader []Entry

// NewSliceReader gives a Reader over entries that satisfy Encode's contract. It keeps the slice, which must not change any more.
func NewSliceReader(entries []Entry) Reader { return sliceReader(entries) }

func (s sliceReader) Len() int                                          { return len(s) }
func (s sliceReader) Timestamp(row int) int64                           { return s[row].Timestamp }
func (s sliceReader) Line(row int, _ []byte) []byte                     { return s[row].Line }
func (s sliceReader) Metadata(row int, _ []labels.Label) []labels.Label { return s[row].Metadata }
func (s sliceReader) Close()                                            {}

// DescribeEntries returns the Meta of entries that satisfy Encode's contract as the head would show it: encoding head, nothing stored.
func DescribeEntries(entries []Entry, order uint64) (Meta, error) {
	m, err := describe(entries)
	m.Encoding, m.Order = EncodingHead, order
	return m, err
}
