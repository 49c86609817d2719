package conform

import (
	"context"
	"errors"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/gorpyc/gorpyc/protocol/wire"
)

// quiet is how long a client may say nothing before it is taken for one that waits to be asked.
const quiet = 2 * time.Second

// Serve runs the checks on a client that has connected, over the one connection there is: what needs more is skipped.
// The client's first request for the root is answered when the checks are done, as RPyC serves requests while it waits.
// Afterwards the client is served until it hangs up.
func Serve(ctx context.Context, stream net.Conn, o Options) ([]Result, error) {
	r := &run{Options: o, ctx: ctx}
	if r.Timeout <= 0 {
		r.Timeout = 3 * time.Second // the client waits for all of it
	}
	defer context.AfterFunc(ctx, func() { _ = stream.Close() })()
	p := newPeer(stream, wire.FamilyD, r.observed)
	if err := p.meet(); err != nil {
		return nil, err
	}
	r.Dialect, r.shared = p.dialect, p
	results, err := r.all()
	if err != nil {
		return results, err
	}
	closed := p.farewell()
	ends := &check{id: "close.client_says_so", level: Core, run: func(t *trial) {
		if !closed {
			t.failf("the client has hung up without CLOSE")
		}
	}}
	if r.wanted(ends) {
		r.shared = nil // it has ended; the check needs none
		results = append(results, r.tell(r.judge(ends)))
	}
	return results, nil
}

// judge runs a check that looks at what has been.
func (r *run) judge(c *check) (res Result) {
	res = Result{ID: c.id, Clause: c.clause(), Level: c.level, State: Passed}
	defer func() {
		if s, ok := recover().(stop); ok {
			res.State, res.Detail = Failed, s.why
		}
	}()
	c.run(&trial{run: r, check: c})
	return res
}

// meet waits for the client's first message and finds out its family: by that message, and families D and E by the
// release that an exception names.
func (p *peer) meet() error {
	p.within(quiet)
	first, err := p.in.Peek(8)
	var timeout net.Error
	if err != nil && (!errors.As(err, &timeout) || !timeout.Timeout()) {
		return err
	}
	if err == nil && first[4] == 0 && first[5] > byte(wire.Exception) {
		p.dialect = wire.FamilyC
	}
	p.park = true
	p.within(10 * time.Second)
	_, err = p.ask(wire.Handler(0))
	var r *raised
	if !errors.As(err, &r) {
		return errors.Join(errors.New("the client does not answer a request"), err)
	}
	if v, _ := r.attrs["_remote_version"].(string); strings.HasPrefix(v, "7.") {
		p.dialect = wire.FamilyE
	}
	return nil
}

// farewell answers what was parked and serves the client until it hangs up. It reports whether it has said CLOSE.
func (p *peer) farewell() bool {
	p.park = false
	p.within(time.Minute)
	for _, m := range p.parked {
		_ = p.serve(m)
	}
	for p.step() == nil {
	}
	return slices.Contains(p.requests, wire.HandleClose)
}
