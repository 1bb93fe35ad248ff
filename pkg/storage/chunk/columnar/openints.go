package columnar

// Ints is an int stream that is decoded when it is first used. It is safe for concurrent use.
type Ints struct{ stream intStream }

// OpenInts opens an int stream of n numbers, at least one, which have to be smaller than below, and returns what follows it.
func OpenInts(b []byte, n int, below uint64) (*Ints, []byte, error) {
	i := &Ints{intStream{n: n, below: below, fault: &fault{}}}
	d := &decoder{b: b, left: 8*n + 1<<10}
	if err := i.stream.read(d, n, false); err != nil {
		return nil, nil, err
	}
	if below == 0 {
		return nil, nil, i.stream.tooLarge(i.stream.least)
	}
	return i, d.b, nil
}

// Zeros reports whether the stream says of itself that all its numbers are 0.
func (i *Ints) Zeros() bool {
	s := &i.stream
	return s.transform == intsPlain && s.width == 0 && s.least == 0
}

// All gives the numbers, which must not be changed; zeros after a failure.
func (i *Ints) All() []uint64 { return i.stream.all() }

// Err returns what was found wrong since the stream was opened.
func (i *Ints) Err() error { return i.stream.fault.get() }
