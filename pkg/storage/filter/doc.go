// Package filter tells which chunks may hold a text, without reading them.
//
// From each text a chunk holds, k-mers (runs of K bytes, ASCII letters in lower case) are chosen by content: of every Window consecutive
// k-mers the least one, where those without digits come first and a hash decides between equals. A needle of at least MinNeedle bytes spans a
// whole window, so that the k-mer chosen from that window is chosen in every text which contains the needle. A chunk's filter is the set of
// the hashes of its chosen k-mers, cut to as many bits as give one false answer in at least 64 questions. Because k-mers without digits are
// preferred, words that fill most lines cost next to nothing, and the filter's bytes go to what is worth looking for: ids, hashes, addresses.
//
// A segment holds the filters of its chunks side by side, cut into partitions by the first bits of the hash: a question reads one
// partition, a small fraction of the section. docs/format/filter.md has the bytes.
//
// There are no false negatives.
package filter
