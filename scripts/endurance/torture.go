package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"sync"
	"time"

	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol"
)

// errSkipped says why a scenario cannot be played here.
type errSkipped string

func (e errSkipped) Error() string { return string(e) }

// round is one scenario with its seed.
type round struct {
	place
	seed    uint64
	rand    *rand.Rand
	seconds float64
	say     func(format string, args ...any)
}

// scenarios are what can be done to connections.
var scenarios = []struct {
	name string
	play func(r *round) error
}{
	{"go clients, go server", func(r *round) error { return r.faults("go", "go") }},
	{"python clients, go server", func(r *round) error { return r.faults("python", "go") }},
	{"go clients, python server", func(r *round) error { return r.faults("go", "python") }},
	{"descriptors used up", (*round).descriptors},
	{"disk full", (*round).diskFull},
	{"network that loses and partitions, go server", func(r *round) error { return r.network("go") }},
	{"network that loses and partitions, python server", func(r *round) error { return r.network("python") }},
}

// torture plays all scenarios, with other seeds each time, until the time is over.
func torture(args []string) error {
	fs := flag.NewFlagSet("torture", flag.ExitOnError)
	var p place
	fs.StringVar(&p.python, "python", "python3", "an `INTERPRETER` with rpyc")
	fs.StringVar(&p.peer, "peer", "scripts/endurance/peer.py", "the Python peer's `FILE`")
	seed := fs.Uint64("seed", 0, "of all that is random; 0 chooses one")
	lasting := fs.Duration("time", 5*time.Minute, "how long; with a seed, each scenario is played once")
	seconds := fs.Float64("seconds", 8, "for each round")
	only := fs.String("only", ".", "the scenarios that match the regular `EXPRESSION`")
	failures := fs.String("failed", "", "append what failed to `FILE`")
	_ = fs.Parse(args)
	pattern, err := regexp.Compile(*only)
	if err != nil {
		return err
	}
	if p.self, err = os.Executable(); err != nil {
		return err
	}
	once := *seed != 0
	if !once {
		*seed = rand.Uint64N(1 << 32)
	}
	failed, played := 0, 0
	skipped := map[string]bool{}
	for end := time.Now().Add(*lasting); ; *seed++ {
		for i, s := range scenarios {
			if !pattern.MatchString(s.name) || skipped[s.name] {
				continue
			}
			fmt.Printf("== %s, seed %d\n", s.name, *seed)
			r := &round{place: p, seed: *seed, rand: rand.New(rand.NewPCG(*seed, uint64(i))), seconds: *seconds,
				say: func(format string, args ...any) { fmt.Printf("   "+format+"\n", args...) }}
			err := s.play(r)
			var skip errSkipped
			switch {
			case errors.As(err, &skip):
				fmt.Println("   SKIPPED:", err)
				skipped[s.name] = true
				continue
			case err != nil:
				failed++
				fmt.Printf("   FAILED: %v\n   again: scripts/torture --seed %d --only '^%s$'\n", err, *seed, s.name)
				note(*failures, fmt.Sprintf("%s: seed %d: %v\n", s.name, *seed, err))
			}
			played++
		}
		if once || time.Now().After(end) {
			break
		}
	}
	fmt.Printf("%d rounds, %d failed, %d scenarios skipped\n", played, failed, len(skipped))
	switch {
	case failed > 0:
		return fmt.Errorf("%d rounds failed", failed)
	case played == 0:
		return errors.New("nothing was done")
	}
	return nil
}

// note appends a line to a file.
func note(file, line string) {
	if file == "" {
		return
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		fmt.Println("   not noted:", err)
		return
	}
	f, err := os.OpenFile(file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err == nil {
		_, err = f.WriteString(line)
		err = errors.Join(err, f.Close())
	}
	if err != nil {
		fmt.Println("   not noted:", err)
	}
}

// merge adds the faults of clients to an error, and says how their calls ended.
func (r *round) merge(kind string, o outcome, err error) error {
	ends := ""
	for _, name := range slices.Sorted(maps.Keys(o.Ends)) {
		ends += fmt.Sprintf(" %s %d", name, o.Ends[name])
	}
	r.say("%s clients: %d calls:%s", kind, o.Calls, ends)
	for _, f := range o.Faults {
		err = errors.Join(err, fmt.Errorf("the %s clients: %s", kind, f))
	}
	if err == nil && o.Ends["result"] == 0 {
		err = fmt.Errorf("the %s clients: no call has had a result", kind)
	}
	return err
}

// faults lets clients call a server through a proxy that spoils connections; the server or a part of the clients is
// killed meanwhile, and the server started again.
func (r *round) faults(client, serving string) error {
	srv, err := r.serve(serving, "127.0.0.1:0", nil)
	if err != nil {
		return err
	}
	defer func() { srv.kill() }()
	p, err := newProxy(r.seed, fmt.Sprintf("127.0.0.1:%d", srv.port))
	if err != nil {
		return err
	}
	defer p.close()
	before, err := r.settled(srv, gauges{Goroutines: 1 << 20, Conns: 1, Exported: 2, Imported: 1})
	if err != nil {
		return err
	}
	args := []string{"--addr", p.addr(), "--clients", "6", "--seconds", fmt.Sprint(r.seconds),
		"--seed", fmt.Sprint(r.seed)}
	var o outcome
	var wg sync.WaitGroup
	wg.Go(func() { o, err = r.load(context.Background(), client, args...) })
	doomed, kill := context.WithTimeout(context.Background(),
		time.Duration(r.rand.Float64()*r.seconds*float64(time.Second)))
	defer kill()
	wg.Go(func() { _, _ = r.load(doomed, client, args...) }) // clients that are killed
	restart := r.rand.IntN(2) == 0
	if restart {
		time.Sleep(time.Duration((0.2 + 0.5*r.rand.Float64()) * r.seconds * float64(time.Second)))
		srv.kill()
		time.Sleep(time.Duration(r.rand.IntN(1000)) * time.Millisecond)
		again, serr := r.serve(serving, "127.0.0.1:0", nil)
		if serr != nil {
			wg.Wait()
			return serr
		}
		srv = again
		target := fmt.Sprintf("127.0.0.1:%d", srv.port)
		p.target.Store(&target)
	}
	wg.Wait()
	p.close()
	r.say("the server was killed: %v; connections:%s", restart, p.report())
	err = r.merge(client, o, err)
	// Clients and proxies are gone: the server is as it was.
	limit := gauges{Goroutines: before.Goroutines + 4, Conns: 1, Exported: 2, Imported: 1}
	if _, serr := r.settled(srv, limit); serr != nil {
		err = errors.Join(err, serr)
	}
	if serving == "go" {
		err = errors.Join(err, srv.stop())
	}
	return err
}

// settled waits until a server holds no more than the limit says, and can be called. Of a Python server it is known
// only that it can be called.
func (r *round) settled(srv *server, limit gauges) (g gauges, err error) {
	addr := fmt.Sprintf("127.0.0.1:%d", srv.port)
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		g, err = ask(addr, srv.kind)
		if err == nil && g.Goroutines <= limit.Goroutines && g.Conns <= limit.Conns && g.Exported <= limit.Exported &&
			g.Imported <= limit.Imported {
			return g, nil
		}
		if time.Now().After(deadline) {
			if err == nil {
				err = fmt.Errorf("the server holds %+v, which is more than %+v", g, limit)
			}
			return g, err
		}
	}
}

// ask asks a server what it holds.
func ask(addr, kind string) (g gauges, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	conn, err := protocol.Dial(ctx, "tcp", addr, nil)
	if err != nil {
		return g, err
	}
	defer func() { _ = conn.CloseNow() }()
	if kind == "python" {
		got, err := netref.Call[int](ctx, conn.Root(), "triple", 7)
		return g, check(err, got, 21)
	}
	text, err := netref.Call[string](ctx, conn.Root(), "gauges")
	if err == nil {
		err = json.Unmarshal([]byte(text), &g)
	}
	return g, err
}
