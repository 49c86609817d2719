package protocol

import (
	"bytes"
	"encoding/binary"
	"io"

	"github.com/gorpyc/gorpyc/protocol/internal/frame"
)

// WriteFrame writes one message in the form that RPyC's channels give it (rpyc.core.channel.Channel.send), for handshakes
// before a connection is made of a stream: some programs say a password in this way.
func WriteFrame(w io.Writer, payload []byte) error {
	b, err := frame.Append(nil, payload, frame.Compress{})
	if err != nil {
		return err
	}
	_, err = w.Write(b)
	return err
}

// ReadFrame reads one message as [WriteFrame] and RPyC's Channel.send write it, and nothing of what comes behind it. It
// refuses one of more than limit bytes with a *[LimitError]; a limit of 0 means 64 KiB.
func ReadFrame(r io.Reader, limit int64) ([]byte, error) {
	if limit <= 0 {
		limit = 64 << 10
	}
	header := make([]byte, 5)
	if _, err := io.ReadFull(r, header); err != nil {
		return nil, err
	}
	size := int64(binary.BigEndian.Uint32(header))
	rest := &io.LimitedReader{R: r, N: size + 1} // with the newline
	var buf frame.Buffer
	if size > 0 {
		var err error
		all := io.MultiReader(bytes.NewReader(header), rest)
		if buf, err = frame.NewReader(all, frame.Limits{MaxFrame: limit, MaxInflated: limit}).Next(); err != nil {
			return nil, limitError(err)
		}
		defer buf.Release()
	}
	if _, err := io.Copy(io.Discard, rest); err != nil {
		return nil, err
	}
	return bytes.Clone(buf.Payload), nil
}
