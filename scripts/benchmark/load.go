package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"strconv"
)

// clientStacks are the clients there are. Each carries out one job, on connections of its own.
var clientStacks = map[string]func(job) (sample, error){
	"raw":      loadRaw,
	"netrpc":   loadNetRPC,
	"prepared": loadPrepared,
	"gorpyc":   loadGorpyc,
}

func (j job) addr() string { return net.JoinHostPort(j.Host, strconv.Itoa(j.Port)) }

func (j job) unknown() error { return fmt.Errorf("unknown mode %q", j.Mode) }

// load is the command of that name.
func load(args []string) error {
	fs := newFlags("load")
	stack := fs.String("stack", "gorpyc", "what asks: gorpyc, prepared (prepared requests to an RPyC server), netrpc or "+
		"raw")
	cpuprofile := fs.String("cpuprofile", "", "write a CPU profile to `file`")
	_ = fs.Parse(args)
	do, ok := clientStacks[*stack]
	if !ok {
		return fmt.Errorf("unknown stack %q", *stack)
	}
	stop, err := profile(*cpuprofile)
	if err != nil {
		return err
	}
	defer stop()
	out := json.NewEncoder(os.Stdout)
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		var j job
		if err := json.Unmarshal(lines.Bytes(), &j); err != nil {
			return err
		}
		s, err := do(j)
		if err != nil {
			s.Err = err.Error()
		}
		if err := out.Encode(s); err != nil {
			return err
		}
	}
	return lines.Err()
}

// dialMany opens n connections by dial, and returns what closes them.
func dialMany[C interface{ Close() error }](n int, dial func() (C, error)) (conns []C, closeAll func(), err error) {
	closeAll = func() {
		for _, c := range conns {
			_ = c.Close()
		}
	}
	for range n {
		c, err := dial()
		if err != nil {
			closeAll()
			return nil, nil, err
		}
		conns = append(conns, c)
	}
	return conns, closeAll, nil
}

const (
	inFlight     = 64 // requests outstanding on one connection in the concurrent modes
	manyInFlight = 4096
	manyConns    = 50 // connections of the mode with many
)
