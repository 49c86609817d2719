package protocol

import (
	"sync"

	"github.com/gorpyc/gorpyc/protocol/exposed"
)

// workspace is memory for one message: a request of the peer while it is handled and answered, or one of ours while it
// is encoded. It is used again for others.
type workspace struct {
	args     [5]boxed      // there are rarely more
	callArgs exposed.Args  // of a call that came encoded
	given    *exposed.Args // of a call that came with references to objects of the peer
	boxer    boxer         // here, because much on a goroutine's stack makes it grow
	scratch  scratch
}

var workspaces = sync.Pool{New: func() any { return &workspace{scratch: scratch{b: make([]byte, 0, scratchSize)}} }}

// getWorkspace takes the connection's spare workspace, or one of the pool if there are several messages at a time.
func (c *Conn) getWorkspace() *workspace {
	if w := c.spareSpace.Swap(nil); w != nil {
		return w
	}
	return workspaces.Get().(*workspace)
}

func (c *Conn) putWorkspace(w *workspace) {
	w.callArgs, w.given = exposed.Args{}, nil
	w.boxer.reset()
	w.scratch.trim()
	if !c.spareSpace.CompareAndSwap(nil, w) {
		workspaces.Put(w)
	}
}

// dropSpare gives the spare workspace up, because the connection is idle.
func (c *Conn) dropSpare() {
	if w := c.spareSpace.Swap(nil); w != nil {
		workspaces.Put(w)
	}
}
