package ingest

import (
	"errors"
	"io"
)

// ErrTooLong is returned by ReadAll when there is more than it may read.
var ErrTooLong = errors.New("more bytes than allowed")

// Sizes of the pieces that ReadAll reads into.
const (
	firstPiece   = 4 << 10
	largestPiece = 8 << 20
)

// ReadAll reads all of r, at most limit bytes; n is how many it read, also when it fails. It uses the capacity of first. What does not
// fit there is read into pieces that are put together at the end, so that nothing is held twice for what is refused. All of it is reserved.
func ReadAll(r io.Reader, first []byte, limit int64, reserved *Reservation) (body []byte, n int64, err error) {
	if err := reserved.Take(int64(cap(first))); err != nil {
		return nil, 0, err
	}
	pieces := [][]byte{first[:0]}
	for {
		piece := pieces[len(pieces)-1]
		if len(piece) == cap(piece) {
			size := min(max(cap(piece)*2, firstPiece), largestPiece)
			if err := reserved.Take(int64(size)); err != nil {
				return nil, n, err
			}
			piece = make([]byte, 0, size)
			pieces = append(pieces, piece)
		}
		got, err := r.Read(piece[len(piece):cap(piece)])
		pieces[len(pieces)-1] = piece[:len(piece)+got]
		n += int64(got)
		switch {
		case n > limit:
			return nil, n, ErrTooLong
		case err == io.EOF:
			body, err := join(pieces, n, reserved)
			return body, n, err
		case err != nil:
			return nil, n, err
		}
	}
}

func join(pieces [][]byte, n int64, reserved *Reservation) ([]byte, error) {
	switch {
	case len(pieces) == 1:
		return pieces[0], nil
	case len(pieces) == 2 && len(pieces[0]) == 0:
		return pieces[1], nil
	}
	if err := reserved.Take(n); err != nil {
		return nil, err
	}
	body := make([]byte, 0, n)
	for _, piece := range pieces {
		body = append(body, piece...)
		reserved.give(int64(cap(piece)))
	}
	return body, nil
}
