package main

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"net"

	"github.com/gorpyc/gorpyc/scripts/benchmark/measure"
)

// The raw peers exchange frames of the sizes of a small RPyC call, with nothing in them: a length, what to do, filling.
const (
	rawRequest = 82
	rawReply   = 17
	rawHeader  = 5

	rawAtOnce   = 0 // answer each frame by a write of its own
	rawTogether = 1 // answer what has come together by one write
	rawEcho     = 2 // send the frame back
)

func rawFrame(b []byte, op byte, size int) []byte {
	b = binary.BigEndian.AppendUint32(b, uint32(size-4))
	b = append(b, op)
	return append(b, make([]byte, size-rawHeader)...)
}

// serveRaw answers one connection.
func serveRaw(c net.Conn) error {
	in := bufio.NewReaderSize(c, 64<<10)
	reply := rawFrame(nil, 0, rawReply)
	var out, big []byte
	for {
		head, err := in.Peek(rawHeader)
		if err != nil {
			return ignoreEOF(err)
		}
		size, op := int(binary.BigEndian.Uint32(head))+4, head[4]
		switch op {
		case rawAtOnce:
			if _, err = in.Discard(size); err == nil {
				_, err = c.Write(reply)
			}
		case rawTogether:
			_, err = in.Discard(size)
			out = append(out, reply...)
			if err == nil && in.Buffered() < rawRequest {
				_, err = c.Write(out)
				out = out[:0]
			}
		case rawEcho:
			if cap(big) < size {
				big = make([]byte, size)
			}
			if _, err = io.ReadFull(in, big[:size]); err == nil {
				_, err = c.Write(big[:size])
			}
		}
		if err != nil {
			return ignoreEOF(err)
		}
	}
}

func ignoreEOF(err error) error {
	var op *net.OpError
	if err == io.EOF || errors.As(err, &op) {
		return nil // the client is gone
	}
	return err
}

// rawConn is one connection of the raw client.
type rawConn struct {
	net.Conn
	in  *bufio.Reader
	req []byte
}

func dialRaw(addr string, op byte, size int) (*rawConn, error) {
	c, err := net.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	return &rawConn{Conn: c, in: bufio.NewReaderSize(c, 64<<10), req: rawFrame(nil, op, size)}, nil
}

// call is one round trip.
func (c *rawConn) call() error {
	if _, err := c.Write(c.req); err != nil {
		return err
	}
	return c.reply()
}

func (c *rawConn) reply() error {
	head, err := c.in.Peek(4)
	if err == nil {
		_, err = c.in.Discard(int(binary.BigEndian.Uint32(head)) + 4)
	}
	return err
}

// pipeline keeps inFlight requests outstanding, with a write for each.
func (c *rawConn) pipeline() (step, error) {
	for range inFlight {
		if _, err := c.Write(c.req); err != nil {
			return nil, err
		}
	}
	return func() (int, error) {
		if err := c.reply(); err != nil {
			return 0, err
		}
		_, err := c.Write(c.req)
		return 1, err
	}, nil
}

// loadRaw carries out a job.
func loadRaw(j job) (sample, error) {
	op, size, n := byte(rawAtOnce), rawRequest, 1
	switch j.Mode {
	case "pipe64c":
		op = rawTogether
	case "echo":
		op, size = rawEcho, j.Size+rawHeader
	default:
		n = connections(j.Mode)
	}
	conns, closeAll, err := dialMany(n, func() (*rawConn, error) { return dialRaw(j.Addr(), op, size) })
	if err != nil {
		return sample{}, err
	}
	defer closeAll()
	switch c := conns[0]; j.Mode {
	case "sync", "echo", "conns", "conns500", "conns5000":
		var steps []step
		for _, c := range conns {
			steps = append(steps, measure.Once(c.call))
		}
		return j.Measure(steps...)
	case "pipe64":
		s, err := c.pipeline()
		if err != nil {
			return sample{}, err
		}
		return overlapping(j, s)
	case "pipe64c":
		s, err := window(c, c.in, c.req, c.reply)
		if err != nil {
			return sample{}, err
		}
		return overlapping(j, s)
	}
	return sample{}, j.Unknown()
}

// overlapping measures a step that does not last as long as the operation it finishes.
func overlapping(j job, s step) (sample, error) {
	out, err := j.Measure(s)
	out.P50, out.P99 = 0, 0
	return out, err
}

// window keeps inFlight copies of a request outstanding, making up with one write for all replies that have come.
func window(w io.Writer, in *bufio.Reader, req []byte, reply func() error) (step, error) {
	var reqs []byte
	for range inFlight {
		reqs = append(reqs, req...)
	}
	if _, err := w.Write(reqs); err != nil {
		return nil, err
	}
	return func() (int, error) {
		n := 0
		for n == 0 || n < inFlight && in.Buffered() > 0 {
			if err := reply(); err != nil {
				return 0, err
			}
			n++
		}
		_, err := w.Write(reqs[:n*len(req)])
		return n, err
	}, nil
}
