package main

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/protocol/exposed"
)

// The canned server answers the frames of an RPyC 6 client with prepared replies: it looks at the handler and at the
// one byte that tells the objects apart, fills in the sequence number and does nothing else. No server can be quicker,
// so what a client reaches with it is the most it can reach at all. The replies are those of gorpyc, because how many
// methods an object has, or how long a traceback is, costs the client time.

// frameOverhead is the header of an RPyC frame and the byte behind it.
const (
	frameHeader   = 5
	frameOverhead = frameHeader + 1
)

// The objects of the canned server, as the last number of their id packs.
const (
	cannedRoot = iota + 1
	cannedThing
	cannedAdd
	cannedMakeThing
	cannedFail
	cannedGet
)

// tagInt is the brine tag of the number 0; those after it follow.
const tagInt = 0x50

// Message types and handlers (rpyc.core.consts).
const (
	msgRequest, msgReply, msgException = 1, 2, 3

	handleClose, handleGetRoot, handleGetAttr, handleCall, handleDel, handleInspect = 2, 3, 4, 7, 15, 16
)

// canned are the replies, without what stands in front of their payload.
var canned = struct {
	root, thing, none, answer, sum, five, raised []byte
	methods                                      map[int][]byte // by object
	attrs                                        map[string][]byte
}{
	root:   byRef("benchmark.Service", cannedRoot),
	thing:  byRef("benchmark.Thing", cannedThing),
	none:   byValue(nil),
	answer: byValue(42),
	sum:    byValue(3),
	five:   byValue(5),
	methods: map[int][]byte{
		cannedRoot:  inspected(&Bench{}),
		cannedThing: inspected(&Thing{}),
	},
	raised: pack(brine.Tuple{brine.Tuple{"builtins", "ValueError"}, brine.Tuple{"boom"},
		brine.Tuple{brine.Tuple{"_remote_version", "6.0.2"}},
		"Traceback (most recent call last):\n  File \"service.py\", line 1, in exposed_fail\nValueError: boom\n"}),
	attrs: map[string][]byte{
		"add":    byRef("builtins.method", cannedAdd),
		"thing":  byRef("builtins.method", cannedMakeThing),
		"fail":   byRef("builtins.method", cannedFail),
		"get":    byRef("builtins.method", cannedGet),
		"answer": byValue(42),
	},
}

func pack(v any) []byte {
	b, err := brine.Marshal(v)
	if err != nil {
		panic(err)
	}
	return b
}

// inspected is the answer to INSPECT: the methods of an object.
func inspected(v any) []byte {
	var pairs brine.Tuple
	for _, m := range exposed.Methods(nil, v) {
		pairs = append(pairs, brine.Tuple{m.Name, nil})
	}
	return byValue(pairs)
}

func byValue(v any) []byte { return pack(brine.Tuple{1, v}) }

func byRef(name string, id int) []byte { return pack(brine.Tuple{4, brine.Tuple{name, 1, id}}) }

// serveCanned answers one connection.
func serveCanned(c net.Conn) error {
	in := bufio.NewReaderSize(c, 64<<10)
	var out []byte
	for {
		head, err := in.Peek(frameHeader)
		if err != nil {
			return ignoreEOF(err)
		}
		size := int(binary.BigEndian.Uint32(head)) + frameOverhead
		frame, err := in.Peek(size)
		if err != nil {
			return err
		}
		if out, err = cannedReply(out, frame[frameHeader:size-1]); err != nil {
			return ignoreEOF(err)
		}
		_, _ = in.Discard(size)
		if in.Buffered() < frameOverhead && len(out) > 0 {
			if _, err := c.Write(out); err != nil {
				return ignoreEOF(err)
			}
			out = out[:0]
		}
	}
}

// errShape says that a client is not the one the answers were prepared for.
var errShape = errors.New("request of an unknown shape")

// cannedReply appends the answer to a request, which is 01, the pair (seq, (handler, boxed arguments)).
func cannedReply(out, msg []byte) ([]byte, error) {
	const pair = 0x11
	if len(msg) < 2 || msg[0] != msgRequest || msg[1] != pair {
		if len(msg) > 0 && msg[0] == msgReply {
			return out, nil
		}
		return out, errShape
	}
	seq, rest, err := splitInt(msg[2:])
	if err != nil || len(rest) < 3 || rest[0] != pair {
		return out, errShape
	}
	kind, reply, err := cannedFor(int(rest[1])-tagInt, rest[2:])
	if err != nil {
		return out, err
	}
	out = binary.BigEndian.AppendUint32(out, uint32(2+len(seq)+len(reply)))
	out = append(out, 0, kind, pair)
	out = append(out, seq...)
	out = append(out, reply...)
	return append(out, '\n'), nil
}

func cannedFor(handler int, args []byte) (kind byte, reply []byte, err error) {
	switch handler {
	case handleGetRoot:
		return msgReply, canned.root, nil
	case handleDel:
		return msgReply, canned.none, nil
	case handleInspect:
		if len(args) == 0 { // the last byte of what is asked for is the object's number
			return 0, nil, errShape
		}
		return msgReply, canned.methods[int(args[len(args)-1])-tagInt], nil
	case handleClose:
		return 0, nil, io.EOF
	case handleGetAttr:
		for name, reply := range canned.attrs {
			if bytes.HasSuffix(args, []byte(name)) {
				return msgReply, reply, nil
			}
		}
	case handleCall:
		id, err := callee(args)
		if err != nil {
			return 0, nil, err
		}
		switch id {
		case cannedAdd:
			return msgReply, canned.sum, nil
		case cannedMakeThing:
			return msgReply, canned.thing, nil
		case cannedGet:
			return msgReply, canned.five, nil
		case cannedFail:
			return msgException, canned.raised, nil
		}
	}
	return 0, nil, fmt.Errorf("%w: handler %d", errShape, handler)
}

// callee finds the id of the object called in the boxed arguments of a CALL:
// the pair (2, ((3, (name, class, id)), …)), where the name is text of fewer than 256 bytes.
func callee(args []byte) (int, error) {
	const ref = 7 // 11, label 2, tuple tag, 11, label 3, 12, 08
	if len(args) < ref+2 || args[2] < 0x10 || args[2] > 0x13 || args[ref-1] != 0x08 || args[ref] != 0x0e {
		return 0, errShape
	}
	i := ref + 2 + int(args[ref+1]) + 1 // behind the name and the class
	if i >= len(args) {
		return 0, errShape
	}
	return int(args[i]) - tagInt, nil
}

// splitInt cuts a number in brine's form off b.
func splitInt(b []byte) (num, rest []byte, err error) {
	switch {
	case len(b) > 0 && b[0] >= 0x20 && b[0] < 0xf0:
		return b[:1], b[1:], nil
	case len(b) > 1 && b[0] == 0x16 && len(b) >= 2+int(b[1]):
		n := 2 + int(b[1])
		return b[:n], b[n:], nil
	}
	return nil, nil, errShape
}
