package frame

import (
	"bytes"
	"encoding/binary"
	"io"
)

// Write writes one message as a frame (rpyc.core.channel.Channel.send). It is for handshakes before a connection is
// made of a stream: some programs say a password in this way.
func Write(w io.Writer, payload []byte) error {
	b, err := Append(nil, payload, Compress{})
	if err != nil {
		return err
	}
	_, err = w.Write(b)
	return err
}

// Read reads one message as [Write] and RPyC's Channel.send write it, and nothing of what comes behind it. It refuses
// one of more than limit bytes, as it comes or inflated, with a *brine.LimitError; a limit of 0 means 64 KiB.
func Read(r io.Reader, limit int64) ([]byte, error) {
	if limit <= 0 {
		limit = 64 << 10
	}
	header := make([]byte, headerSize)
	if _, err := io.ReadFull(r, header); err != nil {
		return nil, err
	}
	size := int64(binary.BigEndian.Uint32(header))
	rest := &io.LimitedReader{R: r, N: size + int64(len(trailer))}
	var buf Buffer
	if size > 0 {
		var err error
		all := io.MultiReader(bytes.NewReader(header), rest)
		if buf, err = NewReader(all, Limits{MaxFrame: limit, MaxInflated: limit}).Next(); err != nil {
			return nil, err
		}
		defer buf.Release()
	}
	if _, err := io.Copy(io.Discard, rest); err != nil {
		return nil, err
	}
	return bytes.Clone(buf.Payload), nil
}
