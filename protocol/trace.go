package protocol

import (
	"io"
	"sync"

	"github.com/gorpyc/gorpyc/protocol/wire"
)

// tracer prints the messages of a connection for people.
type tracer struct {
	mu sync.Mutex
	w  io.Writer
	p  wire.Dumper
}

func (t *tracer) print(dir string, d *wire.Dialect, payload []byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	_, _ = io.WriteString(t.w, dir+t.p.Dump(d, payload)+"\n") // a trace that cannot be written is no reason to stop
}

func (c *Conn) traceIn(d *wire.Dialect, payload []byte) {
	if c.trace != nil {
		c.trace.print("< ", d, payload)
	}
}

func (c *Conn) traceOut(d *wire.Dialect, payload []byte) {
	if c.trace != nil {
		c.trace.print("> ", d, payload)
	}
}
