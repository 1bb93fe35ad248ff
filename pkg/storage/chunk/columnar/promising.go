package columnar

import (
	"encoding/binary"
	"math"
)

const (
	// codeBytes is about what a compressor needs besides codes for bytes, and a quarter of a byte for each value that has one.
	codeBytes = 12
	// codesBelow is the share of the limit in percent that codes must fit for a compressor to be asked.
	codesBelow = 90
)

// promising reports whether compressing the bytes of numbers is likely to give clearly less than limit bytes, because some bytes are much more
// frequent than others or because sequences of them come again. To try it takes many times as long.
func (e *Encoder) promising(b []byte, limit int) bool {
	codes, values := codeSize(b)
	return (int(codes)+codeBytes+values/4)*100 < limit*codesBelow || e.repeats(b)
}

// codeSize is how many bytes b takes in codes as short as the frequencies of its bytes allow, and how many values these have.
func codeSize(b []byte) (size float64, values int) {
	var counts [256]uint32
	for _, c := range b {
		counts[c]++
	}
	sum := 0.0
	for _, n := range counts {
		if n > 0 {
			values++
			sum += timesLog(n)
		}
	}
	return (timesLog(uint32(len(b))) - sum) / 8, values
}

// timesLogs is x·log2 x for small x.
var timesLogs = func() (of [512]float64) {
	for x := 1; x < len(of); x++ {
		of[x] = float64(x) * math.Log2(float64(x))
	}
	return of
}()

func timesLog(x uint32) float64 {
	if x < uint32(len(timesLogs)) {
		return timesLogs[x]
	}
	return float64(x) * math.Log2(float64(x))
}

const (
	repeatSlots = 256
	// repeatBytes is the length of the sequences that repeats looks for, and repeatShare the share of them that must come again.
	repeatBytes = 16
	repeatShare = 8
)

// repeats reports whether long sequences of bytes come again, as they do in what is periodic.
func (e *Encoder) repeats(b []byte) bool {
	if len(b) < 4*repeatBytes {
		return false
	}
	clear(e.seen[:])
	again := 0
	for i := 0; i+repeatBytes <= len(b); i++ {
		lo, hi := binary.LittleEndian.Uint64(b[i:]), binary.LittleEndian.Uint64(b[i+8:])
		hash := mix(lo, hi)
		slot := &e.seen[hash%repeatSlots]
		if *slot == uint32(hash>>32) {
			again++
		}
		if i%4 == 0 {
			*slot = uint32(hash >> 32)
		}
	}
	return again*repeatShare > len(b)
}

// even reports whether the bytes are spread so evenly over all values that compressing them is likely to save less than a twentieth. It looks at
// single bytes only, which is all there is to bytes of numbers.
func even(b []byte) bool {
	var counts [256]uint32
	for _, c := range b {
		counts[c]++
	}
	pairs := 0 // of equal bytes, in both orders: n²/256 when the values are random
	for _, c := range counts {
		pairs += int(c) * (int(c) - 1)
	}
	return pairs*evenValues <= len(b)*len(b)
}

// evenValues is the number of equally frequent values from which on bytes count as evenly spread.
const evenValues = 200
