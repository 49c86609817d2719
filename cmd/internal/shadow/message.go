package shadow

import (
	"bufio"
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"io"

	"github.com/gorpyc/gorpyc/protocol/frame"
	"github.com/gorpyc/gorpyc/protocol/talk"
	"github.com/gorpyc/gorpyc/protocol/wire"
)

const (
	// maxCompared is how long a message may be that is compared, as it comes and inflated. Of a longer one nothing is
	// kept but its header.
	maxCompared = 16 << 20
	// maxWeight is how much memory the values of such a message may take.
	maxWeight  = 128 << 20
	frameHead  = 5 // length and flag
	frameLimit = 1 << 30
	headBytes  = 256 // more than the header of any message takes
)

var errTooLong = errors.New("a frame is too long")

// lengthOf is the length of the frame that comes next, with its header and its end.
func lengthOf(in *bufio.Reader) (int64, error) {
	head, err := in.Peek(frameHead)
	if err != nil {
		return 0, err
	}
	n := int64(binary.BigEndian.Uint32(head)) + frameHead + 1
	if n > frameLimit {
		return n, errTooLong
	}
	return n, nil
}

// peekHead reads the header of the message that comes next, of length n, and leaves it there.
func peekHead(in *bufio.Reader, n int64) (*wire.Dialect, wire.Kind, wire.Seq) {
	start, err := in.Peek(int(min(n, int64(in.Size()), 16*headBytes)))
	if err != nil {
		return nil, 0, wire.Seq{}
	}
	return headOf(start)
}

// headOf is the header of a message of whose frame there is at least the beginning; kind 0 if it is none.
func headOf(raw []byte) (*wire.Dialect, wire.Kind, wire.Seq) {
	if len(raw) <= frameHead {
		return nil, 0, wire.Seq{}
	}
	start := raw[frameHead:]
	if raw[frameHead-1] != 0 {
		inflated := make([]byte, headBytes)
		z, err := zlib.NewReader(bytes.NewReader(start))
		if err != nil {
			return nil, 0, wire.Seq{}
		}
		n, _ := io.ReadFull(z, inflated)
		start = inflated[:n]
	}
	d, err := wire.Detect(start)
	if err != nil {
		return nil, 0, wire.Seq{}
	}
	kind, seq, _, err := d.ReadHeaderUnchecked(start)
	if err != nil {
		return nil, 0, wire.Seq{}
	}
	return d, kind, seq
}

// decoded is the message in a frame; without a dialect if it is none, and long if it is too long to be compared.
func decoded(raw []byte) (m talk.Message, long bool) {
	payload, err := frame.Read(bytes.NewReader(raw), maxCompared)
	if err != nil || len(payload) == 0 {
		d, kind, seq := headOf(raw)
		return talk.Message{Dialect: d, Kind: kind, Seq: seq}, err != nil && kind != 0
	}
	if d, err := wire.Detect(payload); err == nil && d.Weigh(payload, nil, maxWeight) > maxWeight {
		d, kind, seq := headOf(raw)
		return talk.Message{Dialect: d, Kind: kind, Seq: seq}, kind != 0
	}
	return talk.Of(payload), false
}

// readRaw reads a frame of length n with its header.
func readRaw(in *bufio.Reader, n int64) ([]byte, error) {
	if n <= 1<<20 {
		raw := make([]byte, n)
		_, err := io.ReadFull(in, raw)
		return raw, err
	}
	raw, err := io.ReadAll(io.LimitReader(in, n)) // no length is believed before it has come
	if err == nil && int64(len(raw)) < n {
		err = io.ErrUnexpectedEOF
	}
	return raw, err
}
