package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/gorpyc/gorpyc/classic"
	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol"
	"github.com/gorpyc/gorpyc/registry"
)

// sample is what a server holds and how it answers at a time.
type sample struct {
	minutes              float64
	memory               float64 // resident, MiB
	descriptors, threads float64
	goroutines, objects  float64 // of the RPyC server, which tells
	median, slowest      float64 // ms: of a call, of 99 in 100 calls
}

// watched is a server and what was seen of it.
type watched struct {
	name    string
	pid     int
	probe   func(ctx context.Context) error // one call by a client of its own
	gauges  func() (gauges, error)          // nil if the server does not tell
	samples []sample

	mu    sync.Mutex
	times []float64
}

// soak has clients use servers for a long time, and draws what became of the servers.
func soak(args []string) error {
	fs := flag.NewFlagSet("soak", flag.ExitOnError)
	var p place
	fs.StringVar(&p.python, "python", "python3", "an `INTERPRETER` with rpyc")
	fs.StringVar(&p.peer, "peer", "scripts/endurance/peer.py", "the Python peer's `FILE`")
	programs := fs.String("programs", ".", "the `DIRECTORY` with rpyc_registry and rpyc_classic")
	lasting := fs.Duration("time", time.Hour, "how long")
	clients := fs.Int("clients", 100, "clients of the RPyC server; every fifth is CPython's")
	svg := fs.String("svg", "", "draw into `FILE`")
	_ = fs.Parse(args)
	var err error
	if p.self, err = os.Executable(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), *lasting)
	defer cancel()
	var wg sync.WaitGroup
	defer wg.Wait()

	srv, err := p.serve("go", "127.0.0.1:0", nil)
	if err != nil {
		return err
	}
	defer func() { _ = srv.stop() }()
	addr := fmt.Sprintf("127.0.0.1:%d", srv.port)
	regAddr, regPID, err := program(ctx, &wg, filepath.Join(*programs, "rpyc_registry"), "--host", "127.0.0.1",
		"--port", "0", "--ready", "--quiet")
	if err != nil {
		return err
	}
	classicAddr, classicPID, err := program(ctx, &wg, filepath.Join(*programs, "rpyc_classic"), "--port", "0",
		"--ready", "-q")
	if err != nil {
		return err
	}
	var faults tally
	servers := []*watched{
		{name: "RPyC server", pid: srv.cmd.Process.Pid, probe: rpycProbe(addr),
			gauges: func() (gauges, error) { return ask(addr, "go") }},
		{name: "registry", pid: regPID, probe: registryProbe(regAddr)},
		{name: "classic server", pid: classicPID, probe: classicProbe(classicAddr)},
	}
	loads := mixedLoad(ctx, p, addr, *clients, lasting.Seconds())
	for i := range 8 {
		wg.Go(func() { useRegistry(ctx, &faults, regAddr, i) })
		wg.Go(func() { useClassic(ctx, &faults, classicAddr) })
	}
	for _, w := range servers {
		wg.Go(func() { w.call(ctx, &faults) })
	}
	every := max(*lasting/120, time.Second)
	began := time.Now()
	for tick := time.NewTicker(every); ctx.Err() == nil; {
		select {
		case <-ctx.Done():
		case <-tick.C:
			for _, w := range servers {
				if err := w.take(time.Since(began)); err != nil && ctx.Err() == nil {
					faults.fault("%s: %v", w.name, err)
				}
			}
		}
	}
	calls := 0
	for range cap(loads) {
		l := <-loads
		calls += l.Calls
		if l.err != nil {
			faults.fault("%v", l.err)
		}
		for _, f := range l.Faults {
			faults.fault("%s", f)
		}
	}
	return conclude(servers, &faults, calls, *clients, *svg)
}

type loaded struct {
	outcome
	err error
}

// mixedLoad starts clients of both kinds, which keep their connections; their outcomes come when the time is over.
func mixedLoad(ctx context.Context, p place, addr string, clients int, seconds float64) chan loaded {
	const perProcess = 10
	python := clients / 5
	var loads [][]string
	for i, n := range []int{clients - python, python} {
		for ; n > 0; n -= perProcess {
			loads = append(loads, []string{kinds[i], strconv.Itoa(min(n, perProcess))})
		}
	}
	ended := make(chan loaded, len(loads))
	for i, l := range loads {
		go func() {
			o, err := p.load(context.WithoutCancel(ctx), l[0], "--addr", addr, "--clients", l[1],
				"--seconds", fmt.Sprint(seconds), "--seed", strconv.Itoa(i+1), "--steady")
			ended <- loaded{o, err}
		}()
	}
	return ended
}

// program starts one of our programs and returns its address.
func program(ctx context.Context, wg *sync.WaitGroup, path string, args ...string) (addr string, pid int, err error) {
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 20 * time.Second
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		return "", 0, err
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	words := strings.Fields(line)
	if err != nil || len(words) != 3 {
		_ = cmd.Process.Kill()
		return "", 0, fmt.Errorf("%s said %q: %w", path, line, err)
	}
	wg.Go(func() { _ = cmd.Wait() })
	return net.JoinHostPort(words[1], words[2]), cmd.Process.Pid, nil
}

func rpycProbe(addr string) func(context.Context) error {
	var conn *protocol.Conn
	return func(ctx context.Context) (err error) {
		if conn == nil {
			if conn, err = protocol.Dial(ctx, "tcp", addr, nil); err != nil {
				return err
			}
		}
		got, err := netref.Call[int](ctx, conn.Root(), "triple", 2)
		return check(err, got, 6)
	}
}

func registryProbe(addr string) func(context.Context) error {
	c := &registry.UDPClient{Addr: addr}
	return func(ctx context.Context) error {
		_, err := c.Discover(ctx, "NAME1")
		return err
	}
}

func classicProbe(addr string) func(context.Context) error {
	var conn *classic.Conn
	return func(ctx context.Context) (err error) {
		if conn == nil {
			if conn, err = classic.Dial(ctx, addr, nil); err != nil {
				return err
			}
		}
		got, err := classic.Eval[int](ctx, conn, "6 * 7")
		return check(err, got, 42)
	}
}

// call calls the server twenty times a second, and notes how long that takes.
func (w *watched) call(ctx context.Context, faults *tally) {
	for tick := time.NewTicker(50 * time.Millisecond); ctx.Err() == nil; <-tick.C {
		began := time.Now()
		if err := w.probe(context.WithoutCancel(ctx)); err != nil {
			if ctx.Err() == nil {
				faults.fault("%s: %v", w.name, err)
			}
			return
		}
		w.mu.Lock()
		w.times = append(w.times, float64(time.Since(began).Microseconds())/1000)
		w.mu.Unlock()
	}
}

// take takes a sample.
func (w *watched) take(since time.Duration) error {
	s := sample{minutes: since.Minutes()}
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", w.pid))
	if err != nil {
		return err
	}
	for line := range strings.Lines(string(status)) {
		words := strings.Fields(line)
		switch words[0] {
		case "VmRSS:":
			kib, _ := strconv.ParseFloat(words[1], 64)
			s.memory = kib / 1024
		case "Threads:":
			s.threads, _ = strconv.ParseFloat(words[1], 64)
		}
	}
	fds, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", w.pid))
	if err != nil {
		return err
	}
	s.descriptors = float64(len(fds))
	if w.gauges != nil {
		g, err := w.gauges()
		if err != nil {
			return err
		}
		s.goroutines, s.objects = float64(g.Goroutines), float64(g.Exported)
	}
	w.mu.Lock()
	s.median, s.slowest = quantile(w.times, 0.5), quantile(w.times, 0.99)
	w.times = nil
	w.mu.Unlock()
	w.samples = append(w.samples, s)
	return nil
}

// useRegistry registers, looks for and unregisters services.
func useRegistry(ctx context.Context, faults *tally, addr string, n int) {
	c := &registry.UDPClient{Addr: addr}
	for i := 0; ctx.Err() == nil; i++ {
		ep := registry.Endpoint{Port: 1000 + 100*n + i%100}
		err := c.Register(ctx, []string{"NAME" + strconv.Itoa(i%50), fmt.Sprintf("OF%d", n)}, ep)
		if err == nil {
			_, err = c.Discover(ctx, "NAME"+strconv.Itoa(i%50))
		}
		if err == nil && i%3 == 0 {
			err = c.Unregister(ctx, ep)
		}
		if err != nil && ctx.Err() == nil {
			faults.fault("the registry's client: %v", err)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// useClassic connects to the classic server, uses it a little and leaves.
func useClassic(ctx context.Context, faults *tally, addr string) {
	for ctx.Err() == nil {
		err := func() error {
			c, err := classic.Dial(ctx, addr, nil)
			if err != nil {
				return err
			}
			defer c.Close()
			if err := c.Execute(ctx, "def f(n):\n    return [i * i for i in range(n)]\nkept = []"); err != nil {
				return err
			}
			for i := range 50 {
				n, err := classic.Eval[int](ctx, c, fmt.Sprintf("(kept.append(f(%d)), len(kept))[1]", i))
				if err := check(err, n, i+1); err != nil {
					return err
				}
				time.Sleep(50 * time.Millisecond)
			}
			return nil
		}()
		if err != nil && ctx.Err() == nil {
			faults.fault("the classic server's client: %v", err)
			return
		}
	}
}

// conclude says what was seen, draws it, and decides whether something has grown: the last quarter against the second.
func conclude(servers []*watched, faults *tally, calls, clients int, svg string) error {
	fmt.Printf("%d clients, %d calls\n", clients, calls)
	for _, w := range servers {
		n := len(w.samples)
		if n < 8 {
			faults.fault("%s: only %d samples", w.name, n)
			continue
		}
		for _, m := range measures {
			of := func(from, to int) float64 {
				var all []float64
				for _, s := range w.samples[from:to] {
					all = append(all, m.of(s))
				}
				return quantile(all, 0.5)
			}
			early, late := of(n/4, n/2), of(3*n/4, n)
			if early == 0 && late == 0 {
				continue
			}
			fmt.Printf("%-15s %-28s second quarter %10.2f, last %10.2f\n", w.name, m.title, early, late)
			if m.slack > 0 && late > early*1.3+m.slack {
				faults.fault("%s: %s grew from %.1f to %.1f", w.name, m.title, early, late)
			}
		}
	}
	var err error
	if svg != "" {
		err = os.WriteFile(svg, draw(servers, fmt.Sprintf("%d clients of the RPyC server, 9 of each of the others; %d calls; "+
			"scripts/soak", clients, calls)), 0o644)
	}
	for _, f := range faults.Faults {
		err = errors.Join(err, errors.New(f))
	}
	return err
}
