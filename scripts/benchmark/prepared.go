package main

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"net"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/scripts/benchmark/measure"
)

// preparedConn asks an RPyC 6 server with the same request again and again, and looks at no more of the answers than
// that they are replies. No client can be quicker, so what it reaches with a server is the most that server allows.
type preparedConn struct {
	net.Conn
	in  *bufio.Reader
	req []byte
	buf []byte
}

func dialPrepared(addr string) (*preparedConn, error) {
	nc, err := net.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	c := &preparedConn{Conn: nc, in: bufio.NewReaderSize(nc, 64<<10)}
	if err := c.prepare(); err != nil {
		_ = nc.Close()
		return nil, fmt.Errorf("preparing: %w", err)
	}
	return c, nil
}

// prepare gets the method add and makes the request for add(1, 2).
func (c *preparedConn) prepare() error {
	root, err := c.ask(handleGetRoot)
	if err != nil {
		return err
	}
	add, err := c.ask(handleGetAttr, root, brine.Tuple{1, "add"})
	if err != nil {
		return err
	}
	c.req = request(1234, handleCall, add, brine.Tuple{1, brine.Tuple{1, 2}}, brine.Tuple{1, brine.Tuple{}})
	sum, err := c.exchange(c.req)
	if err == nil && sum[1] != int64(3) {
		err = errWrong
	}
	return err
}

// ask makes a request whose answer is an object, and returns the form in which to name it.
func (c *preparedConn) ask(handler int, args ...any) (brine.Tuple, error) {
	boxed, err := c.exchange(request(0, handler, args...))
	if err != nil {
		return nil, err
	}
	return brine.Tuple{3, boxed[1]}, nil
}

// request makes the frame of a request, args being boxed.
func request(seq, handler int, args ...any) []byte {
	body := append([]byte{msgRequest}, pack(brine.Tuple{seq, brine.Tuple{handler, brine.Tuple{2, brine.Tuple(args)}}})...)
	frame := binary.BigEndian.AppendUint32(nil, uint32(len(body)))
	frame = append(append(frame, 0), body...)
	return append(frame, '\n')
}

// exchange makes a request and decodes the boxed result.
func (c *preparedConn) exchange(req []byte) (brine.Tuple, error) {
	if _, err := c.Write(req); err != nil {
		return nil, err
	}
	if err := c.reply(); err != nil {
		return nil, err
	}
	v, err := brine.Unmarshal(c.buf[1:])
	if err != nil {
		return nil, err
	}
	if msg, ok := v.(brine.Tuple); ok && len(msg) == 2 {
		if boxed, ok := msg[1].(brine.Tuple); ok && len(boxed) == 2 {
			return boxed, nil
		}
	}
	return nil, errShape
}

// reply reads a frame into buf and checks that it is a reply.
func (c *preparedConn) reply() error {
	head, err := c.in.Peek(frameHeader)
	if err != nil {
		return err
	}
	size := int(binary.BigEndian.Uint32(head))
	if cap(c.buf) < size {
		c.buf = make([]byte, size)
	}
	c.buf = c.buf[:size]
	_, _ = c.in.Discard(frameHeader)
	if _, err := io.ReadFull(c.in, c.buf); err != nil {
		return err
	}
	if _, err := c.in.Discard(1); err != nil {
		return err
	}
	if size == 0 || c.buf[0] != msgReply {
		return errShape
	}
	return nil
}

// call is one round trip.
func (c *preparedConn) call() error {
	if _, err := c.Write(c.req); err != nil {
		return err
	}
	return c.reply()
}

// loadPrepared carries out a job.
func loadPrepared(j job) (sample, error) {
	dial := func() (*preparedConn, error) { return dialPrepared(j.Addr()) }
	if j.Mode == "idle" {
		return measureIdle(j, dial)
	}
	conns, closeAll, err := dialMany(connections(j.Mode), dial)
	if err != nil {
		return sample{}, err
	}
	defer closeAll()
	switch c := conns[0]; j.Mode {
	case "sync", "conns", "conns500", "conns5000":
		var steps []step
		for _, c := range conns {
			steps = append(steps, measure.Once(c.call))
		}
		return j.Measure(steps...)
	case "conc64":
		s, err := window(c, c.in, c.req, c.reply)
		if err != nil {
			return sample{}, err
		}
		return overlapping(j, s)
	}
	return sample{}, j.Unknown()
}
